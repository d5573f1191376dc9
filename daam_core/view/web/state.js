// @ts-check
/** What is shown: the defaults, which values fit an explanation, and the short form for a link. */
import { MOST_PINS, pinOf, pinTexts, validPins } from './pins.js';

/**
 * @typedef {import('./types.js').State} State
 * @typedef {import('./types.js').Payload} Payload
 */

export const SECTIONS = [
  'summary',
  'heatmap',
  'heads',
  'cell',
  'parameters',
  'layers',
  'input',
  'dataset',
  'compare',
];

/** @type {Readonly<State>} */
export const DEFAULTS = Object.freeze({
  tab: 'heads', // section shown by a view with tabs
  quantity: null, // null: the map that decides most, see firstQuantity
  scale: 'all_heads',
  colours: 'linear',
  palette: 'cividis', // signed maps always diverge from zero
  binning: 'max',
  side: 'a', // difference is b − a
  head: null, // the head of the single map, token attribution excepted; null: see firstHead in result.js
  heads: null, // heads shown side by side, 1 to 8; null: all, or the first 8 in the order asked for
  order: 'index',
  pair: null, // heads of the difference map; null: the first two that share a layer
  cell: null,
  zoom: null, // null: everything, or the layers that hold nearly all of a map, by the next
  layers: 'active',
  tokenHead: -1, // -1: all heads together
  tokenMode: 'signed',
  opacity: 0.6, // of the overlay on a picture
  layerChart: 'bars',
  top: 10, // rows of "top" tables
  display: 'closed', // the menu of how things are drawn
  pins: [], // cells to come back to, with a note each
});

/**
 * The map that is shown unless another one is asked for: evidence where there is such, since with joint
 * gates the Importance Factor says which heads and layers count, and hardly which cells.
 * @param {Payload | null} payload
 * @returns {import('./types.js').Quantity}
 */
export function firstQuantity(payload) {
  return payload?.quantities?.evidence ? 'evidence' : 'importance';
}

/** @type {Record<string, string[]>} */
const CHOICES = {
  tab: SECTIONS,
  quantity: ['importance', 'density_attention', 'gate', 'class_importance', 'evidence'],
  scale: ['all_heads', 'per_head'],
  colours: ['linear', 'log', 'rank', 'layer'],
  palette: ['cividis', 'viridis', 'grey'],
  binning: ['max', 'mean'],
  side: ['a', 'b', 'difference'],
  order: ['index', 'contribution'],
  tokenMode: ['signed', 'absolute'],
  layerChart: ['bars', 'lines'],
  layers: ['active', 'all'],
  display: ['closed', 'open'],
};

/**
 * The part of `wanted` that is a valid state for the explanation; what does not fit is left out.
 * @param {any} wanted
 * @param {Payload | null} payload null: only the form counts
 * @returns {Partial<State>}
 */
export function validState(wanted, payload) {
  /** @type {any} */
  const found = {};
  if (!wanted || typeof wanted !== 'object') return found;
  for (const [key, values] of Object.entries(CHOICES)) {
    if (values.includes(wanted[key])) found[key] = wanted[key];
  }
  /** @type {(one: any) => boolean} */
  const lacking = (one) => Boolean(one) && !one.arrays?.evidence; // only the density decoder has it
  if (found.quantity === 'evidence' && payload && (lacking(payload.a) || lacking(payload.b))) {
    delete found.quantity;
  }
  if (payload && found.side !== 'a' && !payload.b) delete found.side;
  if (payload && found.side === 'difference' && !comparable(payload)) delete found.side;
  const shown = payload && (found.side === 'b' ? payload.b : payload.a);
  const [heads, layers, features] = shown ? shown.shape : [Infinity, Infinity, Infinity];
  /** @type {(value: any, size: number) => boolean} */
  const index = (value, size) => Number.isInteger(value) && value >= 0 && value < size;
  if (index(wanted.head, heads)) found.head = wanted.head;
  if (wanted.tokenHead === -1 || index(wanted.tokenHead, heads)) found.tokenHead = wanted.tokenHead;
  if (typeof wanted.opacity === 'number' && wanted.opacity >= 0 && wanted.opacity <= 1) {
    found.opacity = wanted.opacity;
  }
  if (Number.isInteger(wanted.top) && wanted.top >= 1 && wanted.top <= 100) found.top = wanted.top;
  for (const key of ['head', 'heads', 'pair', 'cell', 'zoom']) if (wanted[key] === null) found[key] = null;
  if (Array.isArray(wanted.heads)) {
    const list = Array.from(new Set(wanted.heads)).filter((head) => index(head, heads));
    if (list.length) found.heads = list.slice(0, 8);
  }
  if (Array.isArray(wanted.pair)) {
    const list = wanted.pair.filter((head) => index(head, heads));
    if (list.length === 2) found.pair = list;
  }
  const { cell, zoom } = wanted;
  if (cell && index(cell.layer, layers) && index(cell.feature, features)) {
    found.cell = { layer: cell.layer, feature: cell.feature };
  }
  if (zoom && inside(zoom.x0, zoom.x1, features) && inside(zoom.y0, zoom.y1, layers)) {
    found.zoom = { x0: zoom.x0, x1: zoom.x1, y0: zoom.y0, y1: zoom.y1 };
  }
  if (Array.isArray(wanted.pins)) {
    const shapes = payload ? [payload.a, payload.b].flatMap((one) => (one ? [one.shape] : [])) : null;
    found.pins = validPins(wanted.pins, shapes);
  }
  return found;
}

