/** Small payloads, written by hand. */

/** @param {number[]} numbers @param {number[]} shape */
export function encoded(numbers, shape) {
  const data = Buffer.from(new Float32Array(numbers).buffer).toString('base64');
  return { shape, dtype: 'float32', data };
}

/** Two heads, two layers, three features; density attention is amplitude × gate. */
export function explained(changes = {}) {
  const gate = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 0.5, 0];
  return {
    model: 'm',
    checkpoint: 'c',
    modality: 'text',
    mode: 'shared',
    gate_kind: 'density',
    shape: [2, 2, 3],
    class_names: ['x', 'y'],
    explained: 0,
    head_layers: [
      [true, true],
      [true, true],
    ],
    amplitude: [
      [1, 1],
      [2, 0.5],
    ],
    layer_contribution: [
      [10, 20],
      [30, 40],
    ],
    most_on: [[1], 'even'],
    ranges: {
      gate: [
        [0.1, 0.6],
        [0, 1],
      ],
      density_attention: [
        [0.1, 0.6],
        [0, 1.8],
      ],
    },
    dataset: null,
    media: null,
    letter: 'A',
    name: '',
    arrays: { gate: encoded(gate, [2, 2, 3]) },
    ...changes,
  };
}

export function payload(changes = {}, other = null) {
  const colours = { heads: ['#000000', '#ffffff'], diverging: ['#0000ff', '#ffffff', '#ff8800'] };
  const b = other && explained({ letter: 'B', ...other });
  return { version: 2, a: explained(changes), b, changes: [], colours };
}
