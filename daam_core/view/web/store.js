// @ts-check
/** What one view holds: payload, decoded results, state, and who is told of changes. */
import { range } from './arrays.js';
import { between, palette } from './colour.js';
import { pinIndex } from './pins.js';
import { Result } from './result.js';
import { comparable, DEFAULTS, firstQuantity, validState } from './state.js';

/**
 * @typedef {import('./types.js').Payload} Payload
 * @typedef {import('./types.js').State} State
 * @typedef {import('./types.js').AnySide} AnySide
 * @typedef {import('./types.js').Side} Side
 * @typedef {import('./types.js').HeadCell} HeadCell
 */

/** @param {import('./types.js').Explained} raw */
export function axesOf({ axis_names: [row, column] = ['layer', 'feature'] }) {
  const begins = (/** @type {string} */ name) => name[0].toUpperCase() + name.slice(1);
  return { row, column, Row: begins(row), Column: begins(column), rows: `${row}s`, columns: `${column}s` };
}

/** The same for results in whose maps a row and a column are the same place. @param {Result} result */
function placeOf({ raw }) {
  return JSON.stringify([raw.checkpoint, raw.shape]);
}

/**
 * The first two heads that see a layer in common; the first two where none do.
 * @param {Result} result
 * @returns {[number, number]}
 */
export function firstPair(result) {
  for (const one of range(result.H)) {
    for (const other of range(result.H)) {
      const common = range(result.L).some((l) => result.seen(one, l) && result.seen(other, l));
      if (other > one && common) return [one, other];
    }
  }
  return [0, 1];
}

export class Store {
  /**
   * @param {(changed: Set<string>) => void} [changed] called with what changed: keys of the state,
   *   'payload', 'arrays' or 'theme'
   * @param {(cell: HeadCell) => void} [selected] called after a cell was chosen
   */
  constructor(changed = () => {}, selected = () => {}) {
    this.changed = changed;
    this.selected = selected;
    /** @type {State} */
    this.state = { ...DEFAULTS };
    /** @type {Payload | null} */
    this.payload = null;
    /** @type {any} results of A and, where there is one, B; sections are only drawn with an A */
    this.a = null;
    /** @type {any} */
    this.b = null;
    /** @type {import('./result.js').Load | null} */
    this.load = null;
    /** @type {HeadCell | null} the cell under the pointer or the keyboard's cursor */
    this.hover = null;
    /** @type {Set<import('./heatmap.js').HeatMap>} maps that are on screen */
    this.maps = new Set();
    /** @type {Set<() => void>} */
    this.hoverListeners = new Set();
    /** @type {Map<string, import('./types.js').Pin[]>} pins in other models' maps, by checkpoint */
    this.otherPins = new Map();
    /** @type {((index: number) => void) | null} asks for another class; null where nobody answers */
    this.askTarget = null;
    this.dark = false;
    this.whole = false; // nothing of what is shown is drawn a little later
    this.serial = 0; // of the payload
    this.frame = 0;
  }

  /** @param {Payload | string | null} payload */
  setPayload(payload) {
    /** @type {Payload | null} */
    const given = typeof payload === 'string' ? JSON.parse(payload) : payload;
    if (given && given.version !== 2) {
      throw new Error(`<daam-view> reads payloads of version 2, got ${given.version}.`);
    }
    const shown = this.payload && placeOf(this.result());
    const before = this.payload?.a.checkpoint;
    this.payload = given?.a ? given : null;
    const after = this.payload?.a.checkpoint;
    if (before !== undefined && after !== undefined && before !== after) {
      // What was noted of one model's cells says nothing of another's.
      this.otherPins.set(before, this.state.pins);
      this.state = { ...this.state, pins: this.otherPins.get(after) || [] };
    }
    const { a, b } = this.payload || { a: null, b: null };
    const arrived = () => this.arrived();
    this.a = a && new Result(a, 'a', this.load, arrived);
    this.b = b && new Result(b, 'b', this.load, arrived);
    this.hover = null;
    if (this.payload) this.state = { ...DEFAULTS, ...validState(this.state, this.payload) };
    if (shown && this.payload && shown !== placeOf(this.result())) {
      this.state = { ...this.state, zoom: null, cell: null };
    }
    this.serial += 1;
    this.changed(new Set(['payload']));
  }

  /**
   * Shows what another store shows, with every array that it was sent so far.
   * @param {Store} other
   */
  follow(other) {
    this.setPayload(other.payload);
    for (const side of /** @type {Side[]} */ (['a', 'b'])) {
      const [own, theirs] = [this[side], other[side]];
      if (own) Object.assign(own, { arrays: theirs.arrays, exactHeads: theirs.exactHeads });
    }
    this.set(other.state);
  }

  /**
   * Changes what is shown; values that do not fit are ignored.
   * @param {any} wanted
   */
  set(wanted) {
    const valid = validState({ side: this.state.side, ...wanted }, this.payload);
    // The other result may have fewer heads or layers: what it does not have goes back to its default.
    /** @type {any} */
    const next = { ...DEFAULTS, ...validState({ ...this.state, ...valid }, this.payload) };
    /** @type {any} */
    const before = this.state;
    if (next.side !== before.side && this.b && String(this.a.raw.shape) !== String(this.b.raw.shape)) {
      // A part of one's maps is another part, and looks like the whole, of the other's.
      for (const key of ['zoom', 'cell']) next[key] = /** @type {any} */ (valid)[key] ?? null;
    }
    const changed = [];
    for (const key of Object.keys(next)) {
      if (JSON.stringify(next[key]) !== JSON.stringify(before[key])) changed.push(key);
      else next[key] = before[key]; // what did not change stays the same object
    }
    if (!changed.length) return;
    this.state = next;
    if (changed.includes('side')) this.hover = null; // may not be there
    this.changed(new Set(changed));
  }