/**
 * @param {any} from
 * @param {any} to
 * @param {number} size
 */
function inside(from, to, size) {
  return Number.isFinite(from) && Number.isFinite(to) && from >= 0 && to > from && to <= size;
}

/**
 * Whether the two explanations can be subtracted: inputs of one kind, maps of one shape.
 * @param {Payload | null} payload
 */
export function comparable(payload) {
  return Boolean(payload?.b) && ['shape', 'modality'].every((key) => same(payload, key));
}

/**
 * @param {any} payload
 * @param {string} key
 */
function same(payload, key) {
  return JSON.stringify(payload.a[key]) === JSON.stringify(payload.b[key]);
}

/** @type {Record<string, string>} */
const SHORT = {
  tab: 't',
  quantity: 'q',
  scale: 's',
  colours: 'c',
  palette: 'p',
  binning: 'b',
  side: 'x',
  head: 'h',
  heads: 'hs',
  order: 'o',
  pair: 'pr',
  cell: 'cell',
  zoom: 'z',
  layers: 'ly',
  tokenHead: 'th',
  tokenMode: 'tm',
  opacity: 'op',
  layerChart: 'lc',
  top: 'n',
  display: 'd',
  pins: 'pin',
};

/** What each part of a link is called where it is not to be had. @type {Record<string, string>} */
const SAID = {
  tab: 'the tab',
  quantity: 'the map',
  scale: 'the scale',
  colours: 'the colours',
  palette: 'the palette',
  binning: 'the binning',
  side: 'the side',
  head: 'head',
  heads: 'heads',
  order: 'the order of heads',
  pair: 'the difference of heads',
  cell: 'the cell',
  zoom: 'the part of the maps',
  layers: 'the layers',
  tokenHead: 'the tokens of head',
  tokenMode: 'the tokens’ colours',
  opacity: 'the opacity',
  layerChart: 'the chart of layers',
  top: 'the number of rows',
  display: 'the menu',
  pins: 'the pinned cell',
};

/**
 * A part of a link in words.
 * @param {string} key
 * @param {string} text
 * @param {Payload} payload
 */
function partInWords(key, text, { a }) {
  if (key === 'side' && CHOICES.side.includes(text)) return 'a second result to compare with';
  if (key === 'cell' && /^\d+\.\d+$/.test(text)) {
    const [row, column] = a.axis_names ?? ['layer', 'feature'];
    const [one, two] = text.slice(0, 40).split('.');
    return `the cell at ${row} ${one}, ${column} ${two}`;
  }
  return `${SAID[key]} “${text.slice(0, 40)}”`;
}

/**
 * Query string of what differs from the defaults, such as `q=gate&cell=3.17`.
 * @param {any} state
 */
export function stateToQuery(state) {
  const query = new URLSearchParams();
  for (const [key, name] of Object.entries(SHORT)) {
    const value = state[key];
    const unchanged = JSON.stringify(value) === JSON.stringify(/** @type {any} */ (DEFAULTS)[key]);
    if (value === undefined || value === null || unchanged) continue;
    let text = String(value);
    if (key === 'pins') {
      for (const one of pinTexts(value)) query.append(name, one);
      continue;
    }
    if (Array.isArray(value)) text = value.join('.');
    else if (key === 'cell') text = `${value.layer}.${value.feature}`;
    else if (key === 'zoom') {
      text = [value.x0, value.x1, value.y0, value.y1].map((v) => Number(v.toFixed(2))).join('_');
    }
    query.set(name, text);
  }
  return query.toString();
}

/**
 * The state a query string asks for; unknown or malformed parts are left out.
 * @param {string} query
 */
export function queryToState(query) {
  const given = new URLSearchParams(query);
  /** @type {any} */
  const state = {};
  for (const [key, name] of Object.entries(SHORT)) {
    const text = given.get(name);
    if (text === null) continue;
    if (key === 'pins') {
      state.pins = given.getAll(name).map(pinOf);
      continue;
    }
    const [one, two, three, four] = text.split(key === 'zoom' ? '_' : '.').map(Number);
    if (key === 'cell') state.cell = { layer: one, feature: two };
    else if (key === 'zoom') state.zoom = { x0: one, x1: two, y0: three, y1: four };
    else if (key === 'heads' || key === 'pair') state[key] = text.split('.').map(Number);
    else if (key in CHOICES) state[key] = text;
    else state[key] = Number(text);
  }
  return validState(state, null);
}

/**
 * Parts of a query that ask for a state which the payload does not have, in words.
 * @param {string} query
 * @param {Payload} payload
 * @returns {string[]}
 */
export function unknownParts(query, payload) {
  const given = new URLSearchParams(query);
  const { side = 'a' } = queryToState(query);
  return Object.entries(SHORT).flatMap(([key, name]) =>
    given.getAll(name).flatMap((text, i) => {
      if (i > 0 && key !== 'pins') return [];
      const alone = queryToState(`${name}=${encodeURIComponent(text)}`);
      const fitting = /** @type {any} */ (validState({ side, ...alone }, payload));
      const known = key in alone && key in fitting && fitting.pins?.length !== 0 && i < MOST_PINS;
      return known ? [] : [partInWords(key, text, payload)];
    }),
  );
}
