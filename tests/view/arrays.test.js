import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as arrays from '../../daam_core/view/web/arrays.js';
import * as colour from '../../daam_core/view/web/colour.js';
import { effectiveGaussian } from '../../daam_core/view/web/gaussians.js';
import { Requests } from '../../daam_core/view/web/requests.js';
import { Result } from '../../daam_core/view/web/result.js';
import { alignWords, pairSeconds } from '../../daam_core/view/web/sections/pairs.js';
import { neighbour } from '../../daam_core/view/web/sections/picture.js';
import { encoded, explained } from './payloads.js';

test('arrays come out as they were put in', () => {
  assert.deepEqual(Array.from(arrays.decode(encoded([1, -2.5, 0], [3])).data), [1, -2.5, 0]);
  const rounded = {
    shape: [2, 2],
    dtype: 'uint8',
    ranges: [
      [0, 1],
      [-1, 1],
    ],
    data: 'AP8A/w==',
  };
  assert.deepEqual(Array.from(arrays.decode(rounded).data), [0, 1, -1, 1]);
  assert.equal(arrays.decode(rounded).exact, false);
  assert.equal(arrays.decode({ shape: [1], lazy: true }).data, null);
});

test('the largest entries, by size where asked, without what is no number', () => {
  const data = Float32Array.from([1, NaN, -5, 3, 3]);
  assert.deepEqual(arrays.top(data, 2, false), [3, 4]);
  assert.deepEqual(arrays.top(data, 3, true), [2, 3, 4]);
  assert.deepEqual(arrays.bounds(data), [-5, 3]);
  assert.deepEqual(arrays.histogram([0, 0.1, 0.9, 1], 0, 1, 2), [2, 2]);
});

test('colours go from end to end, and signed ones keep zero in the middle', () => {
  const table = colour.between(['#000000', '#ffffff']);
  const scale = colour.makeScale([0, 2], table);
  assert.deepEqual([-1, 0, 1, 2, 3].map(scale.index), [0, 0, 128, 255, 255]);
  assert.equal(colour.makeScale([1, 1], table).index(1), 0);
  assert.equal(colour.makeScale([0, 0], table, { signed: true }).index(0), 128);
  const thresholds = colour.rankThresholds([Float32Array.from([-4, -1, 0, 1, 2, 8])], true);
  const ranked = colour.makeScale([-8, 8], table, { signed: true, thresholds });
  assert.equal(ranked.index(0), 127);
  assert.ok(ranked.index(-1) < 127 && ranked.index(1) > 127);
  assert.equal(colour.ink([255, 255, 255]), '#000');
  assert.equal(colour.ink([0, 0, 0]), '#fff');
  assert.equal(colour.headColour(9), 'var(--dv-head-9)');
});

test('a product of Gaussians is one Gaussian', () => {
  const { mean, variance } = effectiveGaussian([0, 3], [1, 1]);
  assert.equal(mean, 1.5);
  assert.equal(variance, 0.5);
});

test('density attention is amplitude × gate where it does not travel', () => {
  const result = new Result(explained(), 'a');
  assert.deepEqual(Array.from(result.map('density_attention', 1, 'all_heads')).slice(0, 2), [
    Math.fround(2 * Math.fround(0.7)),
    Math.fround(2 * Math.fround(0.8)),
  ]);
  assert.deepEqual(result.byContribution(), [1, 0]);
});

test('heads whose shares differ by rounding alone stand in their order', () => {
  /** @param {number[]} shares */
  const order = (shares) => {
    const raw = {
      ...explained(),
      shape: [shares.length, 1, 1],
      layer_contribution: shares.map((share) => [share]),
    };
    const result = new Result(/** @type {any} */ (raw), 'a');
    return [result.byContribution(), result.hasEqualShares()];
  };
  assert.deepEqual(order([33.33332, 33.33334, 33.33333]), [[0, 1, 2], true]);
  assert.deepEqual(order([20, 39.99999, 40.00001]), [[1, 2, 0], false]);
  assert.deepEqual(order([100]), [[0], false]);
});

test('an array that is not here is asked for once, and told of once', async () => {
  const asked = [];
  let told = 0;
  const load = async (...request) => {
    asked.push(request);
    return encoded([1, 2, 3, 4, 5, 6], [2, 3]);
  };
  const raw = explained({ arrays: { gate: { shape: [2, 2, 3], lazy: true } } });
  const result = new Result(raw, 'b', load, () => {
    told += 1;
  });
  assert.equal(result.map('gate', 1, 'all_heads'), null);
  assert.deepEqual(await Promise.all([result.need('gate', 1), result.need('gate', 1)]), [true, true]);
  assert.deepEqual(Array.from(result.map('gate', 1, 'all_heads')), [1, 2, 3, 4, 5, 6]);
  assert.equal(result.map('gate', 0, 'all_heads'), null); // another head's part is still missing
  assert.equal(await result.need('gate', 1), false);
  assert.equal(await result.need('gate', 9), false); // there is no such head
  assert.deepEqual(asked, [['b', 'gate', 1]]);
  assert.equal(told, 1);
});

test('requests go out one at a time', async () => {
  const sent = [];
  const requests = new Requests((request) => sent.push(request));
  const answers = [requests.ask({ name: 'x' }), requests.ask({ name: 'y' })];
  await new Promise(setImmediate);
  assert.deepEqual(sent, [{ id: 1, name: 'x' }]);
  requests.answer(7, 'nobody asked');
  requests.answer(1, 'one');
  await new Promise(setImmediate);
  assert.equal(sent.length, 2);
  requests.answer(2, 'two');
  assert.deepEqual(await Promise.all(answers), ['one', 'two']);
});

test('a long text with one word changed is no work; nothing alike in two long ones is too much', () => {
  const long = Array.from({ length: 3000 }, (_, i) => `w${i % 700}`);
  assert.equal(alignWords(long, Object.assign(long.slice(), { 1500: 'another' })).length, 2999);
  assert.equal(
    alignWords(
      long,
      long.map((word) => `${word}x`),
    ),
    null,
  );
});

test('moments of a trimmed sound are paired by the time of the clip', () => {
  const moments = (start, n) => arrays.range(n).map((i) => [start + i * 0.02, start + (i + 1) * 0.02]);
  assert.deepEqual(pairSeconds(moments(0, 4), moments(0.04, 2)), [
    [2, 0],
    [3, 1],
  ]);
  assert.deepEqual(pairSeconds(moments(0, 4), moments(0.047, 1)), [[2, 0]]);
  assert.equal(pairSeconds(moments(0, 2), moments(30, 3)), null);
});

test('arrow keys go to the region that is nearest in their direction', () => {
  const spans = Float32Array.from([0, 0, 0.5, 0.5, 0.5, 0, 1, 0.5, 0, 0.5, 0.5, 1, NaN, NaN, NaN, NaN]);
  const picture = {
    raw: { token_labels: ['a', 'b', 'c', 'whole'] },
    arrays: { token_spans: { shape: [4, 4] } },
    array: () => spans,
  };
  assert.equal(neighbour(picture, 0, [1, 0]), 1);
  assert.equal(neighbour(picture, 0, [0, 1]), 2);
  assert.equal(neighbour(picture, 1, [0, 1]), 2); // nothing straight below: the nearest of what is lower
  assert.equal(neighbour(picture, 0, [-1, 0]), 0);
});