  /** Told of once a frame, however many arrays come. */
  arrived() {
    for (const result of [this.a, this.b]) result?.cache.clear(); // differences are kept with A
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.changed(new Set(['arrays']));
    });
  }

  /** @param {HeadCell | null} hover */
  setHover(hover) {
    this.hover = hover;
    for (const listener of this.hoverListeners) listener();
  }

  /**
   * Chooses a cell: remembers head and place, and tells whoever asked to know.
   * @param {HeadCell} cell
   * @param {string} [tab] to go to
   */
  select({ head, layer, feature }, tab) {
    const { zoom } = this.state;
    const inside = !zoom || (feature >= zoom.x0 && feature < zoom.x1 && layer >= zoom.y0 && layer < zoom.y1);
    // Whoever goes to a cell sees it there.
    const there = tab ? { tab, zoom: inside ? zoom : null } : {};
    this.set({ head, cell: { layer, feature }, ...there });
    this.selected({ head, layer, feature });
  }

  /** Pins on the maps that are shown: those of A's model. @returns {import('./types.js').Pin[]} */
  pins() {
    return this.state.side === 'b' && this.twoModels() ? [] : this.state.pins;
  }

  /**
   * Pins a cell, changes its note, or, with null for a note, takes it off.
   * @param {HeadCell} cell
   * @param {string | null} note
   */
  pin({ head, layer, feature }, note) {
    const pins = this.state.pins.slice();
    const at = pinIndex(pins, { head, layer, feature });
    const changed = note === null ? [] : [{ head, layer, feature, note }];
    pins.splice(at < 0 ? pins.length : at, at < 0 ? 0 : 1, ...changed);
    this.set({ pins });
  }

  /** The map that is shown. @returns {import('./types.js').Quantity} */
  get quantity() {
    return this.state.quantity ?? firstQuantity(this.payload);
  }

  /** The head of the single map: the chosen one, or the one to look at first. @returns {number} */
  get head() {
    const { head, tab } = this.state;
    return head ?? this.result().firstHead(tab === 'dataset' ? 'importance' : this.quantity);
  }

  /** Whether the map that is shown is about the explained class. */
  get ofClass() {
    return Boolean(this.quantities[this.quantity]?.signed);
  }

  /** What the maps are called, by name. */
  get quantities() {
    return this.payload?.quantities ?? {};
  }

  /** The result that `side` names; a difference is shown with the cells of A. @returns {Result} */
  result() {
    return this.state.side === 'b' && this.b ? this.b : this.a;
  }

  /** What rows and columns of the maps are called, and how that begins a sentence or stands for several. */
  axes() {
    return axesOf(this.result().raw);
  }

  /** The sides that are shown: both for a difference. @returns {Side[]} */
  sides() {
    const { side } = this.state;
    return side === 'difference' ? ['a', 'b'] : [side];
  }

  /** Whether the difference of two results is shown. */
  isDifference() {
    return this.state.side === 'difference';
  }

  canSubtract() {
    return comparable(this.payload);
  }

  /**
   * The whole name of a result, for captions; the difference is called by its letters.
   * @param {AnySide} side
   */
  label(side) {
    if (side === 'difference') return this.letter(side);
    const { letter, name } = this[side].raw;
    return name ? `${letter}: ${name}` : letter;
  }

  /** The short name, for tables and readouts. @param {AnySide} side @returns {string} */
  letter(side) {
    if (side === 'difference') return `${this.letter('b')} − ${this.letter('a')}`;
    return this[side].raw.letter;
  }

  /** What an input is called beside others. @param {Side} side */
  inputName(side) {
    return this.b ? this.label(side) : 'This input';
  }

  /** Whether A and B come from two classifiers, so that head h of one is not head h of the other. */
  twoModels() {
    return Boolean(this.b) && ['model', 'checkpoint'].some((key) => this.a.raw[key] !== this.b.raw[key]);
  }

  /** Said where a difference is about a class and the two results explain different ones. */
  classesApart() {
    const [one, other] = [this.a, this.b].map((result) => result.explainedClass());
    return one === other ? '' : `“${other}” minus “${one}”: the two explain different classes.`;
  }

  /** Heads shown side by side, in the order asked for. */
  shownHeads() {
    const result = this.result();
    const order = this.state.order === 'contribution' ? result.byContribution() : range(result.H);
    const { heads } = this.state;
    return heads ? order.filter((h) => heads.includes(h)) : order.slice(0, 8);
  }

  /** Heads of the difference map. */
  pair() {
    return this.state.pair || firstPair(this.result());
  }

  /** Colours of signed numbers, or of those that go up from nothing. @param {boolean} signed */
  colours(signed) {
    return signed ? between(this.anchors()) : palette(this.state.palette);
  }

  /** Who answers requests for exact arrays, if anybody. @param {import('./result.js').Load | null} load */
  setLoad(load) {
    this.load = load;
    for (const result of [this.a, this.b]) if (result) result.load = load;
  }

  /** Turned dark or light: what is drawn on canvases is drawn again. @param {boolean} dark */
  setDark(dark) {
    if (dark === this.dark) return;
    this.dark = dark;
    for (const result of [this.a, this.b]) result?.cache.clear(); // colour scales among it
    this.changed(new Set(['theme']));
  }

  /** The nine colours that signed numbers go through; those of nothing are like the page. */
  anchors() {
    if (!this.payload) return [];
    const { diverging, diverging_dark } = this.payload.colours;
    return this.dark && diverging_dark ? diverging_dark : diverging;
  }
}
