// @ts-check
/** "Save this": a panel alone, as a picture or as numbers. */
import { Select } from './controls.js';
import { html, useId, useRedraw, useRef, useState, useStore } from './html.js';
import { chooseWidth, chosenWidth, WIDTHS } from './printing.js';
import { fileName, hand, pictureOf, subtitle } from './saving.js';
import { csvOf } from './sheets.js';

/** @typedef {'png' | 'svg' | 'pdf' | 'csv'} Kind */

/** @type {[Kind, string][]} */
const KINDS = [
  ['png', 'A picture, 400 pixels to the inch'],
  ['svg', 'A drawing: texts and lines stay what they are, maps are pictures in it'],
  ['pdf', 'A page of its size: texts and lines stay what they are, in a font that the file carries'],
  ['csv', 'All numbers of this panel with every digit'],
];
const PRINTS = [
  ['single', `Column, ${WIDTHS.single} mm`],
  ['double', `Page, ${WIDTHS.double} mm`],
];

/**
 * The button and, once it is pressed, the formats. `body` refers to what is drawn, ofClass says whether another
 * explained class would change it, both that A and B are on it, head that it is of that one alone; csv gives its
 * numbers.
 * @param {{
 *   title: string, body: {current: HTMLElement | null}, ofClass: boolean, both: boolean, head: number | null,
 *   csv: () => import('./sheets.js').Sheet | string | Promise<import('./sheets.js').Sheet | string>,
 * }} props
 */
export function SaveMenu({ title, body, csv, ofClass, both, head }) {
  const store = useStore();
  const id = useId('save');
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState('');
  const button = useRef(null);
  const redraw = useRedraw();
  /** @param {string} print */
  const choose = (print) => {
    chooseWidth(print);
    redraw();
  };
  /** @param {Kind} kind */
  const save = async (kind) => {
    const name = `${fileName(store, title, both, head)}.${kind}`;
    setSaid('Saving …');
    try {
      if (kind === 'csv') {
        const sheet = await csv();
        if (typeof sheet === 'string') return setSaid(sheet);
        hand(name, csvOf(sheet), 'text/csv;charset=utf-8');
      } else {
        const drawn = /** @type {HTMLElement} */ (body.current);
        const under = subtitle(store, { ofClass, both, head });
        const [content, type] = await pictureOf(kind, drawn, title, under);
        hand(name, content, type);
      }
      setSaid(`Saved as ${name}`);
    } catch {
      setSaid(`This browser could not make the ${kind.toUpperCase()} file; try another format.`);
    }
  };
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    if (e.key !== 'Escape' || !open) return;
    setOpen(false);
    button.current.focus();
  };
  return html`<div class="dv-save" onKeyDown=${key}>
    <button
      ref=${button}
      type="button"
      class="dv-button dv-quiet-button"
      aria-expanded=${String(open)}
      aria-controls=${id}
      onClick=${() => setOpen(!open)}
    >
      Save this
    </button>
    <div id=${id} class="dv-menu" role="group" aria-label="Save this panel as" hidden=${!open}>
      <${Select}
        label="Width of figures"
        options=${PRINTS}
        value=${chosenWidth()}
        onChange=${choose}
      />
      ${KINDS.map(
        ([kind, meaning]) =>
          html`<button type="button" class="dv-button" title=${meaning} onClick=${() => save(kind)}>${kind.toUpperCase()}</button>`,
      )}
      <span class="dv-saved" role="status">${said || 'Figures are light, for print, also on a dark page. For a paper take PDF or SVG: their texts and lines stay sharp.'}</span>
    </div>
  </div>`;
}
