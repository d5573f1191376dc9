// @ts-check
/** Shares of an input's tokens, whatever they stand for: words, moments or regions. */
import { range } from '../arrays.js';
import { between, makeScale } from '../colour.js';
import * as format from '../format.js';
import { numeral, numeric } from '../sheets.js';

/**
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../types.js').State} State
 *
 * @typedef {{
 *   raw: any, H: number, arrays: any, array: (name: string) => Float32Array | null,
 * }} Shown a result, or the change from one to another in its form
 *
 * @typedef {{name: string, value: number, more: (string | number)[]}} Part a word, moment or region
 *
 * @typedef {{
 *   title: string, borders: string, Panel: any, part: string, more: string[],
 *   parts: (result: Shown, values: Float32Array) => Part[],
 *   grouped: (result: Shown, values: Float32Array) => ArrayLike<number>, Difference?: any,
 * }} Kind what a modality shows: its parts and what is said of each beside its share; grouped sums tokens to what
 *   colours are scaled by; Difference is for inputs that are cut into different parts
 */

/**
 * Attribution of every token [T]: of one head, or of all (head −1).
 * @param {Shown} result
 * @param {number} head
 */
export function attribution(result, head) {
  const tokens = result.raw.token_labels.length;
  const all = /** @type {Float32Array} */ (
    result.array(head < 0 ? 'token_attribution' : 'head_token_attribution')
  );
  return head < 0 ? all : all.subarray(head * tokens, (head + 1) * tokens);
}

/**
 * Place of a token: [start, end] of a word or moment, [left, top, right, bottom] of a region.
 * @param {Shown} result
 * @param {number} token
 */
export function spanOf(result, token) {
  const width = result.arrays.token_spans.shape[1];
  const spans = /** @type {Float32Array} */ (result.array('token_spans'));
  return spans.subarray(token * width, (token + 1) * width);
}

/** Tokens that have a place in the input. @param {Shown} result */
export function placedTokens(result) {
  return range(result.raw.token_labels.length).filter((t) => !Number.isNaN(spanOf(result, t)[0]));
}

/**
 * Colours for tokens of some results, up to the largest size among them; heads share a scale where that
 * is asked for.
 * @param {Store} store
 * @param {Shown[]} results
 * @param {Kind} kind
 * @param {number} tokenHead
 */
export function tokenScale(store, results, kind, tokenHead) {
  const { state } = store;
  const shared = state.scale === 'all_heads' && tokenHead >= 0;
  let most = 0;
  for (const result of results) {
    for (const head of shared ? range(result.H) : [tokenHead]) {
      const values = kind.grouped(result, attribution(result, head));
      for (let i = 0; i < values.length; i += 1) most = Math.max(most, Math.abs(values[i]));
    }
  }
  const signed = state.tokenMode === 'signed';
  const over = results[0].raw.modality === 'image';
  const colours = signed && over ? overPicture(store) : store.colours(signed);
  const scale = makeScale(signed ? [-most, most] : [0, most], colours, { signed });
  return signed ? scale : { ...scale, colour: (v) => scale.colour(Math.abs(v)) };
}

/**
 * What lies over a picture is clearly blue or orange, on a light and on a dark page, and fades towards zero.
 * @param {Store} store
 */
function overPicture(store) {
  const { diverging } = /** @type {import('../types.js').Payload} */ (store.payload).colours;
  const [blue, orange] = [1, 7].map((i) => diverging[i]);
  return between([blue, store.anchors()[4], orange]);
}

/** Tokens as parts of the input: their names and shares, and where they lie. @param {Shown} result @param {Float32Array} values @returns {Part[]} */
export function tokenParts(result, values) {
  return result.raw.token_labels.map((name, t) => ({
    name,
    value: values[t],
    more: Array.from(spanOf(result, t)),
  }));
}

/**
 * Parts of an input as a table.
 * @param {Kind} kind
 * @param {string} caption
 * @param {Part[]} parts
 */
export function partTable(kind, caption, parts) {
  return {
    caption,
    columns: [kind.part, ...numeric('Logits'), ...(kind.more.length > 1 ? numeric(...kind.more) : kind.more)],
    rows: parts.map(({ name, value, more }) => [
      name,
      numeral(value),
      ...more.map((one) => (typeof one === 'number' ? numeral(one) : one)),
    ]),
  };
}

/**
 * What a token of a sound or picture is and how much it counts.
 * @param {Shown} result
 * @param {Float32Array} values
 * @param {number} t
 */
export function tokenText(result, values, t) {
  return `${result.raw.token_labels[t]}: ${format.logits(values[t])}`;
}
