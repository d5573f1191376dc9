// @ts-check
/**
 * The shapes of what goes into the view and of what it remembers. Letters: H heads, L layers,
 * F features, T tokens, K Gaussians, C classes.
 *
 * A payload is made by daam_core.view.payload.view_payload; fields of an explanation have the names and
 * shapes of daam_core.result.Explanation. Large arrays are encoded (arrays.js): exact as float32, rounded
 * as one byte a cell, or left out until asked for (`lazy`). Density attention is left out where it is
 * amplitude × gate. Text in a payload is shown as text, never as markup.
 *
 * @typedef {import('./arrays.js').Encoded} Encoded
 *
 * @typedef {Record<string, [number, number][]>} Ranges lowest and highest number of each head, by array
 *
 * @typedef {{
 *   pieces: [string, number][], list: {text: string, tokens: number[], special: boolean}[],
 * }} Words a text cut into words and what stands between (index −1), and each word's tokens
 *
 * @typedef {{
 *   audio?: {
 *     duration: number, start: number, url?: string | null,
 *     envelope: {count: number, peak: number, data: string},
 *     mel: {bands: number, frames: number, top_hz: number, data: string} | null,
 *   },
 *   image?: {url: string, width: number, height: number},
 * }} Media made by daam_core.view.media
 *
 * @typedef {{
 *   model: string, modality: 'audio' | 'image' | 'text' | 'tensor', mode: string, gate_kind: string,
 *   shape: [number, number, number], class_names: string[], logits: number[], probabilities: number[],
 *   prediction: number, predicted: number[], answer: string, labels: 'one' | 'several', stand_alone: string,
 *   explained: number, scale: string, degenerate: boolean, head_layers: boolean[][],
 *   amplitude: number[][], importance_range: number[][], layer_contribution: number[][],
 *   most_on: (number[] | 'even' | 'spread')[], ranges: Ranges,
 *   token_labels: string[], token_units: string, text: string | null, words: Words | null,
 *   axis_names?: [string, string], n_levels?: number, in_words: string[], warning: string, outside: string, dataset: {samples: number, ranges: Ranges} | null, similarity: (number | null)[][],
 *   entropy: (number | null)[], checkpoint: string, media: Media | null, arrays: Record<string, Encoded>,
 *   name: string, letter: string,
 * }} Explained one explanation; `name` is what its input is called, `letter` (A, B) the short of it
 *
 * @typedef {{
 *   version: 2, a: Explained, b: Explained | null, changes: string[], largest_change?: (HeadCell & {quantity: Quantity}) | null,
 *   colours: {heads: string[], diverging: string[], diverging_dark: string[]}, terms: Record<string, string>,
 *   quantities: Record<string, {name: string, short: string, meaning: string, signed: boolean, caution: string}>,
 * }} Payload
 *
 * @typedef {'a' | 'b'} Side
 * @typedef {Side | 'difference'} AnySide A, B, or B − A
 * @typedef {'importance' | 'density_attention' | 'gate' | 'class_importance' | 'evidence'} Quantity
 * @typedef {{layer: number, feature: number}} Cell
 * @typedef {{head: number, layer: number, feature: number}} HeadCell
 * @typedef {HeadCell & {note: string}} Pin
 * @typedef {{x0: number, x1: number, y0: number, y1: number}} Zoom in features (x) and layers (y)
 *
 * @typedef {{
 *   tab: string, quantity: Quantity | null, scale: 'all_heads' | 'per_head', colours: 'linear' | 'log' | 'rank' | 'layer',
 *   palette: 'cividis' | 'viridis' | 'grey', binning: 'max' | 'mean', side: AnySide, head: number | null,
 *   heads: number[] | null, order: 'index' | 'contribution', pair: number[] | null, cell: Cell | null,
 *   zoom: Zoom | null, layers: 'active' | 'all', tokenHead: number, tokenMode: 'signed' | 'absolute', opacity: number,
 *   layerChart: 'bars' | 'lines', top: number, display: 'closed' | 'open', pins: Pin[],
 * }} State what is shown; see DEFAULTS in state.js
 *
 * @typedef {{
 *   quantity: Quantity | 'values', side: AnySide, scale?: string, dataset?: 'only' | 'difference',
 * }} Which the map that is meant: of the input, of the data set's average, or a difference
 *
 * @typedef {{
 *   data: Float32Array, rows: number, columns: number, seen: (row: number) => boolean,
 *   signed: boolean, exact: boolean,
 * }} Field a map of one head
 */
export {};
