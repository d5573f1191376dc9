// @ts-check
/** Shares of an input's tokens, whatever they stand for: words, moments or regions. */
import { range, top } from '../arrays.js';
import { makeScale } from '../colour.js';
import { numeric, Table } from '../figure.js';
import * as format from '../format.js';
import { html } from '../html.js';

/**
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../types.js').State} State
 *
 * @typedef {{
 *   raw: any, H: number, arrays: any, array: (name: string) => Float32Array | null,
 * }} Shown a result, or the change from one to another in its form
 *
 * @typedef {{
 *   title: string, help: string, Panel: any, Tables: any,
 *   grouped: (result: Shown, values: Float32Array) => ArrayLike<number>, Difference?: any,
 * }} Kind what a modality shows: grouped sums tokens to what colours are scaled by; Difference is for inputs that are
 *   cut into different parts
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
  const scale = makeScale(signed ? [-most, most] : [0, most], store.colours(signed), { signed });
  return signed ? scale : { ...scale, colour: (v) => scale.colour(Math.abs(v)) };
}

/** Tables of tokens by size and in order; `label` stands before their captions. */
export function TokenTables({ result, tokenHead, rows, place, label }) {
  const values = attribution(result, tokenHead);
  const first = Math.min(25, values.length);
  const columns = [place, ...numeric('Logits')];
  /** @param {number} t */
  const row = (t) => [result.raw.token_labels[t], format.exact(values[t])];
  return html`<div class="dv-stack">
    <${Table}
      caption="${label}The ${Math.min(rows, values.length)} of largest size"
      columns=${columns}
      rows=${top(values, rows, true).map(row)}
    />
    <${Table}
      caption="${label}First ${first} of ${format.count(values.length)}"
      columns=${columns}
      rows=${range(first).map(row)}
    />
  </div>`;
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
