// @ts-check
/** Arrays: how they come out of a payload, and the little that is computed over them. */

/**
 * @typedef {{shape: number[], dtype?: string, data?: string, ranges?: number[][], lazy?: boolean}} Encoded
 * @typedef {{shape: number[], data: Float32Array | null, exact: boolean, lazy: boolean}} Decoded
 */

/** 0, 1, … n − 1. @param {number} n */
export function range(n) {
  return Array.from({ length: n }, (_, i) => i);
}

/** @param {string} base64 */
export function bytes(base64) {
  const native = /** @type {any} */ (Uint8Array); // fromBase64 is young
  if (native.fromBase64) return /** @type {Uint8Array} */ (native.fromBase64(base64));
  const binary = atob(base64);
  const out = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) out[i] = binary.charCodeAt(i);
  return out;
}

/** An array whose numbers are decoded when they are first read: a large payload opens with one of its maps. */
class Kept {
  /** @type {Encoded | null} what is still to be decoded */
  #spec = null;
  /** @type {Float32Array | null} */
  #data = null;

  /** @param {Encoded | null} spec */
  constructor(spec) {
    const here = Boolean(spec && !spec.lazy && 'data' in spec);
    this.shape = spec ? spec.shape : [];
    this.exact = here && spec?.dtype === 'float32';
    this.lazy = Boolean(spec?.lazy);
    if (here) this.#spec = spec;
  }

  get data() {
    if (this.#spec) this.data = numbers(this.#spec);
    return this.#data;
  }

  set data(data) {
    this.#data = data;
    this.#spec = null;
  }
}

/**
 * An encoded array with its numbers; none where they are to be asked for.
 * @param {Encoded | null} spec
 * @returns {Decoded}
 */
export function decode(spec) {
  return new Kept(spec);
}

/** @param {Encoded} spec */
function numbers({ data: base64 = '', dtype, ranges = [] }) {
  const raw = bytes(base64);
  if (dtype === 'float32') return new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4);
  const data = new Float32Array(raw.length);
  const part = raw.length / ranges.length;
  ranges.forEach(([low, high], index) => {
    const table = Float32Array.from(range(256), (q) => low + (q / 255) * (high - low));
    table[255] = high;
    for (let i = index * part; i < (index + 1) * part; i += 1) data[i] = table[raw[i]];
  });
  return data;
}

/**
 * Indices of the `number` largest entries (by size where `absolute`), largest first; NaN left out.
 * @param {ArrayLike<number>} data
 * @param {number} number
 * @param {boolean} absolute
 */
export function top(data, number, absolute) {
  /** @type {[number, number][]} */
  const best = [];
  let least = -Infinity;
  for (let i = 0; i < data.length; i += 1) {
    const score = absolute ? Math.abs(data[i]) : data[i];
    if (Number.isNaN(score) || (best.length === number && score <= least)) continue;
    let place = best.length;
    while (place > 0 && best[place - 1][0] < score) place -= 1;
    best.splice(place, 0, [score, i]);
    if (best.length > number) best.pop();
    least = best[best.length - 1][0];
  }
  return best.map((entry) => entry[1]);
}

/**
 * @param {Float32Array} one
 * @param {Float32Array} other
 */
export function minus(one, other) {
  const out = new Float32Array(one.length);
  for (let i = 0; i < out.length; i += 1) out[i] = one[i] - other[i];
  return out;
}

/** [lowest, highest]. @param {ArrayLike<number>} data @returns {[number, number]} */
export function bounds(data) {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < data.length; i += 1) {
    if (data[i] < low) low = data[i];
    if (data[i] > high) high = data[i];
  }
  return [low, high];
}

/** @param {Iterable<number>} data */
export function sum(data) {
  let total = 0;
  for (const value of data) total += value;
  return total;
}

/**
 * Counts of numbers in `bins` equal parts of [low, high].
 * @param {ArrayLike<number>} data
 * @param {number} low
 * @param {number} high
 * @param {number} bins
 */
export function histogram(data, low, high, bins) {
  const counts = new Array(bins).fill(0);
  const factor = high > low ? bins / (high - low) : 0;
  for (let i = 0; i < data.length; i += 1) {
    counts[Math.min(bins - 1, Math.max(0, Math.floor((data[i] - low) * factor)))] += 1;
  }
  return counts;
}
