// @ts-check
/** What one view of a study holds: columns, state, answers, and who is told of changes. */
import { between, palette } from '../colour.js';
import { Columns, named, unpack } from './columns.js';
import { ANY, fitting, openingSlice, sliceRows, sorted } from './selecting.js';
import { DEFAULTS, validState } from './state.js';

/**
 * @typedef {import('./types.js').StudyPayload} StudyPayload
 * @typedef {import('./types.js').StudyState} StudyState
 * @typedef {import('./types.js').Place} Place
 */

const KEPT = 60; // answers
const GROUP = 'group'; // the column that a study's command names: a speaker, or the thing in a photograph

export class StudyStore {
  /**
   * @param {(changed: Set<string>) => void} changed called with what changed: keys of the state,
   *   'payload', 'answers', 'marked' or 'theme'
   */
  constructor(changed = () => {}) {
    this.changed = changed;
    /** @type {StudyPayload | null} */
    this.payload = null;
    /** @type {Columns} only there with a payload */
    this.columns = /** @type {any} */ (null);
    /** @type {StudyState} */
    this.state = { ...DEFAULTS };
    /** @type {import('./types.js').Source | null} */
    this.source = null;
    /** @type {Uint8Array | null} 1 for each row that was marked on the plane */
    this.marked = null;
    /** @type {Record<string, ArrayLike<number>>} numbers of inputs by name */
    this.selections = {};
    /** @type {{name: string, reason: string} | null} what the table shows was called this; reason: as of `select` */
    this.called = null;
    /** @type {{name: string, inputs: ArrayLike<number>, at: number} | null} what can be put back, and its place */
    this.dropped = null;
    /** @type {Map<string, {value?: any, error?: string}>} */
    this.answers = new Map();
    /** @type {((place: Place, quantity: string) => number | null) | null} */
    this.current = null;
    /** @type {(() => Place | null) | null} the cell chosen in the view of one input */
    this.cell = null;
    this.placed = false; // whether anybody chose a place
    this.sought = ''; // the part of the inputs' page that comes into sight when it is drawn
    /** @type {((number: number) => void) | null} asks for an input's explanation */
    this.explain = null;
    this.dark = false;
    this.whole = false; // as in the other store
    /** @type {{key: string, marked: any, scores: any, rows: Int32Array}[]} */
    this.ready = [];
  }

  /** @param {StudyPayload | null} payload */
  setPayload(payload) {
    if (payload && payload.version !== 1) {
      throw new Error(`<daam-study> reads payloads of version 1, got ${payload.version}.`);
    }
    this.payload = payload;
    this.answers.clear();
    this.ready = [];
    this.marked = null;
    this.called = null;
    this.dropped = null;
    if (payload) {
      this.columns = new Columns(payload);
      this.selections = named(
        Object.entries(payload.selections).map(([name, packed]) => [name, unpack(packed)]),
      );
      const kept = validState(this.state, this.facts());
      this.placed = this.placed && 'place' in kept;
      this.state = { ...DEFAULTS, ...kept };
    }
    this.changed(new Set(['payload']));
  }

  facts() {
    const { payload, columns, selections } = this;
    return (
      payload && {
        columns,
        shape: payload.facts.shape,
        methods: payload.methods,
        units: payload.units,
        selections,
      }
    );
  }

  /** Changes what is shown; values that do not fit are ignored. @param {any} wanted */
  set(wanted) {
    /** @type {any} */
    const next = { ...this.state, ...validState(wanted, this.facts()) };
    /** @type {any} */
    const before = this.state;
    const changed = [];
    for (const key of Object.keys(next)) {
      if (JSON.stringify(next[key]) !== JSON.stringify(before[key])) changed.push(key);
      else next[key] = before[key]; // what did not change stays the same object
    }
    if (changed.includes('place')) this.placed = true;
    if (changed.includes('filter')) this.called = null;
    if (!changed.length) return;
    this.state = next;
    this.changed(new Set(changed));
  }

  /** @param {Partial<import('./types.js').Filter>} filter */
  narrow(filter) {
    this.set({ filter: { ...this.state.filter, ...filter } });
  }

  clear() {
    this.marked = null;
    this.called = null;
    this.state = { ...this.state, filter: ANY };
    this.changed(new Set(['filter', 'marked']));
  }

  /** @param {Uint8Array | null} marked */
  mark(marked) {
    this.marked = marked;
    this.called = null;
    this.changed(new Set(['marked']));
  }

  filtering() {
    return Boolean(this.marked) || JSON.stringify(this.state.filter) !== JSON.stringify(ANY);
  }

