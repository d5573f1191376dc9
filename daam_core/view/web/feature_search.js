// @ts-check
/** A box that leads to a feature: `17`, features `10-40`, or feature 17 of layer 3 as `3.17`. */
import { range } from './arrays.js';
import { field, whichOf } from './fields.js';
import { html, useId, useState, useStore } from './html.js';

/**
 * @typedef {import('./store.js').Store} Store
 * @typedef {{from: number, to: number, layer: number | null}} Wanted features, both ends included
 */

const AROUND = 40; // features shown about one that was looked for
const FEWEST = 4; // as far as maps zoom in

/**
 * What is looked for, or the sentence about why it cannot be.
 * @param {string} text
 * @param {number} layers
 * @param {number} features
 * @param {{row: string, column: string}} [axes] what these are called
 * @returns {Wanted | string}
 */
export function readFeature(text, layers, features, { row, column } = { row: 'layer', column: 'feature' }) {
  const given = text.trim();
  const [, layer, one, other] = given.match(/^(?:(\d+)\s*\.\s*)?(\d+)(?:\s*(?:-|–|−|to)\s*(\d+))?$/) || [];
  if (one === undefined || (layer !== undefined && other !== undefined)) {
    const written = given ? `“${given.slice(0, 24)}” is no ${column}: write` : 'Write';
    return `${written} a number such as 17, a range such as 10-40, or ${row}.${column} such as 3.17.`;
  }
  const ends = [Number(one), Number(other ?? one)];
  const [from, to] = [Math.min(...ends), Math.max(...ends)];
  if (to >= features) return `There is no ${column} ${to}; ${column}s go from 0 to ${features - 1}.`;
  if (Number(layer ?? 0) >= layers) return `There is no ${row} ${layer}; ${row}s go from 0 to ${layers - 1}.`;
  return { from, to, layer: layer === undefined ? null : Number(layer) };
}

/**
 * The strongest cell of what is looked for, in the map that is shown, and the part to zoom to: a range as
 * it is, one feature with what lies about it.
 * @param {Store} store
 * @param {Wanted} wanted
 * @returns {{head: number, cell: import('./types.js').Cell, zoom: import('./types.js').Zoom | null}}
 */
export function placeOf(store, { from, to, layer }) {
  const { F, L, ...result } = store.result();
  const { zoom } = store.state;
  const sees = (head) => layer === null || store.result().seen(head, layer);
  const heads = [store.head, ...range(result.H)];
  const head = heads.find(sees) ?? store.head;
  const rows = layer === null ? store.result().layersOf(head) : [layer];
  const map = field(store, head, whichOf(store));
  const size = (at) => (map ? (map.signed ? Math.abs(map.data[at]) : map.data[at]) : 0);
  let best = rows[0] * F + from;
  for (const row of rows) {
    for (let at = row * F + from; at <= row * F + to; at += 1) if (size(at) > size(best)) best = at;
  }
  const cell = { layer: Math.floor(best / F), feature: best % F };
  const width = Math.min(F, Math.max(FEWEST, from === to ? AROUND : to - from + 1));
  const x0 = Math.max(0, Math.min(F - width, Math.round((from + to + 1 - width) / 2)));
  const inside = zoom && cell.layer >= zoom.y0 && cell.layer < zoom.y1;
  const { y0, y1 } = inside ? zoom : { y0: 0, y1: L };
  const whole = width === F && y0 === 0 && y1 === L;
  return { head, cell, zoom: whole ? null : { x0, x1: x0 + width, y0, y1 } };
}

export function FeatureSearch() {
  const store = useStore();
  const id = useId('search');
  const [wrong, setWrong] = useState('');
  /** @param {SubmitEvent} e */
  const go = (e) => {
    e.preventDefault();
    const { L, F } = store.result();
    const found = readFeature(/** @type {any} */ (e.currentTarget).elements[0].value, L, F, store.axes());
    setWrong(typeof found === 'string' ? found : '');
    if (typeof found === 'string') return;
    const { head, cell, zoom } = placeOf(store, found);
    store.set({ zoom });
    store.select({ head, ...cell });
    const maps = Array.from(store.maps);
    const map = maps.find((one) => one.head === head) || maps[0];
    map?.element.scrollIntoView({ block: 'nearest' });
  };
  return html`<form class="dv-control dv-search" onSubmit=${go}>
    <label for=${id} class="dv-label">Find ${store.axes().column}</label>
    <div class="dv-row">
      <input
        id=${id}
        class="dv-input"
        type="text"
        autocomplete="off"
        placeholder="17, 10-40, 3.17"
        enterkeyhint="go"
        aria-invalid=${String(Boolean(wrong))}
        aria-describedby="${id}-wrong"
      />
      <button type="submit" class="dv-button">Go</button>
    </div>
    <p class="dv-wrong" id="${id}-wrong" role="alert">${wrong}</p>
  </form>`;
}
