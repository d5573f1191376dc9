// @ts-check
/**
 * A panel as it is printed: the same view once more, out of sight, always light, and laid out for the width
 * of the figure, whatever the page looks like and however wide it is.
 */
import { panelDrawing } from './panel_drawing.js';
import { idle } from './pieces.js';

/** Widths of columns in most journals, in millimetres; as in daam_core.figures.style. */
export const WIDTHS = { single: 89, double: 183 };
/** @typedef {keyof typeof WIDTHS} Print */

let chosen = /** @type {Print} */ ('double');

/** What figures are as wide as, a choice for all panels of the page together. */
export function chosenWidth() {
  return chosen;
}

/** @param {string} print what is no width is left out */
export function chooseWidth(print) {
  if (print in WIDTHS) chosen = /** @type {Print} */ (print);
}

/** Pixels of the layout to a millimetre: letters of 14 pixels, as on the page, are then 7 points high. */
const TO_MM = (2 * 72) / 25.4;

/**
 * @param {HTMLElement} body of the panel on the page
 * @param {string} title
 * @param {string} under the title
 * @param {string} [family] of the letters, where it is another than the page's
 * @returns {Promise<import('./panel_drawing.js').Drawing>}
 */
export async function printed(body, title, under, family = '') {
  const mm = WIDTHS[chosen];
  const shown = /** @type {import('./daam_view.js').DaamView | null} */ (body.closest('daam-view'));
  if (!shown) return asItIs(body, mm, title, under, family);
  const number = Array.from(shown.querySelectorAll('.dv-body')).indexOf(body);
  const place = document.createElement('div');
  place.className = 'dv-print';
  place.inert = true;
  place.setAttribute('aria-hidden', 'true');
  const width = Math.round(mm * TO_MM);
  place.style.setProperty('--dv-width', `${width}px`);
  const copy = shown.light();
  place.append(copy);
  // Away from the view: the style sheet of the page around it may set colours of its own there.
  const root = shown.getRootNode();
  (root instanceof ShadowRoot ? root : document.body).append(place);
  try {
    const own = /** @type {HTMLElement} */ (copy.querySelectorAll('.dv-body')[number]);
    own.classList.add('dv-saving'); // nothing inside scrolls
    own.style.fontFamily = family;
    await settled(own);
    return panelDrawing(own, title, under, { width, mm });
  } finally {
    place.remove();
  }
}

/**
 * Another kind of view, which cannot be shown once more: it is laid out for the width of the figure out of sight,
 * its place kept, and light for as long as it is drawn, which nobody sees.
 * @param {HTMLElement} body
 * @param {number} mm
 * @param {string} title
 * @param {string} under
 * @param {string} family
 */
async function asItIs(body, mm, title, under, family) {
  const root = /** @type {HTMLElement} */ (body.closest('[data-theme]'));
  const view = /** @type {import('./element.js').DrawnElement<any, any>} */ (root.parentElement);
  const place = /** @type {HTMLElement} */ (body.parentElement);
  const { theme } = root.dataset;
  const dark = document.body.classList.contains('dark');
  const width = Math.round(mm * TO_MM);
  const [before, kept] = [body.style.cssText, place.style.minHeight];
  place.style.minHeight = `${place.offsetHeight}px`;
  Object.assign(body.style, {
    position: 'absolute',
    left: '-20000px',
    width: `${width}px`,
    fontFamily: family,
  });
  body.classList.add('dv-saving');
  try {
    view.store.setDark(false); // canvases are drawn anew, which takes a while
    await settled(body, 8);
    document.body.classList.remove('dark');
    root.dataset.theme = 'light';
    return panelDrawing(body, title, under, { width, mm });
  } finally {
    body.classList.remove('dv-saving');
    body.style.cssText = before;
    place.style.minHeight = kept;
    root.dataset.theme = theme;
    document.body.classList.toggle('dark', dark);
    view.themed();
  }
}

/** Until everything has its size: pictures are read, and what depends on a width was drawn for it. */
async function settled(body, frames = 3) {
  await Promise.all(Array.from(body.querySelectorAll('img'), (image) => image.decode().catch(() => null)));
  for (let frame = 0; frame < frames; frame += 1) await new Promise((done) => requestAnimationFrame(done));
  await idle();
}
