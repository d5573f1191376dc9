// @ts-check
/** One explanation with its arrays decoded, its maps computed when asked for and kept. */
import { decode, range, sum } from './arrays.js';

/**
 * @typedef {import('./types.js').Explained} Explained
 * @typedef {import('./types.js').Side} Side
 * @typedef {(side: Side, name: string, head: number | null) => Promise<import('./types.js').Encoded | null>} Load
 * @typedef {import('./arrays.js').Decoded} Kept
 */

export const OPEN = 0.9; // a gate above this everywhere lets everything through, as in the sentences

const ROUNDING = 1e-3; // percent: shares that differ by less are equal, as in daam_core.reading.heads

const SIGNED = ['class_importance', 'evidence'];
const PER_HEAD = [
  'gate',
  'density_attention',
  'class_importance',
  'evidence',
  'dataset_gate',
  'dataset_density_attention',
];

export class Result {
  /**
   * @param {Explained} raw
   * @param {Side} side
   * @param {Load | null} load asks for an exact array; null where nobody answers
   * @param {() => void} arrived called after each array that came
   */
  constructor(raw, side, load = null, arrived = () => {}) {
    this.raw = raw;
    this.side = side;
    this.load = load;
    this.arrived = arrived;
    const [H, L, F] = raw.shape;
    this.H = H;
    this.L = L;
    this.F = F;
    /** @type {Record<string, Kept>} */
    this.arrays = {};
    /** @type {Record<string, Set<number>>} heads whose part of an array is here exactly */
    this.exactHeads = {};
    /** @type {Map<string, Promise<boolean>>} */
    this.pending = new Map();
    /** @type {Map<string, any>} */
    this.cache = new Map();
    for (const [name, spec] of Object.entries(raw.arrays)) {
      const array = decode(spec);
      this.arrays[name] = array;
      this.exactHeads[name] = new Set(array.exact ? range(this.H) : []);
    }
  }

  /**
   * @param {number} head
   * @param {number} layer
   */
  seen(head, layer) {
    return this.raw.head_layers[head][layer];
  }

  /** Whole array by name, or null when the payload leaves it out. @param {string} name */
  array(name) {
    return this.arrays[name] ? this.arrays[name].data : null;
  }

  /**
   * One head's part of an array, or null when it is not here (yet).
   * @param {string} name
   * @param {number} head
   */
  headArray(name, head) {
    const data = this.array(name);
    if (data && this.arrays[name].lazy && !this.exactHeads[name].has(head)) return null;
    const size = this.L * this.F;
    return data ? data.subarray(head * size, (head + 1) * size) : null;
  }

  /**
   * Array behind a quantity: the one whose presence and exactness decide.
   * @param {string} quantity
   * @param {boolean} dataset
   */
  basis(quantity, dataset) {
    if (quantity === 'class_importance' || quantity === 'evidence') return quantity;
    const prefix = dataset ? 'dataset_' : '';
    if (quantity === 'values') return `${prefix}values`;
    const density = `${prefix}density_attention`;
    return quantity !== 'gate' && this.arrays[density] ? density : `${prefix}gate`;
  }

  /**
   * @param {string} quantity
   * @param {number} head
   * @param {boolean} dataset
   */
  isExact(quantity, head, dataset = false) {
    const heads = this.exactHeads[this.basis(quantity, dataset)];
    return Boolean(heads?.has(head));
  }

  /**
   * Density attention of one head [L·F] float32, or null.
   * @param {number} head
   * @param {boolean} dataset
   * @returns {Float32Array | null}
   */
  density(head, dataset) {
    const prefix = dataset ? 'dataset_' : '';
    if (this.arrays[`${prefix}density_attention`]) {
      return this.headArray(`${prefix}density_attention`, head);
    }
    return this.cached(`${prefix}da ${head}`, () => {
      const gate = this.headArray(`${prefix}gate`, head);
      if (!gate) return null;
      const out = new Float32Array(gate.length);
      for (let l = 0; l < this.L; l += 1) {
        const amplitude = this.raw.amplitude[head][l];
        for (let i = l * this.F; i < (l + 1) * this.F; i += 1) out[i] = amplitude * gate[i];
      }
      return out;
    });
  }

  /**
   * One head's map [L·F] float32 of a quantity, or null when it is not in the payload.
   * @param {string} quantity
   * @param {number} head
   * @param {string} scale
   * @param {boolean} dataset
   * @returns {Float32Array | null}
   */
  map(quantity, head, scale, dataset = false) {
    if (quantity === 'density_attention') return this.density(head, dataset);
    const prefix = dataset ? 'dataset_' : '';
    if (quantity !== 'importance') return this.headArray(prefix + quantity, head);
    return this.cached(`${prefix}if ${head} ${scale}`, () => {
      const density = this.density(head, dataset);
      if (!density) return null;
      const [low, high] = this.range('density_attention', scale, head, dataset);
      const out = new Float32Array(density.length);
      if (!(high > low)) return out;
      const width = Math.fround(high - low);
      for (let l = 0; l < this.L; l += 1) {
        if (!this.seen(head, l)) continue;
        for (let i = l * this.F; i < (l + 1) * this.F; i += 1) {
          out[i] = Math.min(1, Math.max(0, Math.fround(density[i] - low) / width));
        }
      }
      return out;
    });
  }

  /**
   * [lowest, highest] of gate, density attention or class importance: of one head or of all together.
   * @param {string} quantity
   * @param {string} scale
   * @param {number} head
   * @param {boolean} dataset
   * @returns {[number, number]}
   */
  range(quantity, scale, head, dataset = false) {
    const ranges = (dataset && this.raw.dataset ? this.raw.dataset : this.raw).ranges[quantity];
    const shown = scale === 'all_heads' ? ranges : [ranges[head]];
    return [Math.min(...shown.map(([low]) => low)), Math.max(...shown.map(([, high]) => high))];
  }