  /** Rows that the filter and the marks leave, rising. */
  fitting() {
    return this.#kept(`fitting ${JSON.stringify(this.state.filter)}`, null, () =>
      fitting(this.columns, this.state.filter, this.marked),
    );
  }

  /** The same in the order of the table. */
  rows() {
    const { sort, down } = this.state;
    const { place, quantity } = this.state;
    // Asked for where nobody did yet, such as after a link.
    const scores =
      sort === 'score' ? (this.answer('place', { ...place, quantity })?.value?.data ?? null) : null;
    return this.#kept(`rows ${JSON.stringify(this.state.filter)} ${sort} ${down}`, scores, () =>
      sorted(this.columns, this.fitting(), sort, down, scores),
    );
  }

  /** @param {string} key @param {any} scores @param {() => Int32Array} compute */
  #kept(key, scores, compute) {
    const { marked } = this;
    const found = this.ready.find((one) => one.key === key && one.marked === marked && one.scores === scores);
    if (found) return found.rows;
    const rows = compute();
    this.ready = [{ key, marked, scores, rows }, ...this.ready].slice(0, 6);
    return rows;
  }

  /** Row of the chosen input, or −1. */
  row() {
    return this.columns.rows.get(this.state.input) ?? -1;
  }

  /** Scores of the chosen place, if they are here. @returns {Float32Array | null} */
  scores() {
    const { place, quantity } = this.state;
    return this.answers.get(keyOf('place', { ...place, quantity }))?.value?.data ?? null;
  }

  /**
   * An answer of whoever knows the study: there at once where it was asked before.
   * @param {string} question
   * @param {Record<string, any>} asked
   * @returns {{value?: any, error?: string} | null} null while it is on its way
   */
  answer(question, asked) {
    const key = keyOf(question, asked);
    const found = this.answers.get(key);
    if (found) return found.value || found.error ? found : null;
    if (!this.source) return { error: 'Nobody is here to ask.' };
    /** @type {{value?: any, error?: string}} */
    const entry = {};
    this.answers.set(key, entry);
    if (this.answers.size > KEPT) this.answers.delete(this.answers.keys().next().value ?? '');
    this.source
      .ask(question, asked)
      .then((value) => {
        entry.value = prepared(question, value);
      })
      .catch((error) => {
        entry.error = String(error?.message || 'There was no answer.');
        // What went wrong once may go right when it is asked for again.
        setTimeout(() => this.answers.get(key) === entry && this.answers.delete(key), 5000);
      })
      .then(() => this.changed(new Set(['answers'])));
    return null;
  }

  /** The first slice that is compared; empty until it is known which. */
  first() {
    if (this.state.first) return this.state.first;
    const telling = this.answer('telling', {});
    return telling && openingSlice(this.columns, telling.value || []);
  }

  /** Names the inputs of the table; the answer says why they are not kept with the study, if so. @param {string} name */
  async select(name) {
    const reason = await this.#keep(name, Int32Array.from(this.numbersOf(this.fitting())));
    this.called = { name, reason };
    this.changed(new Set(['answers']));
    return reason;
  }

  /** @param {string} name @param {ArrayLike<number>} inputs @param {number} [at] its place among the others */
  async #keep(name, inputs, at = Infinity) {
    const { reason } = this.source
      ? await this.source.ask('keep', { name, numbers: Array.from(inputs) })
      : { reason: 'nobody is here who could' };
    const others = Object.entries(this.selections);
    if (name in this.selections)
      this.selections[name] = inputs; // it stays where it is
    else this.selections = named([...others.slice(0, at), [name, inputs], ...others.slice(at)]);
    if (this.dropped?.name === name) this.dropped = null; // its name is taken
    return reason;
  }

  /** Shows the inputs of a selection alone. @param {string} name */
  showSelection(name) {
    const marked = new Uint8Array(this.columns.count);
    for (const number of Array.from(this.selections[name] || [])) {
      const row = this.columns.rows.get(number);
      if (row !== undefined) marked[row] = 1;
    }
    this.clear();
    this.mark(marked);
  }

  /** Removes a selection; the answer says why it stays with the study, if so. @param {string} name */
  async drop(name) {
    const { reason } = this.source
      ? await this.source.ask('drop', { name })
      : { reason: 'nobody is here who could' };
    this.dropped = { name, inputs: this.selections[name], at: Object.keys(this.selections).indexOf(name) };
    this.selections = named(Object.entries(this.selections).filter(([other]) => other !== name));
    if (this.called?.name === name) this.called = null;
    this.changed(new Set(['answers']));
    return reason;
  }

  /** Puts the selection back that was removed last; the answer says why it is not kept with the study, if so. */
  async undrop() {
    if (!this.dropped) return '';
    const { name, inputs, at } = this.dropped;
    const reason = await this.#keep(name, inputs, at);
    this.changed(new Set(['answers']));
    return reason;
  }

  /**
   * Gives a selection another name; the answer says why it stays as it was with the study, if so.
   * @param {string} name
   * @param {string} other
   */
  async rename(name, other) {
    if (other !== name && other in this.selections) {
      throw new Error(`There is a selection “${other}” already; give another name, or remove that one.`);
    }
    const { reason } = this.source
      ? await this.source.ask('rename', { name, other })
      : { reason: 'nobody is here who could' };
    this.selections = named(
      Object.entries(this.selections).map(([one, inputs]) => [one === name ? other : one, inputs]),
    );
    if (this.called?.name === name) this.called = { ...this.called, name: other };
    if (this.dropped?.name === other) this.dropped = null;
    /** @param {string} slice */
    const followed = (slice) => (slice === `selection.${name}` ? `selection.${other}` : slice);
    const { first, second } = this.state;
    this.state = { ...this.state, first: followed(first), second: followed(second) };
    this.changed(new Set(['answers', 'first']));
    return reason;
  }

  /** What files of its figures are called by, and the line under their titles. */
  names() {
    const { model, data } = /** @type {StudyPayload} */ (this.payload).facts;
    return { model, study: /** @type {StudyPayload} */ (this.payload).name, line: `${model} on ${data}` };
  }

  /** The column whose values a comparison deals as wholes; empty: single inputs. */
  units() {
    const { first, second, units } = this.state;
    if (units !== 'auto') return units === 'none' ? '' : units;
    // Groups that are compared with each other cannot be dealt as wholes.
    const own = [first, second].some((name) => name.startsWith(`group.${GROUP}.`));
    return !own && this.payload?.units.includes(GROUP) ? GROUP : '';
  }

  /** Rows of both slices that are compared; null where there is no such slice. */
  slices() {
    const { second } = this.state;
    const first = this.first() || '';
    const known = { filtered: this.fitting(), selections: this.selections };
    const one = sliceRows(this.columns, first, known);
    const other = second === 'none' ? null : sliceRows(this.columns, second, { ...known, others: one });
    return [one, other];
  }

  /** @param {ArrayLike<number>} rows */
  numbersOf(rows) {
    return Array.from(rows, (row) => this.columns.number[row]);
  }

  /** The nine colours that signed numbers go through. */
  anchors() {
    if (!this.payload) return [];
    const { diverging, diverging_dark } = this.payload.colours;
    return this.dark ? diverging_dark : diverging;
  }

  /** @param {boolean} signed */
  table(signed) {
    return signed ? between(this.anchors()) : palette('cividis');
  }

  /** @param {boolean} dark */
  setDark(dark) {
    if (dark === this.dark) return;
    this.dark = dark;
    this.changed(new Set(['theme']));
  }

  /**
   * Goes to the table of all inputs or to their plane, which then comes into sight.
   * @param {'table' | 'plane'} part
   * @param {any} wanted
   */
  show(part, wanted) {
    this.sought = part;
    this.set({ tab: 'inputs', ...wanted });
    // An input that the filter leaves out would not be in the table.
    if ('input' in wanted && this.rows().indexOf(this.row()) < 0) this.clear();
  }

  /** Goes to the page of a place. @param {Place} place @param {string} [quantity] */
  goTo(place, quantity) {
    this.set({ tab: 'cells', place, ...(quantity ? { quantity } : {}) });
  }
}

/** @param {string} question @param {Record<string, any>} asked */
export function keyOf(question, asked) {
  return `${question} ${JSON.stringify(asked)}`;
}

/** An answer with its arrays. @param {string} question @param {any} value */
function prepared(question, value) {
  if (question === 'place') return { ...value, data: unpack(value.scores) };
  if (question === 'projection') return { ...value, x: unpack(value.x), y: unpack(value.y) };
  if (question !== 'slices') return value;
  const arrays = ['first', 'second', 'difference', 'q'].map((key) => [key, value[key] && unpack(value[key])]);
  return { ...value, ...Object.fromEntries(arrays) };
}

/** A place in words. @param {Place} place */
export function placeName({ head, layer, feature }) {
  const said = [
    ['head', head],
    ['layer', layer],
    ['feature', feature],
  ].filter(([, index]) => index !== null);
  const text = said.map(([axis, index]) => `${axis} ${index}`).join(', ');
  return text ? text[0].toUpperCase() + text.slice(1) : 'All cells';
}
