// @ts-check
/**
 * The shapes of what the view of a study gets, asks for and remembers. Letters: M explained inputs,
 * H heads, L layers, F features. Made by daam_core/study/payload.py. Text is shown as text, never as markup.
 *
 * @typedef {{dtype: 'float32' | 'int32', data: string}} Packed numbers as base64
 *
 * @typedef {{
 *   version: 1, name: string, explains: boolean, example: boolean, cut: boolean,
 *   stated: {accuracy: number, trained_on: string} | null,
 *   facts: {
 *     model: string, checkpoint: string, encoder: string, modality: 'audio' | 'image' | 'text', classes: string[],
 *     labels: 'one' | 'several', sets: number[][],
 *     shape: [number, number, number], head_layers: boolean[][], data: string, inputs: number,
 *     finished: number, command: string,
 *   },
 *   refused: {count: number, first: [string, string][]},
 *   columns: {
 *     number: Packed, label: Packed, prediction: Packed, confidence: Packed, seconds: Packed | null,
 *     name: string[], place: string[], text: string[] | null,
 *   },
 *   outside: Packed | null, units: string[], shared: string, groups: Record<string, {names: string[], codes: Packed}>,
 *   selections: Record<string, Packed>, methods: string[],
 *   quantities: Record<string, {name: string, short: string, meaning: string, signed: boolean}>,
 *   colours: {heads: string[], diverging: string[], diverging_dark: string[]},
 *   terms: Record<string, string>,
 * }} StudyPayload label, prediction: numbers of classes; C + i stands for the i-th of the sets, of several or
 *   none, where an input may have several labels; cut: some texts are longer than what is here of them; outside: percent of the inputs known in
 *   training that lie closer to it, −1 where nothing is known; stated: the accuracy in the classifier's report,
 *   on inputs it was not trained on; units: columns whose values several inputs share;
 *   shared: what inputs of one group have in common; name: what an input is called, its place where nothing else is known
 *
 * @typedef {{head: number | null, layer: number | null, feature: number | null}} Place null: all of the axis
 * @typedef {'density_attention' | 'gate' | 'class_importance' | 'values'} Asked
 *
 * @typedef {{
 *   find: string, label: number, prediction: number, right: 'any' | 'right' | 'wrong', from: number,
 *   to: number, group: string, value: number,
 * }} Filter −1 and empty texts stand for any; from and to are probabilities
 *
 * @typedef {{
 *   tab: 'inputs' | 'cells' | 'slices', filter: Filter, sort: string, down: boolean, colour: string,
 *   method: string, input: number, place: Place, quantity: Asked, first: string, second: string,
 *   slicing: Asked, units: string, map: 'difference' | 'first' | 'second', head: number, certain: boolean,
 * }} StudyState what is shown; see DEFAULTS in state.js. input: number of the chosen one, or −1; units: what a
 *   comparison deals as wholes, `auto`, `none` or the name of a column
 *
 * @typedef {{
 *   number: number, text: string | null, probabilities: [string, number][],
 *   spans: (number[] | null)[], attribution: number[], thumbnail: boolean, file: boolean,
 * }} Input one input in full
 *
 * @typedef {{
 *   ask: (question: string, asked: Record<string, any>) => Promise<any>,
 *   address: (kind: 'thumbnail' | 'sound', number: number) => string,
 * }} Source who answers: rejects with an Error whose message can be shown
 */
export {};
