// @ts-check
/** What the view of a study shows: the defaults, which values fit a study, and the short form for a link. */
import { ANY } from './selecting.js';

/**
 * @typedef {import('./types.js').StudyState} StudyState
 * @typedef {import('./types.js').Place} Place
 * @typedef {import('./columns.js').Columns} Columns
 */

/** @type {Readonly<StudyState>} */
export const DEFAULTS = Object.freeze({
  tab: 'inputs',
  filter: ANY,
  sort: 'errors',
  down: false,
  colour: 'label',
  method: 'pca',
  input: -1,
  place: Object.freeze({ head: 0, layer: 0, feature: 0 }),
  quantity: 'density_attention',
  first: '', // not chosen: the class that the heads tell best
  second: 'others',
  slicing: 'density_attention',
  units: 'auto',
  map: 'difference',
  head: 0,
  certain: true,
});

/** @type {Record<string, (string | boolean)[]>} */
const CHOICES = {
  tab: ['inputs', 'cells', 'slices'],
  sort: ['errors', 'number', 'place', 'label', 'prediction', 'confidence', 'outside', 'seconds', 'score'],
  down: [true, false],
  colour: ['label', 'prediction', 'right', 'confidence', 'score'],
  method: ['pca', 'umap'],
  quantity: ['density_attention', 'gate', 'class_importance', 'values'],
  slicing: ['density_attention', 'gate', 'class_importance'],
  map: ['difference', 'first', 'second'],
  certain: [true, false],
};
/** What another study begins with: the tab that one is on stays. @param {StudyState} state @returns {StudyState} */
export function ofAnother({ tab }) {
  return { ...DEFAULTS, tab };
}

const LONGEST = 100; // characters of a text in a link

/**
 * The part of `wanted` that fits a study; null: only the form counts.
 * @param {any} wanted
 * @param {{columns: Columns, shape: number[], methods: string[], units: string[], selections: Record<string, any>} | null} study
 * @returns {Partial<StudyState>}
 */
export function validState(wanted, study) {
  /** @type {any} */
  const found = {};
  if (!wanted || typeof wanted !== 'object') return found;
  for (const [key, values] of Object.entries(CHOICES)) {
    if (values.includes(wanted[key])) found[key] = wanted[key];
  }
  if (study && found.method && !study.methods.includes(found.method)) delete found.method;
  if (study && found.sort === 'outside' && !study.columns.outside) delete found.sort;
  if (study && found.sort === 'seconds' && !study.columns.seconds) delete found.sort;
  const [heads, layers, features] = study ? study.shape : [Infinity, Infinity, Infinity];
  /** @type {(value: any, size: number) => boolean} */
  const index = (value, size) => Number.isInteger(value) && value >= 0 && value < size;
  if (index(wanted.head, heads)) found.head = wanted.head;
  if (wanted.input === -1 || (study ? study.columns.rows.has(wanted.input) : index(wanted.input, Infinity))) {
    found.input = wanted.input;
  }
  const { place } = wanted;
  if (place && typeof place === 'object') {
    const axes = /** @type {[keyof Place, number][]} */ ([
      ['head', heads],
      ['layer', layers],
      ['feature', features],
    ]);
    if (axes.every(([axis, size]) => place[axis] === null || index(place[axis], size))) {
      found.place = { head: place.head, layer: place.layer, feature: place.feature };
    }
  }
  for (const side of ['first', 'second']) {
    const name = wanted[side];
    if (typeof name === 'string' && isSlice(name, side, study)) found[side] = name;
  }
  const { units } = wanted;
  const dealt = typeof units === 'string' && (!study || ['auto', 'none', ...study.units].includes(units));
  if (dealt) found.units = units;
  if (wanted.filter && typeof wanted.filter === 'object') found.filter = validFilter(wanted.filter, study);
  return found;
}

/** @param {string} name @param {string} side @param {any} study */
function isSlice(name, side, study) {
  if (['all', 'right', 'wrong', 'filter'].includes(name) || (name === '' && side === 'first')) return true;
  if (side === 'second' && ['others', 'none'].includes(name)) return true;
  const [kind, ...rest] = name.split('.');
  const code = /^\d{1,6}$/.test(rest[rest.length - 1] || '') ? Number(rest[rest.length - 1]) : -1;
  if (kind === 'label' || kind === 'prediction') {
    return rest.length === 1 && code >= 0 && (!study || code < study.columns.classes.length);
  }
  if (kind === 'group' && rest.length > 1 && code >= 0) {
    return !study || study.columns.groups[rest.slice(0, -1).join('.')]?.names[code] !== undefined;
  }
  return (
    kind === 'selection' && rest.length > 0 && (!study || Object.hasOwn(study.selections, rest.join('.')))
  );
}

