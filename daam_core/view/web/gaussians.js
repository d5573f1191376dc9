// @ts-check
/** The Gaussians behind gates; the core has the same in daam_core.reading.gaussians. */
import { range } from './arrays.js';

/** @typedef {import('./result.js').Result} Result */

const ROOT_FLOOR = 1e-5; // under the root of the standard deviation (Algorithm 1)

/**
 * Mean offset and variance of the one Gaussian that a product of K Gaussians amounts to.
 * @param {ArrayLike<number>} offsets
 * @param {ArrayLike<number>} scales
 */
export function effectiveGaussian(offsets, scales) {
  let precision = 0;
  let weighted = 0;
  for (let k = 0; k < offsets.length; k += 1) {
    precision += 1 / (scales[k] * scales[k]);
    weighted += offsets[k] / (scales[k] * scales[k]);
  }
  return { mean: weighted / precision, variance: 1 / precision };
}

/** The same of one head of a mixture. @param {Result} result @param {number} head */
export function headGaussian(result, head) {
  const offsets = result.array('mean_offset');
  const scales = result.array('scaled_variance');
  if (!offsets || !scales) return null;
  const k = result.arrays.mean_offset.shape[1];
  return effectiveGaussian(
    offsets.subarray(head * k, (head + 1) * k),
    scales.subarray(head * k, (head + 1) * k),
  );
}

/**
 * What makes a head's gate a curve over the value. `logOthers` is null for density gates.
 * @typedef {{centre: number, spread: number, logOthers: number | null}} Curve
 */

/**
 * The gate at a value: e = exp(−(value − centre)² / (2 spread²)), of a mixture e / (e + others), where others
 * is the sum of e over the head's other layers. Between 0 and 1, also far off.
 * @param {Curve} curve
 * @param {number} value
 */
export function gateAt({ centre, spread, logOthers }, value) {
  const exponent = ((value - centre) / spread) ** 2 / 2;
  return logOthers === null ? Math.exp(-exponent) : 1 / (1 + Math.exp(logOthers + exponent));
}

/**
 * A head's Gaussian at one cell, given mean and variance over the head's layers. `values` [L·F], each
 * layer's times its gain, are what a mixture's head sees of its other layers.
 * @param {any} result
 * @param {number} head
 * @param {import('./types.js').Cell} cell
 * @param {{mean: number, variance: number}} statistics
 * @param {Float32Array} values
 * @param {number[]} gain [L]
 * @returns {Curve}
 */
function gaussian(result, head, { layer, feature }, statistics, values, gain) {
  if (!result.isMixture()) {
    const at = head * result.F + feature;
    return {
      centre: statistics.mean + result.array('mean_offset')[at],
      spread: Math.sqrt(result.array('scaled_variance')[at] * (statistics.variance + ROOT_FLOOR)),
      logOthers: null,
    };
  }
  const one = /** @type {{mean: number, variance: number}} */ (headGaussian(result, head));
  const centre = statistics.mean + one.mean;
  const spread = Math.sqrt(one.variance * statistics.variance);
  // The sum is taken in log space.
  const exponents = result
    .layersOf(head)
    .filter((l) => l !== layer)
    .map((l) => ((gain[l] * values[l * result.F + feature] - centre) / spread) ** 2 / 2);
  const least = Math.min(...exponents);
  const total = exponents.reduce((t, e) => t + Math.exp(least - e), 0);
  return { centre, spread, logOthers: Math.log(total) - least };
}

/**
 * What the levels before a head's multiply a feature's values with, Π (1 + gate), by layer; all 1 where
 * there is one level. In a level one head sees a layer.
 * @param {any} result
 * @param {number} head
 * @param {number} feature
 * @param {boolean} dataset
 * @returns {number[]}
 */
export function levelGain(result, head, feature, dataset) {
  const perLevel = result.H / (result.raw.n_levels ?? 1);
  const before = range(head - (head % perLevel))
    .map((other) => result.map('gate', other, 'all_heads', dataset))
    .filter(Boolean);
  return range(result.L).map((layer) =>
    before.reduce((gain, gate) => gain * (1 + gate[layer * result.F + feature]), 1),
  );
}

/** A curve over what a head sees as one over the value itself. @param {Curve} curve @param {number} gain */
function inUnits(curve, gain) {
  return { ...curve, centre: curve.centre / gain, spread: curve.spread / gain };
}

/** Arrays behind the Gaussians of an input, or of the data set's average. @param {boolean} dataset */
export function cellArrays(dataset) {
  const prefix = dataset ? 'dataset_' : '';
  return [
    `${prefix}values`,
    `${prefix}statistic_mean`,
    `${prefix}statistic_variance`,
    'mean_offset',
    'scaled_variance',
  ];
}

/**
 * Everything needed to draw the Gaussians of a cell: of one input, or of the data set with its mean
 * values and mean statistics. `gate` is the input's or the data set's mean gate; the latter need not
 * lie on the curve. Null where an array is missing.
 * @param {any} result
 * @param {import('./types.js').Cell} cell
 * @param {boolean} dataset
 */
export function cellCurves(result, cell, dataset) {
  const names = cellArrays(dataset);
  if (names.some((name) => !result.array(name))) return null;
  const [values, means, variances] = names.map((name) => result.array(name));
  const place = cell.layer * result.F + cell.feature;
  const value = values[place];
  /** @param {number} head */
  const curve = (head) => {
    const at = head * result.F + cell.feature;
    const gain = levelGain(result, head, cell.feature, dataset);
    const statistics = { mean: means[at], variance: variances[at] };
    const shape = inUnits(gaussian(result, head, cell, statistics, values, gain), gain[cell.layer]);
    /** @param {string} quantity */
    const cellOf = (quantity) => {
      const map = result.map(quantity, head, 'all_heads', dataset);
      return map ? map[place] : NaN;
    };
    const learned = result.isMixture()
      ? { offset: null, variance: null }
      : { offset: result.array('mean_offset')[at], variance: result.array('scaled_variance')[at] };
    return {
      head,
      ...learned,
      mean: means[at] / gain[cell.layer],
      deviation: Math.sqrt(variances[at]) / gain[cell.layer],
      ...shape,
      highest: gateAt(shape, shape.centre),
      atValue: gateAt(shape, value),
      gate: cellOf('gate'),
      density: cellOf('density_attention'),
      amplitude: result.raw.amplitude[head][cell.layer],
      exact: ['gate', 'density_attention'].every((name) => result.isExact(name, head, dataset)),
    };
  };
  return {
    value,
    dataset,
    exact: names.every((name) => result.arrays[name].exact),
    heads: range(result.H)
      .filter((head) => result.seen(head, cell.layer))
      .map(curve),
  };
}
