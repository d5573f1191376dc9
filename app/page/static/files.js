// @ts-check
/**
 * The upload controls take every file that the core reads. Gradio's go by the browser's idea of a file's type,
 * which is "video" for a sound in MP4 or WebM and nothing at all for HEIC in many systems.
 */

/** A type that the control takes, by the control's id. @type {Record<string, string>} */
const TYPES = { 'input-audio': 'audio/mp4', 'input-image': 'image/jpeg' };

document.addEventListener('click', showThem, true);
document.addEventListener('change', retypeChosen, true);
document.addEventListener('drop', retypeDropped, true);

/** The control that an event happened in. @param {Event} event */
function control(event) {
  return event.target instanceof Element ? event.target.closest('#input-audio, #input-image') : null;
}

/** Name endings of readable files, as the core lists them. @param {string} id */
function endings(id) {
  const list = document.querySelector(`[data-endings-of="${id}"]`);
  return list instanceof HTMLElement ? (list.dataset.endings || '').split(' ') : [];
}

/** Whether the browser takes a readable file for something else. @param {File} file @param {string} id */
function isMistaken(file, id) {
  const kind = TYPES[id].split('/')[0];
  return (
    !file.type.startsWith(`${kind}/`) &&
    endings(id).some((ending) => file.name.toLowerCase().endsWith(ending))
  );
}

/** The same files, with a type that the control takes. @param {Iterable<File>} files @param {string} id */
function retyped(files, id) {
  const list = new DataTransfer();
  for (const file of files)
    list.items.add(isMistaken(file, id) ? new File([file], file.name, { type: TYPES[id] }) : file);
  return list;
}

/** The picker is about to open: let it offer them. @param {Event} event */
function showThem(event) {
  const place = control(event);
  const input = event.target;
  if (place && input instanceof HTMLInputElement && input.type === 'file')
    input.accept = [`${TYPES[place.id].split('/')[0]}/*`, ...endings(place.id)].join(',');
}

/** @param {Event} event */
function retypeChosen(event) {
  const place = control(event);
  const input = event.target;
  if (
    place &&
    input instanceof HTMLInputElement &&
    input.files &&
    [...input.files].some((f) => isMistaken(f, place.id))
  )
    input.files = retyped(input.files, place.id).files;
}

/** @param {DragEvent} event */
function retypeDropped(event) {
  const place = control(event);
  const files = event.dataTransfer?.files;
  if (!place || !files || ![...files].some((file) => isMistaken(file, place.id))) return;
  event.preventDefault();
  event.stopPropagation();
  const again = { bubbles: true, cancelable: true, dataTransfer: retyped(files, place.id) };
  event.target?.dispatchEvent(new DragEvent('drop', again));
}
