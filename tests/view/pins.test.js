import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf, readFeature } from '../../daam_core/view/web/feature_search.js';
import { LONGEST_NOTE, MOST_PINS, pinTexts, validPins } from '../../daam_core/view/web/pins.js';
import { queryToState, stateToQuery, unknownParts } from '../../daam_core/view/web/state.js';
import { Store } from '../../daam_core/view/web/store.js';
import { explained, payload } from './payloads.js';

const QUANTITIES = { importance: { signed: false }, gate: { signed: false } };

function store(changes) {
  const made = new Store();
  made.setPayload({ ...payload(changes), quantities: QUANTITIES });
  made.set({ quantity: 'gate' });
  return made;
}

// ---- search ---------------------------------------------------------------------------------------

test('a feature is a number, a range or one of a layer', () => {
  for (const [text, wanted] of [
    ['17', { from: 17, to: 17, layer: null }],
    [' 10-40 ', { from: 10, to: 40, layer: null }],
    ['40 – 10', { from: 10, to: 40, layer: null }],
    ['0 to 383', { from: 0, to: 383, layer: null }],
    ['3.17', { from: 17, to: 17, layer: 3 }],
  ]) {
    assert.deepEqual(readFeature(text, 6, 384), wanted, text);
  }
});

test('what is no feature gets one sentence', () => {
  const how = 'a number such as 17, a range such as 10-40, or layer.feature such as 3.17.';
  for (const [text, said] of [
    ['', `Write ${how}`],
    ['<img>', `“<img>” is no feature: write ${how}`],
    ['1.2.3', `“1.2.3” is no feature: write ${how}`],
    ['3.1-4', `“3.1-4” is no feature: write ${how}`],
    ['384', 'There is no feature 384; features go from 0 to 383.'],
    ['5-999', 'There is no feature 999; features go from 0 to 383.'],
    ['6.1', 'There is no layer 6; layers go from 0 to 5.'],
  ]) {
    assert.equal(readFeature(text, 6, 384), said);
  }
});

test('the search goes to the strongest cell of what is looked for', () => {
  const shown = store();
  shown.set({ head: 1 });
  // Gates of head 1: 0.7 0.8 0.9 in layer 0, 1 0.5 0 in layer 1.
  const at = (text) => placeOf(shown, readFeature(text, 2, 3)).cell;
  assert.deepEqual(at('0'), { layer: 1, feature: 0 });
  assert.deepEqual(at('1-2'), { layer: 0, feature: 2 });
  assert.deepEqual(at('1.2'), { layer: 1, feature: 2 });
  assert.equal(placeOf(shown, readFeature('0', 2, 3)).zoom, null); // all of it is in sight
});

test('the search zooms to a range as it is, and to one feature with what is around it', () => {
  const gate = { shape: [2, 2, 400], lazy: true };
  const shown = store({ shape: [2, 2, 400], arrays: { gate } });
  const zoom = (text) => placeOf(shown, readFeature(text, 2, 400)).zoom;
  assert.deepEqual(zoom('100-149'), { x0: 100, x1: 150, y0: 0, y1: 2 });
  assert.deepEqual(zoom('100'), { x0: 81, x1: 121, y0: 0, y1: 2 });
  assert.deepEqual(zoom('399'), { x0: 360, x1: 400, y0: 0, y1: 2 });
});

test('a layer that the chosen head does not see is looked at in one that does', () => {
  const head_layers = [
    [true, false],
    [false, true],
  ];
  const { head, cell } = placeOf(store({ head_layers }), readFeature('1.2', 2, 3));
  assert.deepEqual([head, cell], [1, { layer: 1, feature: 2 }]);
});

// ---- pins -----------------------------------------------------------------------------------------

const PIN = { head: 1, layer: 0, feature: 2, note: 'a' };

test('of pins from a link or a file nothing is trusted', () => {
  const wrong = [
    null,
    7,
    'x',
    {},
    { ...PIN, head: -1 },
    { ...PIN, layer: 0.5 },
    { ...PIN, feature: '2' },
    { ...PIN, head: 2 }, // not in this explanation
    JSON.parse('{"__proto__": {"head": 0}}'),
  ];
  assert.deepEqual(validPins(wrong, [[2, 2, 3]]), []);
  assert.deepEqual(validPins([PIN, { ...PIN, note: 'again' }], [[2, 2, 3]]), [PIN]);
  const [long] = validPins([{ ...PIN, note: `a\nb\u0000${'x'.repeat(1e5)}`, more: 1 }], null);
  assert.equal(long.note.length, LONGEST_NOTE);
  assert.ok(long.note.startsWith('a b x'));
  assert.deepEqual(Object.keys(long), ['head', 'layer', 'feature', 'note']);
  assert.deepEqual(validPins([{ ...PIN, note: 3 }], null), [{ ...PIN, note: '' }]);
  const many = Array.from({ length: 100 }, (_, feature) => ({ ...PIN, feature }));
  assert.equal(validPins(many, null).length, MOST_PINS);
});

test('pins go through a link, and notes that are too long for one are left out', () => {
  const pins = Array.from({ length: MOST_PINS }, (_, i) => ({ ...PIN, feature: i, note: 'ü'.repeat(120) }));
  const query = stateToQuery({ pins });
  assert.ok(query.length < 2000);
  const back = queryToState(query).pins;
  assert.deepEqual(
    back.map(({ note, ...place }) => place),
    pins.map(({ note, ...place }) => place),
  );
  assert.deepEqual(
    back.map(({ note }) => note.length),
    [120, 120, ...new Array(10).fill(0)],
  );
  assert.deepEqual(pinTexts([{ ...PIN, note: 'x.y' }]), ['1.0.2.x.y']);
});

test('pins of a link that are not there are named', () => {
  const shown = payload();
  assert.deepEqual(unknownParts('pin=1.0.2.fine&pin=1.0.1', shown), []);
  assert.deepEqual(unknownParts('pin=9.0.2.x&pin=a&pin=0.0.0', shown), [
    'the pinned cell “9.0.2.x”',
    'the pinned cell “a”',
  ]);
  const many = Array.from({ length: 14 }, () => 'pin=0.0.0').join('&');
  assert.equal(unknownParts(many, shown).length, 2);
});

test('a cell is pinned, noted and taken off', () => {
  const shown = store();
  shown.pin(PIN, '');
  shown.pin({ head: 0, layer: 1, feature: 1 }, 'second');
  shown.pin(PIN, 'noted');
  assert.deepEqual(
    shown.state.pins.map(({ head, note }) => [head, note]),
    [
      [1, 'noted'],
      [0, 'second'],
    ],
  );
  shown.pin(PIN, null);
  assert.deepEqual(shown.state.pins, [{ head: 0, layer: 1, feature: 1, note: 'second' }]);
});

test('pins belong to a model: they come back with it', () => {
  const shown = store();
  shown.pin(PIN, 'of the first');
  const other = { ...payload({ checkpoint: 'another' }), quantities: QUANTITIES };
  shown.setPayload(other);
  assert.deepEqual(shown.state.pins, []);
  shown.setPayload({ ...payload(), quantities: QUANTITIES });
  assert.deepEqual(shown.state.pins, [{ ...PIN, note: 'of the first' }]);
  // Beside another model's result they are on the maps of their own.
  shown.setPayload({ ...payload({}, explained({ checkpoint: 'another' })), quantities: QUANTITIES });
  assert.equal(shown.pins().length, 1);
  shown.set({ side: 'b' });
  assert.equal(shown.pins().length, 0);
});