/** @param {any} wanted @param {any} study */
function validFilter(wanted, study) {
  const found = { ...ANY };
  const classes = study ? study.columns.classes.length : Infinity;
  /** @type {(value: any, size: number) => boolean} */
  const index = (value, size) => Number.isInteger(value) && value >= 0 && value < size;
  if (typeof wanted.find === 'string') found.find = wanted.find.slice(0, LONGEST);
  if (index(wanted.label, classes)) found.label = wanted.label;
  if (index(wanted.prediction, classes)) found.prediction = wanted.prediction;
  if (['right', 'wrong'].includes(wanted.right)) found.right = wanted.right;
  const share = (value) => typeof value === 'number' && value >= 0 && value <= 1;
  if (share(wanted.from)) found.from = wanted.from;
  if (share(wanted.to)) found.to = wanted.to;
  const group = typeof wanted.group === 'string' && (!study || study.columns.groups[wanted.group]);
  if (group && index(wanted.value, study ? group.names.length : Infinity)) {
    found.group = wanted.group;
    found.value = wanted.value;
  }
  return found;
}

/** Names in a link; all begin with `d`, so that they are no names of the view of one input. */
const SHORT = /** @type {const} */ ({
  tab: 'dt',
  sort: 'ds',
  down: 'dd',
  colour: 'dc',
  method: 'dm',
  input: 'di',
  place: 'dp',
  quantity: 'dq',
  first: 'da',
  second: 'db',
  slicing: 'dw',
  units: 'du',
  map: 'dv',
  head: 'dh',
  certain: 'dx',
});
const SHORT_FILTER = /** @type {const} */ ({
  find: 'dff',
  label: 'dfl',
  prediction: 'dfp',
  right: 'dfr',
  from: 'df0',
  to: 'df1',
  group: 'dfg',
  value: 'dfv',
});
const NUMBERS = ['input', 'head', 'label', 'prediction', 'from', 'to', 'value'];
const FLAGS = ['down', 'certain'];
const ALL = 'all'; // in place of an index

/**
 * Query string of what differs from the defaults, such as `dt=cells&dp=2.all.164`.
 * @param {any} state
 */
export function stateToQuery(state) {
  const query = new URLSearchParams();
  /** @param {string} key @param {string} name @param {any} value @param {any} usual */
  const say = (key, name, value, usual) => {
    if (value === undefined || JSON.stringify(value) === JSON.stringify(usual)) return;
    if (key === 'place')
      query.set(name, [value.head, value.layer, value.feature].map((v) => v ?? ALL).join('.'));
    else query.set(name, String(value));
  };
  const usual = /** @type {any} */ (DEFAULTS);
  for (const [key, name] of Object.entries(SHORT)) say(key, name, state[key], usual[key]);
  for (const [key, name] of Object.entries(SHORT_FILTER)) {
    say(key, name, state.filter?.[key], /** @type {any} */ (ANY)[key]);
  }
  return query.toString();
}

/**
 * The state that a query string asks for; unknown or malformed parts are left out.
 * @param {string} query
 */
export function queryToState(query) {
  const given = new URLSearchParams(query);
  /** @param {Record<string, string>} names */
  const read = (names) => {
    /** @type {any} */
    const found = {};
    for (const [key, name] of Object.entries(names)) {
      const text = given.get(name);
      if (text === null) continue;
      if (key === 'place') {
        const [head, layer, feature] = text
          .split('.')
          .map((part) => (part === ALL ? null : /^\d{1,9}$/.test(part) ? Number(part) : NaN));
        found.place = { head, layer, feature };
      } else if (FLAGS.includes(key)) found[key] = { true: true, false: false }[text];
      else found[key] = NUMBERS.includes(key) ? Number(text) : text;
    }
    return found;
  };
  const filter = read(SHORT_FILTER);
  const wanted = read(SHORT);
  return validState(Object.keys(filter).length ? { ...wanted, filter } : wanted, null);
}