  /**
   * @template T
   * @param {string} key
   * @param {() => T} compute
   * @returns {T}
   */
  cached(key, compute) {
    if (!this.cache.has(key)) this.cache.set(key, compute());
    return this.cache.get(key);
  }

  hasDataset() {
    return Boolean(this.raw.dataset);
  }

  /**
   * Asks for the exact array behind a quantity; resolves to true when it came.
   * @param {string} quantity
   * @param {number} head
   * @param {boolean} dataset
   */
  need(quantity, head, dataset = false) {
    const name = this.basis(quantity, dataset);
    return this.needArray(name, PER_HEAD.includes(name) ? head : null);
  }

  /**
   * @param {string} name
   * @param {number | null} head
   * @returns {Promise<boolean>}
   */
  needArray(name, head = null) {
    const array = this.arrays[name];
    if (!array || !this.load || (head !== null && head >= this.H)) return Promise.resolve(false);
    if (head === null ? array.exact : this.exactHeads[name].has(head)) return Promise.resolve(false);
    const key = `${name} ${head}`;
    const asked = this.pending.get(key);
    if (asked) return asked;
    const job = this.load(this.side, name, head)
      .then((spec) => this.take(name, head, decode(spec)))
      .catch(() => false)
      .then((came) => {
        if (!came) this.pending.delete(key); // may be asked again
        return came;
      });
    this.pending.set(key, job);
    return job;
  }

  /**
   * @param {string} name
   * @param {number | null} head
   * @param {Kept} part
   */
  take(name, head, part) {
    if (!part.data) return false;
    if (head === null) {
      this.arrays[name] = part;
    } else {
      const array = this.arrays[name];
      const size = this.L * this.F;
      // A new array with every part that comes: figures that keep the old one see that it is another.
      const whole = array.data ? array.data.slice() : new Float32Array(this.H * size).fill(NaN);
      whole.set(part.data, head * size);
      array.data = whole;
      this.exactHeads[name].add(head);
    }
    this.cache.clear(); // nothing that was computed holds any more
    this.arrived();
    return true;
  }

  /**
   * Everything known of one cell for one head: numbers by quantity, and which of them are exact.
   * @param {import('./types.js').HeadCell} cell
   * @param {string} scale
   */
  cell({ head, layer, feature }, scale) {
    const at = layer * this.F + feature;
    const values = this.array('values');
    /** @type {Record<string, number | null>} */
    const numbers = { value: values ? values[at] : null };
    /** @type {Record<string, boolean>} */
    const exact = { value: Boolean(this.arrays.values?.exact) };
    for (const quantity of ['gate', 'density_attention', 'importance', 'class_importance', 'evidence']) {
      const map = this.map(quantity, head, scale);
      numbers[quantity] = map ? map[at] : null;
      exact[quantity] = this.isExact(quantity, head);
    }
    return { seen: this.seen(head, layer), numbers, exact };
  }

  /** A row's number, and its token where rows are tokens. @param {number} row @returns {string | number} */
  rowName(row) {
    const label = this.raw.axis_names?.[0] === 'token' ? this.raw.token_labels[row] : undefined;
    return label === undefined ? row : `${row} “${label}”`;
  }

  /** The rows' names, shortened to stand beside a map; null where rows only have numbers. */
  rowNames() {
    const { axis_names: names, token_labels: labels } = this.raw;
    return names?.[0] === 'token' && labels.length ? labels.map((label) => label.slice(0, 12)) : null;
  }

  /** Whether a head lets everything through, so that its maps hardly differ from one constant. @param {number} head */
  isOpen(head) {
    return this.raw.ranges.gate[head][0] > OPEN;
  }

  /**
   * The head to look at first: head 0, or where that is open the one that tells most: of a map with a sign the
   * one with the largest number, else the one of largest share that is not open.
   * @param {string} quantity
   */
  firstHead(quantity) {
    if (!this.isOpen(0)) return 0;
    const ranges = SIGNED.includes(quantity) && this.raw.ranges[quantity];
    if (!ranges) return this.byContribution().find((head) => !this.isOpen(head)) ?? 0;
    const sizes = ranges.map(([low, high]) => Math.max(-low, high));
    return sizes.indexOf(Math.max(...sizes));
  }

  /** Layers that a head sees. @param {number} head */
  layersOf(head) {
    return range(this.L).filter((l) => this.seen(head, l));
  }

  /** A head's share of the density attention in percent. @param {number} head */
  share(head) {
    return sum(this.raw.layer_contribution[head]);
  }

  /** Heads by their share of the density attention, largest first; by number where shares are equal. */
  byContribution() {
    const order = range(this.H).sort((a, b) => this.share(b) - this.share(a) || a - b);
    /** @type {number[][]} */
    const equal = [];
    for (const head of order) {
      const last = equal.at(-1);
      if (last && this.share(/** @type {number} */ (last.at(-1))) - this.share(head) < ROUNDING)
        last.push(head);
      else equal.push([head]);
    }
    return equal.flatMap((heads) => heads.sort((a, b) => a - b));
  }

  /** Whether all heads have the same share, as those of a mixture without amplitude have by construction. */
  hasEqualShares() {
    const shares = range(this.H).map((head) => this.share(head));
    return this.H > 1 && Math.max(...shares) - Math.min(...shares) < ROUNDING;
  }

  /** The explained class's name. */
  explainedClass() {
    return this.raw.class_names[this.raw.explained];
  }

  isMixture() {
    return this.raw.gate_kind === 'mixture';
  }
}
