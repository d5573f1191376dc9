// @ts-check
/** What a reader sets: lists, choices, sliders, and those that are bound to the state. */
import { range } from './arrays.js';
import { html, useId, useStore } from './html.js';

/** @typedef {import('./store.js').Store} Store */

/** A labelled list of options: [[value, text], …]. */
export function Select({ label, options, value, onChange }) {
  const id = useId('select');
  return html`<div class="dv-control">
    <label for=${id} class="dv-label">${label}</label>
    <select
      id=${id}
      class="dv-select"
      value=${String(value)}
      onChange=${(e) => onChange(e.currentTarget.value)}
    >
      ${options.map(
        ([v, text]) => html`<option value=${v} selected=${String(v) === String(value)}>${text}</option>`,
      )}
    </select>
  </div>`;
}

/** A few exclusive options side by side. */
function Segments({ label, options, value, onChange }) {
  const name = useId('segments');
  return html`<fieldset class="dv-control dv-segments">
    <legend class="dv-label">${label}</legend>
    <div class="dv-segments-row">
      ${options.map(
        ([v, text]) =>
          html`<label class="dv-segment"
            ><input
              type="radio"
              name=${name}
              value=${v}
              checked=${String(v) === String(value)}
              onChange=${() => onChange(v)}
            /><span>${text}</span></label
          >`,
      )}
    </div>
  </fieldset>`;
}

/** A share between 0 and 1, in percent. */
export function Slider({ label, value, onChange }) {
  const id = useId('slider');
  return html`<div class="dv-control">
    <label for=${id} class="dv-label">${label}</label>
    <div class="dv-row">
      <input
        id=${id}
        type="range"
        min="0"
        max="1"
        step="0.05"
        value=${value}
        onInput=${(e) => onChange(Number(e.currentTarget.value))}
      />
      <output for=${id} class="dv-number">${Math.round(value * 100)} %</output>
    </div>
  </div>`;
}

/** A whole number from 0 to `size` − 1. */
export function NumberField({ label, value, size, onChange }) {
  const id = useId('number');
  const take = (e) => {
    const taken = Math.min(size - 1, Math.max(0, Math.round(Number(e.currentTarget.value) || 0)));
    e.currentTarget.value = String(taken); // nothing is drawn anew where this was the number before
    onChange(taken);
  };
  return html`<div class="dv-control">
    <label for=${id} class="dv-label">${label}</label>
    <input
      id=${id}
      class="dv-input"
      type="number"
      min="0"
      max=${size - 1}
      step="1"
      value=${value}
      onChange=${take}
    />
  </div>`;
}

/** Buttons that zoom out, in, and show everything; `work` gets what to do: 'out', 'in' or 'all'. */
export function ZoomButtons({ work, all = 'Show everything', disabled = false }) {
  return html`<div
    class="dv-control dv-zoom"
    role="group"
    aria-label="Zoom"
    title="The wheel zooms, too, once a map was clicked, or with Ctrl"
  >
    <span class="dv-label" aria-hidden="true">Zoom</span>
    <div class="dv-row">
      <button type="button" class="dv-button dv-square" aria-label="Zoom out" onClick=${() => work('out')}>
        −
      </button>
      <button type="button" class="dv-button dv-square" aria-label="Zoom in" onClick=${() => work('in')}>
        +
      </button>
      <button
        type="button"
        class="dv-button"
        aria-label=${all}
        disabled=${disabled}
        onClick=${() => work('all')}
      >
        All
      </button>
    </div>
  </div>`;
}

export const MAP_CONTROLS = ['quantity', 'side', 'scale', 'colours', 'palette', 'binning'];

/**
 * By key of the state: title, control, options.
 * @type {Record<string, [string, any, (store: Store) => any[]]>}
 */
const BOUND = {
  quantity: ['Show', Select, (store) => Object.entries(store.quantities).map(([key, q]) => [key, q.name])],
  side: ['Input', Select, sidesOf],
  head: ['Head', Select, headNames],
  palette: [
    'Palette',
    Select,
    () => [
      ['cividis', 'Cividis'],
      ['viridis', 'Viridis'],
      ['grey', 'Grey'],
    ],
  ],
  scale: [
    'Scale',
    Segments,
    () => [
      ['all_heads', 'All heads'],
      ['per_head', 'Per head'],
    ],
  ],
  colours: [
    'Colours',
    Segments,
    () => [
      ['linear', 'Linear'],
      ['log', 'Log'],
      ['rank', 'Rank'],
    ],
  ],
  binning: [
    'Binning',
    Segments,
    () => [
      ['max', 'Maximum'],
      ['mean', 'Mean'],
    ],
  ],
  order: [
    'Order by',
    Segments,
    () => [
      ['index', 'Number'],
      ['contribution', 'Contribution'],
    ],
  ],
  tokenMode: [
    'Values',
    Segments,
    () => [
      ['signed', 'Signed'],
      ['absolute', 'Size only'],
    ],
  ],
  layerChart: [
    'Draw as',
    Segments,
    () => [
      ['bars', 'Stacked bars'],
      ['lines', 'Lines'],
    ],
  ],
  top: ['Rows', Segments, () => [5, 10, 25].map((n) => [n, String(n)])],
  tokenHead: ['Heads', Select, (store) => [[-1, 'All heads together'], ...headNames(store)]],
};
const NUMBERS = ['head', 'tokenHead', 'top'];

/** @param {Store} store */
function sidesOf(store) {
  /** @type {import('./types.js').AnySide[]} */
  const shown = store.canSubtract() ? ['a', 'b', 'difference'] : ['a', 'b'];
  return shown.map((side) => [side, store.label(side)]);
}

/** The heads as options of a list. @param {Store} store */
export function headNames(store) {
  return range(store.result().H).map((head) => [head, `Head ${head}`]);
}

/** Controls bound to the state, in the order of `keys`. @param {string[]} keys */
export function useControls(keys) {
  const store = useStore();
  return keys
    .filter((key) => key !== 'side' || store.b)
    .map((key) => {
      const [label, Control, options] = BOUND[key];
      const set = (v) => store.set({ [key]: NUMBERS.includes(key) ? Number(v) : v });
      const value = /** @type {any} */ (store.state)[key];
      return html`<${Control} key=${key} label=${label} options=${options(store)} value=${value} onChange=${set} />`;
    });
}
