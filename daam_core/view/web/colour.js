// @ts-check
/** Colours of maps and heads, and how numbers become colours. */
import { range } from './arrays.js';
import { TABLES } from './palettes.js';

/**
 * @typedef {[number, number, number]} Rgb
 * @typedef {{
 *   limits: [number, number], constant: boolean, table: Rgb[], thresholds: ArrayLike<number> | null,
 *   signed: boolean, index: (value: number) => number, colour: (value: number) => Rgb,
 *   weights?: Float64Array,
 * }} Scale weights: of a map's rows, each number of a row is multiplied by before it becomes a colour
 */

/**
 * A head's colour for a style sheet: the view sets these from the payload, which has them from
 * daam_core/reading/colours.py.
 * @param {number} head
 */
export function headColour(head) {
  return `var(--dv-head-${head})`;
}

/** @param {string} hex @returns {Rgb} */
export function rgb(hex) {
  const n = parseInt(hex.replace('#', ''), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

/**
 * 256 colours between a few, evenly spaced.
 * @param {string[]} anchors
 * @returns {Rgb[]}
 */
export function between(anchors) {
  const points = anchors.map(rgb);
  return range(256).map((i) => {
    const place = (i / 255) * (points.length - 1);
    const left = Math.min(Math.floor(place), points.length - 2);
    const mixed = points[left].map((v, c) => Math.round(v + (place - left) * (points[left + 1][c] - v)));
    return /** @type {Rgb} */ (mixed);
  });
}

/** @type {Record<string, Rgb[]>} */
const ready = { grey: range(256).map((i) => [i, i, i]) };

/**
 * The 256 colours of a sequential palette.
 * @param {'cividis' | 'viridis' | 'grey'} name
 */
export function palette(name) {
  if (name !== 'grey' && !ready[name]) {
    const digits = TABLES[name];
    ready[name] = range(256).map((i) => rgb(digits.slice(6 * i, 6 * i + 6)));
  }
  return ready[name];
}

/** @param {Rgb} colour */
export function css(colour) {
  return `rgb(${colour[0]}, ${colour[1]}, ${colour[2]})`;
}

/** Black or white, whichever is easier to read on a colour (WCAG 2 contrast). @param {Rgb} colour */
export function ink(colour) {
  const linear = colour.map((v) => (v <= 10 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return luminance > 0.179 ? '#000' : '#fff';
}

/**
 * How numbers become colours.
 * @param {[number, number]} limits lowest and highest; signed ones are symmetric
 * @param {Rgb[]} table
 * @param {{signed?: boolean, thresholds?: ArrayLike<number> | null}} [options] 255 ascending thresholds
 *   make it a rank scale: colour i stands for the numbers between two neighbouring ones
 * @returns {Scale}
 */
export function makeScale([low, high], table, { signed = false, thresholds = null } = {}) {
  const factor = high > low ? 255 / (high - low) : 0;
  const constant = signed ? 128 : 0; // no contrast to show: neutral, or lowest
  /** @param {number} value */
  const linear = (value) =>
    factor === 0 ? constant : Math.min(255, Math.max(0, Math.round((value - low) * factor)));
  const index = thresholds ? rank(thresholds) : linear;
  return {
    limits: [low, high],
    constant: !(high > low),
    table,
    thresholds,
    signed,
    index,
    colour: (value) => table[index(value)],
  };
}

/**
 * How many thresholds a value has reached.
 * @param {ArrayLike<number>} thresholds
 * @returns {(value: number) => number}
 */
function rank(thresholds) {
  return (value) => {
    let left = 0;
    let right = thresholds.length;
    while (left < right) {
      const middle = (left + right) >> 1;
      if (thresholds[middle] <= value) left = middle + 1;
      else right = middle;
    }
    return left;
  };
}

export const LOG_SPAN = 1e4; // highest over lowest number that a logarithmic scale tells apart

/**
 * 255 thresholds, each a factor above the last, up to `high`; a signed scale has them on either side.
 * @param {number} high
 * @param {boolean} signed
 */
export function logThresholds(high, signed) {
  /** @param {number} share */
  const at = (share) => high * LOG_SPAN ** (share - 1);
  return Float32Array.from(range(255), (i) => {
    if (!signed) return at(i / 255);
    return i < 127 ? -at(1 - (i + 1) / 128) : at((i - 127) / 128);
  });
}

const WIDE = 20; // highest over lowest number from which these are drawn on a logarithm, as in figures

/** Whether positive numbers from low to high spread so far. @param {number} low @param {number} high */
export function isWide(low, high) {
  return low > 0 && high / low > WIDE;
}

/**
 * 255 thresholds from one positive number to another, each a factor above the last.
 * @param {number} low
 * @param {number} high
 */
export function factorThresholds(low, high) {
  return Float32Array.from(range(255), (i) => low * (high / low) ** ((i + 1) / 256));
}

/**
 * 255 thresholds that split the numbers of several maps into 256 groups of equal size.
 * @param {Float32Array[]} maps
 * @param {boolean} signed
 */
export function rankThresholds(maps, signed) {
  const all = new Float32Array(maps.reduce((n, map) => n + map.length, 0));
  let at = 0;
  for (const map of maps) {
    all.set(map, at);
    at += map.length;
  }
  if (signed) for (let i = 0; i < all.length; i += 1) all[i] = Math.abs(all[i]);
  all.sort(); // NaN last
  let count = all.length;
  while (count > 0 && Number.isNaN(all[count - 1])) count -= 1;
  /** @param {number} share */
  const quantile = (share) => all[Math.min(count - 1, Math.floor(share * count))];
  // A signed scale ranks sizes on each side of zero, so that zero keeps the middle colour.
  const out = Float32Array.from(range(255), (i) => {
    if (!signed) return quantile((i + 1) / 256);
    return i < 127 ? -quantile(1 - (i + 1) / 128) : quantile((i - 127) / 128);
  });
  if (signed) out[127] = Math.max(out[127], 1e-45);
  return out;
}
