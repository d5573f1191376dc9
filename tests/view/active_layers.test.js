import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  activeLayers,
  activeTogether,
  layerShares,
  magnifiedRows,
} from '../../daam_core/view/web/active_layers.js';
import { colourScale } from '../../daam_core/view/web/fields.js';

/** A map of one column whose rows hold these numbers. */
function field(numbers, seen = () => true) {
  return {
    data: Float32Array.from(numbers),
    rows: numbers.length,
    columns: 1,
    seen,
    signed: true,
    exact: true,
  };
}

const LAST = [0, 0, 1, 0, 0, 0, 0, -49];

test('shares are of the sizes of the numbers, and of layers that are seen', () => {
  assert.deepEqual(layerShares(field(LAST)), [0, 0, 2, 0, 0, 0, 0, 98]);
  assert.deepEqual(layerShares(field([1, -3, 5], (row) => row < 2)), [25, 75, 0]);
  assert.deepEqual(layerShares(field([0, 0])), [0, 0]);
});

test('active layers hold 95 % and are a quarter of all at most', () => {
  assert.deepEqual(activeLayers(layerShares(field(LAST))), { first: 7, last: 7 });
  assert.deepEqual(activeLayers([50, 45.5, 4.5, 0, 0, 0, 0, 0]), { first: 0, last: 1 });
  assert.equal(activeLayers([50, 40, 10, 0, 0, 0, 0, 0]), null); // three of eight are not few
  assert.equal(activeLayers([100, 0, 0, 0]), null); // nor is one of four hard to see
  assert.equal(activeLayers([0, 0, 0, 0, 0, 0, 0, 0]), null);
});

test('maps drawn alike are magnified to the layers of all of them', () => {
  const other = field([0, 0, 0, 0, 0, 0, 5, 5]);
  assert.deepEqual(activeTogether([field(LAST), other]), { first: 6, last: 7 });
  assert.equal(activeTogether([field(LAST), field([9, 0, 0, 0, 0, 0, 0, 0])]), null); // too far apart
  assert.equal(activeTogether([field(LAST), null]), null);
});

test('a reader sees all layers on demand, and always what was selected or pinned', () => {
  const rows = (state = {}, pins = []) =>
    magnifiedRows(
      {
        state: { layers: 'active', zoom: null, cell: null, ...state },
        head: 1,
        pins: () => pins,
        result: () => ({ L: 8, raw: { mode: 'shared' } }),
      },
      1,
      [field(LAST)],
    );
  assert.deepEqual(rows(), { y0: 7, y1: 8 });
  assert.equal(rows({ layers: 'all' }), null);
  assert.equal(rows({ zoom: { x0: 0, x1: 1, y0: 2, y1: 4 } }), null);
  assert.deepEqual(rows({ zoom: { x0: 0, x1: 1, y0: 0, y1: 8 } }), { y0: 7, y1: 8 });
  assert.equal(rows({ cell: { layer: 2, feature: 0 } }), null);
  assert.deepEqual(rows({ cell: { layer: 7, feature: 0 } }), { y0: 7, y1: 8 });
  assert.equal(rows({}, [{ head: 1, layer: 2, feature: 0 }]), null);
  assert.deepEqual(rows({}, [{ head: 0, layer: 2, feature: 0 }]), { y0: 7, y1: 8 });
});

test('colours by layer go up to the largest number of each layer in all maps together', () => {
  const store = { state: { colours: 'layer' }, colours: () => Array(256).fill([0, 0, 0]) };
  const scale = colourScale(store, [field([2, -4, 0]), field([-8, 1, 0])]);
  assert.deepEqual(Array.from(scale.weights), [1 / 8, 1 / 4, 0]);
  assert.deepEqual(scale.limits, [-1, 1]);
});
