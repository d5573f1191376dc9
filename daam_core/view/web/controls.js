// @ts-check
/** What a reader sets: lists, choices, sliders, and those that are bound to the state. */
import { range } from './arrays.js';
import { html, useId, useRef, useStore } from './html.js';

/** @typedef {import('./store.js').Store} Store */

/** A labelled list of options: [[value, text], …]. */
export function Select({ label, options, value, onChange, wide = false }) {
  const id = useId('select');
  return html`<div class="dv-control ${wide ? 'dv-wide' : ''}">
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
function Slider({ label, value, onChange }) {
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

/** A whole number from 0 to `size` − 1; or null, left empty, where `empty` says what that means. */
export function NumberField({ label, value, size, onChange, empty = '' }) {
  const id = useId('number');
  const take = (e) => {
    const text = e.currentTarget.value;
    const number = Math.min(size - 1, Math.max(0, Math.round(Number(text) || 0)));
    const taken = empty && text === '' ? null : number;
    e.currentTarget.value = String(taken ?? ''); // nothing is drawn anew where this was the number before
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
      placeholder=${empty || undefined}
      value=${value ?? ''}
      onChange=${take}
    />
  </div>`;
}

/** Buttons that zoom out, in, and show everything; `work` gets what to do: 'out', 'in' or 'all'. */
export function ZoomButtons({ work, all = 'Show everything', disabled = false, zoomed = false }) {
  return html`<div
    class="dv-control dv-zoom"
    role="group"
    aria-label="Zoom"
    title="The wheel zooms, too, once a map was clicked, or with Ctrl"
  >
    <span class="dv-label" aria-hidden="true">${zoomed ? 'Zoomed in' : 'Zoom'}</span>
    <div class="dv-row">
      <button type="button" class="dv-button dv-square" aria-label="Zoom out" onClick=${() => work('out')}>
        −
      </button>
      <button type="button" class="dv-button dv-square" aria-label="Zoom in" onClick=${() => work('in')}>
        +
      </button>
      <button
        type="button"
        class="dv-button ${zoomed ? 'dv-leave' : ''}"
        aria-label=${all}
        disabled=${disabled}
        onClick=${() => work('all')}
      >
        All
      </button>
    </div>
  </div>`;
}

export const MAP_CONTROLS = ['quantity', 'side', 'scale', 'colours', 'palette', 'binning', 'top'];

/**
 * By key of the state: label, control, and its options by value, or as a list that the store makes.
 * @type {Record<string, [string, any, any?]>}
 */
const BOUND = {
  quantity: ['Show', Select, (store) => Object.entries(store.quantities).map(([key, q]) => [key, q.name])],
  side: ['Input', Select, sidesOf],
  head: ['Head', Select, headNames],
  tokenHead: ['Heads', Select, (store) => [[-1, 'All heads together'], ...headNames(store)]],
  scale: ['Scale', Segments, { all_heads: 'All heads', per_head: 'Per head' }],
  colours: ['Colours', Segments, coloursOf],
  palette: ['Palette', Select, { cividis: 'Cividis', viridis: 'Viridis', grey: 'Grey' }],
  binning: ['Binning', Segments, { max: 'Maximum', mean: 'Mean' }],
  order: ['Order by', Segments, { index: 'Number', contribution: 'Contribution' }],
  tokenMode: ['Values', Segments, { signed: 'Signed', absolute: 'Size only' }],
  layerChart: ['Draw as', Segments, { bars: 'Stacked bars', lines: 'Lines' }],
  top: ['Rows of tables', Segments, { 5: '5', 10: '10', 25: '25' }],
  opacity: ['Overlay', Slider],
};
/** What says what is shown stands in sight, the rest in the menu. */
const IN_SIGHT = ['quantity', 'side', 'head', 'tokenHead', 'scale'];
const NUMBERS = ['head', 'tokenHead', 'top'];

/** @param {Store} store */
function sidesOf(store) {
  /** @type {import('./types.js').AnySide[]} */
  const shown = store.canSubtract() ? ['a', 'b', 'difference'] : ['a', 'b'];
  return shown.map((side) => [side, store.label(side)]);
}

/** @param {Store} store */
function coloursOf(store) {
  return Object.entries({
    linear: 'Linear',
    log: 'Log',
    rank: 'Rank',
    layer: `Per ${store.axes().row}`,
  });
}

/** The heads as options of a list. @param {Store} store */
export function headNames(store) {
  return range(store.result().H).map((head) => [head, `Head ${head}`]);
}

/** A control bound to the state. @param {{name: string}} props */
function Bound({ name }) {
  const store = useStore();
  const [label, Control, options = {}] = BOUND[name];
  const listed = typeof options === 'function' ? options(store) : Object.entries(options);
  const set = (v) => store.set({ [name]: NUMBERS.includes(name) ? Number(v) : v });
  const own = name === 'quantity' || name === 'head' ? store : store.state;
  const value = /** @type {any} */ (own)[name];
  return html`<${Control} label=${label} options=${listed} value=${value} onChange=${set} wide=${name === 'side'} />`;
}

/**
 * Controls bound to the state, in the order of `keys`: first what says what is shown, `zoom` and the
 * search for a feature among it where there are maps, then the menu with the rest and with `children`.
 * @param {{keys: string[], maps?: any, children?: any}} props
 */
export function Controls({ keys, maps = null, children = null }) {
  const store = useStore();
  const offered = keys.filter((key) => key !== 'side' || store.b);
  const [shown, inMenu] = [true, false].map((sight) =>
    offered
      .filter((key) => IN_SIGHT.includes(key) === sight)
      .map((key) => html`<${Bound} key=${key} name=${key} />`),
  );
  return [shown, maps, (inMenu.length > 0 || children) && html`<${Display}>${inMenu}${children}<//>`];
}

/** The menu of how things are drawn; open or closed everywhere alike, and in a link, too. */
function Display({ children }) {
  const store = useStore();
  const id = useId('display');
  const button = useRef(null);
  const open = store.state.display === 'open';
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    if (e.key !== 'Escape' || !open) return;
    store.set({ display: 'closed' });
    button.current.focus();
  };
  return [
    html`<button
      ref=${button}
      type="button"
      class="dv-button dv-menu-button"
      aria-expanded=${String(open)}
      aria-controls=${id}
      onClick=${() => store.set({ display: open ? 'closed' : 'open' })}
      onKeyDown=${key}
    >
      Display
    </button>`,
    html`<div id=${id} class="dv-menu" role="group" aria-label="Display" hidden=${!open} onKeyDown=${key}>
      ${open && children}
    </div>`,
  ];
}
