import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../daam_core/view/web/format.js';
import { numeral, told } from '../../daam_core/view/web/sheets.js';

test('a number is as exact as its float32, and no longer', () => {
  for (const value of [0, 1, -0.1, 1 / 3, 1e-12, 123456.789, 3.4e38, 2 ** -149]) {
    const text = format.exact(value).replace(/−/g, '-');
    assert.equal(Math.fround(Number(text)), Math.fround(value));
  }
  assert.equal(format.exact(Math.fround(0.1)), '0.1');
  assert.equal(format.exact(-1.5), '−1.5');
  assert.equal(format.exact(1e-7), '1e−7');
});

test('what is no number is a dash, and rounded ones are marked', () => {
  assert.deepEqual([null, undefined, NaN].map(format.exact), ['–', '–', '–']);
  assert.deepEqual([Infinity, -Infinity].map(format.exact), ['∞', '−∞']);
  const said = [numeral(1 / 3, false), numeral(1 / 3), numeral(null, false), numeral(2, true, '2 %')];
  assert.equal(told(['a ', said[0], ', ', ...said.slice(1)]), 'a ≈ 0.3333, 0.3333–2 %');
  assert.equal(format.fixed(null, 2), '–');
});

test('captions are short, signs are plain', () => {
  assert.equal(format.short(0.123456), '0.123');
  assert.equal(format.short(0.123456, 4), '0.1235');
  assert.equal(format.signed(2), '+2');
  assert.equal(format.signed(-2), '−2');
  assert.equal(format.signed(0), '0');
  assert.equal(format.fixed(-0.001, 2), '0.00');
  assert.equal(format.fixed(-0.01, 2), '−0.01');
  assert.equal(format.logits(0.25), '+0.25 logits');
  assert.equal(format.logits(-0.04221905), '−0.04222 logits');
  assert.deepEqual([0, 999, 1000, 1234567].map(format.count), ['0', '999', '1,000', '1,234,567']);
});

test('a mean that is nothing beside its deviation is 0', () => {
  assert.equal(format.beside(-2e-9, 0.78), '0');
  assert.equal(format.beside(0.0102912, 0.78), '0.01029');
  assert.equal(format.beside(0, 0), '0');
});

test('probabilities have two decimals at the ends, where they matter', () => {
  const shares = [0, 0.00001, 0.0005, 0.5, 0.9995, 0.99999, 1];
  assert.deepEqual(
    shares.map((share) => format.percent(share)),
    ['0.0 %', '< 0.01 %', '0.05 %', '50.0 %', '99.95 %', '> 99.99 %', '100.0 %'],
  );
});

test('a probability is never quite 0 or 1, nor is what other classes share after rounding', () => {
  const shares = [0, -3e-8, 0.00001, 0.5, 0.99999, 1];
  assert.deepEqual(
    shares.map((share) => format.probability(share)),
    ['< 0.01 %', '< 0.01 %', '< 0.01 %', '50.0 %', '> 99.99 %', '> 99.99 %'],
  );
  assert.equal(format.probability(0.12345, 2), '12.35 %');
});

test('ticks are round and cover what they are asked for', () => {
  assert.deepEqual(format.ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(format.ticks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
  assert.deepEqual(format.ticks(3, 3, 4), [3]);
});
