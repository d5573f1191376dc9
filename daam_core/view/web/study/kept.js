// @ts-check
/** Selections: the table's inputs under a name, kept with the study. */
import * as format from '../format.js';
import { html, useEffect, useId, useRef, useState } from '../html.js';
import { useStudy } from './parts.js';

/** Gives the inputs of the table a name, by which they can be compared. */
export function Keep() {
  const store = useStudy();
  const id = useId('keep');
  const [open, setOpen] = useState(false);
  const field = useRef(null);
  useEffect(() => {
    if (open) field.current.focus();
  }, [open]);
  const [name, setName] = useState('');
  const [said, setSaid] = useState('');
  const kept = store.called;
  const called = name.trim();
  /** @param {SubmitEvent} e */
  const keep = async (e) => {
    e.preventDefault();
    if (!called) return setSaid('Give the selection a name.');
    try {
      await store.select(called);
      setSaid('');
      setName('');
      setOpen(false);
    } catch (error) {
      setSaid(String(/** @type {Error} */ (error).message));
    }
  };
  return html`<form class="dv-row ds-keep" onSubmit=${keep}>
    ${
      open
        ? html`<label for=${id} class="dv-label">Name</label>
            <input
              id=${id}
              ref=${field}
              class="dv-input"
              maxlength="60"
              autocomplete="off"
              value=${name}
              onInput=${(e) => setName(e.currentTarget.value)}
            />
            <button type="submit" class="dv-button">Keep</button>`
        : html`<button type="button" class="dv-button dv-quiet-button" onClick=${() => setOpen(true)}>
            Keep this selection
          </button>`
    }
    <span class="dv-note" role="status">${said || (kept && holds(store, kept))}</span>
    ${
      kept &&
      !open &&
      html`<button
        type="button"
        class="dv-button dv-quiet-button"
        onClick=${() => store.set({ tab: 'slices', first: `selection.${kept.name}`, second: 'others' })}
      >
        Compare “${kept.name}” with all others
      </button>`
    }
  </form>`;
}

/** What a name was given to. @param {import('./store.js').StudyStore} store @param {{name: string, reason: string}} kept */
function holds({ selections }, { name, reason }) {
  const count = selections[name].length;
  const inputs = `“${name}” holds ${format.count(count)} ${count === 1 ? 'input' : 'inputs'}`;
  return reason ? `${inputs}, until the page is closed: ${reason}.` : `${inputs} and is kept with the study.`;
}

/** The selections that were kept, to be shown again, renamed or removed. */
export function Kept() {
  const store = useStudy();
  const [said, setSaid] = useState('');
  const [renamed, rename] = useState(''); // the one whose name is being changed
  const names = Object.keys(store.selections);
  /** @param {() => Promise<string>} work @param {string} done @param {string} passing where it is not written */
  const change = async (work, done, passing) => {
    try {
      const reason = await work();
      setSaid(reason ? `${passing} until the page is loaded again: ${reason}.` : done);
    } catch (error) {
      setSaid(String(/** @type {Error} */ (error).message));
    }
  };
  /** @param {string} name */
  const drop = (name) => change(() => store.drop(name), `“${name}” is removed.`, `“${name}” is gone`);
  /** @param {string} name @param {string} other */
  const renameTo = (name, other) => {
    rename('');
    if (!other || other === name) return undefined;
    return change(
      () => store.rename(name, other),
      `“${name}” is called “${other}” now.`,
      `“${name}” is called “${other}”`,
    );
  };
  /** @param {string} name */
  const item = (name) =>
    renamed === name
      ? html`<li key=${name}><${NewName} name=${name} onName=${(other) => renameTo(name, other)} /></li>`
      : html`<li key=${name} class="dv-row">
          <span>${name}</span>
          <span class="dv-quiet">${format.count(store.selections[name].length)}</span>
          ${[
            ['Show', () => store.showSelection(name)],
            ['Rename', () => rename(name)],
            ['Remove', () => drop(name)],
          ].map(
            ([word, act]) => html`<button
              type="button"
              key=${word}
              class="dv-button dv-quiet-button"
              aria-label="${word} ${name}"
              onClick=${act}
            >
              ${word}
            </button>`,
          )}
        </li>`;
  const { dropped } = store;
  const undo = () =>
    dropped && change(() => store.undrop(), `“${dropped.name}” is back.`, `“${dropped.name}” is back`);
  if (!names.length && !said && !dropped) return null;
  const items = names.map((name) => item(name));
  if (dropped)
    items.splice(
      dropped.at,
      0,
      html`<${Dropped} key=${`- ${dropped.name}`} dropped=${dropped} onUndo=${undo} />`,
    );
  return html`<details class="ds-kept">
    <summary>Kept selections (${names.length})</summary>
    <ul>
      ${items}
    </ul>
    <p class="dv-note" role="status">${said}</p>
  </details>`;
}

/** Where a selection was removed: the way back. @param {{dropped: {name: string}, onUndo: () => void}} props */
function Dropped({ dropped, onUndo }) {
  const button = useRef(null);
  useEffect(() => button.current.focus(), []);
  return html`<li class="dv-row">
    <span class="dv-quiet">${dropped.name}</span>
    <button ref=${button} type="button" class="dv-button" aria-label="Undo: keep ${dropped.name} again" onClick=${onUndo}>
      Undo
    </button>
  </li>`;
}

/** A selection's name, to be written anew; Escape leaves it. @param {{name: string, onName: (other: string) => void}} props */
function NewName({ name, onName }) {
  const id = useId('name');
  const field = useRef(null);
  useEffect(() => field.current.select(), []);
  return html`<form
    class="dv-row ds-keep"
    onSubmit=${(e) => {
      e.preventDefault();
      onName(field.current.value.trim());
    }}
    onKeyDown=${(e) => e.key === 'Escape' && onName('')}
  >
    <label for=${id} class="dv-label">New name of “${name}”</label>
    <input id=${id} ref=${field} class="dv-input" maxlength="60" autocomplete="off" value=${name} />
    <button type="submit" class="dv-button">Rename</button>
    <button type="button" class="dv-button dv-quiet-button" onClick=${() => onName('')}>Leave it</button>
  </form>`;
}
