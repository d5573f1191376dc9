// @ts-check
/** Which parts of two inputs belong together: tokens in the same places, moments of one clip, words. */
import { range } from '../arrays.js';
import { attribution, spanOf } from './tokens.js';

/** @typedef {import('./tokens.js').Shown} Shown */

const MOST_PAIRS = 4e6; // pairs of words that are compared to align two texts

/**
 * Tokens [i of A, j of B] that stand in the same place, or null where there are none to compare.
 * @param {Shown} one
 * @param {Shown} other
 */
export function tokenPairs(one, other) {
  if (sameTokens(one, other)) return range(one.raw.token_labels.length).map((t) => [t, t]);
  return one.raw.token_units === 'seconds' ? pairSeconds(placesOf(one), placesOf(other)) : null;
}

/** Where a trimmed sound begins in the clip that it was cut from, in seconds. @param {Shown} result */
function startOf(result) {
  return result.raw.media?.audio?.start || 0;
}

/**
 * [start, end] of every token in seconds of the clip that a trimmed sound was cut from.
 * @param {Shown} result
 */
function placesOf(result) {
  const start = startOf(result);
  return range(result.raw.token_labels.length).map((t) => Array.from(spanOf(result, t), (s) => s + start));
}

/** @param {Shown} one @param {Shown} other */
function sameTokens(one, other) {
  const a = /** @type {Float32Array} */ (one.array('token_spans'));
  const b = /** @type {Float32Array} */ (other.array('token_spans'));
  return (
    one.raw.modality === other.raw.modality &&
    one.raw.text === other.raw.text &&
    startOf(one) === startOf(other) &&
    a.length === b.length &&
    a.every((v, i) => Object.is(v, b[i]))
  );
}

/**
 * Pairs of moments [start, end] that are equally long and lie at most half their length apart; null
 * without any.
 * @param {number[][]} one
 * @param {number[][]} other
 */
export function pairSeconds(one, other) {
  /** @type {number[][]} */
  const pairs = [];
  let i = 0;
  other.forEach(([start, end], j) => {
    while (i + 1 < one.length && Math.abs(one[i + 1][0] - start) <= Math.abs(one[i][0] - start)) i += 1;
    const length = end - start;
    const alike = one.length && Math.abs(one[i][1] - one[i][0] - length) < 1e-3;
    if (alike && Math.abs(one[i][0] - start) <= length / 2 + 1e-6) pairs.push([i, j]);
  });
  return pairs.length ? pairs : null;
}

/**
 * Longest common subsequence of two lists of texts: pairs [i, j] in order, or null where that is too much.
 * @param {string[]} one
 * @param {string[]} other
 */
export function alignWords(one, other) {
  // What both begin and end with is the same in any case; an edited text differs in a few places only.
  const most = Math.min(one.length, other.length);
  let start = 0;
  while (start < most && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < most - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  const inner = innerPairs(one.slice(start, one.length - end), other.slice(start, other.length - end));
  return (
    inner && [
      ...range(start).map((i) => [i, i]),
      ...inner.map(([i, j]) => [i + start, j + start]),
      ...range(end).map((i) => [one.length - end + i, other.length - end + i]),
    ]
  );
}

/** @param {string[]} one @param {string[]} other */
function innerPairs(one, other) {
  if (one.length * other.length > MOST_PAIRS) return null;
  const width = other.length + 1;
  const length = new Uint16Array((one.length + 1) * width); // of what is left from [i, j] on
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = other.length - 1; j >= 0; j -= 1) {
      const [down, right] = [length[(i + 1) * width + j], length[i * width + j + 1]];
      length[i * width + j] =
        one[i] === other[j] ? 1 + length[(i + 1) * width + j + 1] : Math.max(down, right);
    }
  }
  const pairs = [];
  let [i, j] = [0, 0];
  while (i < one.length && j < other.length) {
    if (one[i] === other[j]) pairs.push([i++, j++]);
    else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) i += 1;
    else j += 1;
  }
  return pairs;
}

/**
 * B with the change of each paired token's share in place of the share, and nothing to play.
 * @param {Shown} one
 * @param {Shown} other
 * @param {number} tokenHead
 * @param {number[][]} pairs
 * @returns {Shown}
 */
export function changeOf(one, other, tokenHead, pairs) {
  const [before, after] = [attribution(one, tokenHead), attribution(other, tokenHead)];
  const width = other.arrays.token_spans.shape[1];
  const spans = new Float32Array(pairs.length * width);
  pairs.forEach(([, j], k) => {
    spans.set(spanOf(other, j), k * width);
  });
  /** @type {Record<string, Float32Array>} */
  const arrays = {
    token_attribution: Float32Array.from(pairs, ([i, j]) => after[j] - before[i]),
    token_spans: spans,
  };
  const { media } = other.raw;
  const silent = media?.audio && { audio: { ...media.audio, url: null } };
  return {
    H: other.H,
    arrays: other.arrays,
    array: (name) => arrays[name] || other.array(name),
    raw: {
      ...other.raw,
      media: silent || media,
      token_labels: pairs.map(([, j]) => other.raw.token_labels[j]),
    },
  };
}
