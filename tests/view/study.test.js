import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byFrequency, Columns, distinctEnd } from '../../daam_core/view/web/study/columns.js';
import {
  frameOf,
  inside,
  nearest,
  placeOf,
  ring,
  square,
  stamped,
} from '../../daam_core/view/web/study/scatter.js';
import {
  ANY,
  confused,
  confusion,
  dealt,
  extremes,
  fitting,
  flatters,
  nothingHolds,
  openingSlice,
  sameInStudy,
  sliceName,
  sliceRows,
  sorted,
  tied,
} from '../../daam_core/view/web/study/selecting.js';
import {
  DEFAULTS,
  ofAnother,
  queryToState,
  stateToQuery,
  validState,
} from '../../daam_core/view/web/study/state.js';
import { StudyStore } from '../../daam_core/view/web/study/store.js';
import { pieces } from '../../daam_core/view/web/study/words.js';

const packed = (kind, numbers) => ({
  dtype: kind === Int32Array ? 'int32' : 'float32',
  data: Buffer.from(new kind(numbers).buffer).toString('base64'),
});

/** Six inputs of three classes; two errors, the second of them the more confident. */
function payload() {
  return {
    version: 1,
    name: 'six',
    explains: true,
    cut: false,
    facts: {
      classes: ['sad', 'angry', 'calm'],
      labels: 'one',
      sets: [],
      shape: [2, 3, 20],
      head_layers: [
        [true, true, true],
        [true, true, true],
      ],
      modality: 'text',
    },
    refused: { count: 0, first: [] },
    columns: {
      number: packed(Int32Array, [0, 1, 3, 4, 5, 6]),
      label: packed(Int32Array, [0, 1, 2, 0, 1, 2]),
      prediction: packed(Int32Array, [0, 2, 2, 1, 1, 2]),
      confidence: packed(Float32Array, [0.9, 0.6, 0.7, 0.95, 0.3, 0.5]),
      seconds: null,
      place: ['row 10', 'row 9', 'row 8', 'row 7', 'row 6', 'row 5'],
      name: ['row 10', 'row 9', 'row 8', 'b/7.jpg', 'row 6', 'row 5'],
      text: ['One', 'two', 'THREE', 'four', 'five', 'six'],
    },
    outside: null,
    groups: { speaker: { names: ['a', 'b'], codes: packed(Int32Array, [0, 0, 0, 1, 1, -1]) } },
    selections: { mine: packed(Int32Array, [3, 6, 99]) },
    methods: ['pca'],
    units: ['group', 'thing'],
    shared: 'actor',
    quantities: {},
    colours: { heads: [], diverging: [], diverging_dark: [] },
    terms: {},
  };
}
const columns = new Columns(payload());
const all = fitting(columns, ANY);
const list = (numbers) => Array.from(numbers);

test('errors come first, the most confident on top', () => {
  assert.deepEqual(list(sorted(columns, all, 'errors', false)), [3, 1, 0, 2, 5, 4]);
  assert.equal(columns.errors, 2);
});

test('columns sort by number, by name and by the alphabet', () => {
  assert.deepEqual(list(sorted(columns, all, 'confidence', true)), [3, 0, 2, 1, 5, 4]);
  assert.deepEqual(list(sorted(columns, all, 'place', false)), [3, 5, 4, 2, 1, 0]); // row 9 before row 10
  assert.equal(columns.whereOf(3), 'b/7.jpg, row 7');
  assert.equal(columns.whereOf(1), 'row 9');
  assert.deepEqual(list(sorted(columns, all, 'label', false)), [1, 4, 2, 5, 0, 3]); // angry, calm, sad
  const scores = Float32Array.from([5, 1, 4, 2, 3, 0]);
  assert.deepEqual(list(sorted(columns, all, 'score', true, scores)), [0, 2, 4, 3, 1, 5]);
});

test('a filter keeps what fits all of it', () => {
  const fits = (filter, marked) => list(fitting(columns, { ...ANY, ...filter }, marked));
  assert.deepEqual(fits({ right: 'wrong' }), [1, 3]);
  assert.deepEqual(fits({ find: ' three ' }), [2]);
  assert.deepEqual(fits({ find: 'ROW 1' }), [0]);
  assert.deepEqual(fits({ label: 2, from: 0.6 }), [2]);
  assert.deepEqual(fits({ to: 0.3 }), [4]); // 0.3 of float32 is as much as it says
  assert.deepEqual(fits({ group: 'speaker', value: 1 }), [3, 4]);
  assert.deepEqual(fits({ right: 'right' }, Uint8Array.from([1, 1, 0, 0, 0, 1])), [0, 5]);
});

test('the confusion matrix counts every pair once', () => {
  const counts = confusion(columns, all);
  assert.deepEqual(list(counts), [1, 1, 0, 0, 1, 1, 0, 0, 2]);
  assert.deepEqual(confused(counts, 3, 1), [[0, 1, 1]]);
});

test('slices name rows', () => {
  const known = {
    filtered: Int32Array.from([4]),
    others: Int32Array.from([0, 1]),
    selections: { mine: [3, 6, 99] },
  };
  const rows = (name) => sliceRows(columns, name, known) && list(sliceRows(columns, name, known));
  assert.deepEqual(rows('label.1'), [1, 4]);
  assert.deepEqual(rows('prediction.2'), [1, 2, 5]);
  assert.deepEqual(rows('wrong'), [1, 3]);
  assert.deepEqual(rows('others'), [2, 3, 4, 5]);
  assert.deepEqual(rows('filter'), [4]);
  assert.deepEqual(rows('group.speaker.1'), [3, 4]);
  assert.deepEqual(rows('selection.mine'), [2, 5]); // 99 is not in the study
  for (const name of ['label.9', 'label', 'label.x', 'group.height.0', 'selection.yours', 'nonsense']) {
    assert.equal(rows(name), null, name);
  }
  assert.equal(sliceName(columns, 'group.speaker.1'), 'speaker b');
  assert.equal(sliceName(columns, 'label.0'), 'true class sad');
});

test('groups are dealt as wholes, but not where they are compared with each other; what was dealt is told', () => {
  const store = new StudyStore();
  store.setPayload(payload());
  assert.equal(store.units(), 'group');
  store.set({ units: 'thing' });
  assert.equal(store.units(), 'thing');
  store.set({ units: 'height' }); // no such column
  assert.equal(store.units(), 'thing');
  store.set({ units: 'none' });
  assert.equal(store.units(), '');
  store.setPayload({ ...payload(), units: [] });
  store.set({ units: 'auto' });
  assert.equal(store.units(), '');
  store.setPayload({
    ...payload(),
    groups: { group: { names: ['a', 'b'], codes: packed(Int32Array, [0, 0, 0, 1, 1, -1]) } },
  });
  store.set({ first: 'group.group.0' });
  assert.equal(store.units(), '');

  const units = {
    column: 'group',
    in_both: 20,
    only_first: 0,
    only_second: 0,
    left_out: 1,
    arrangements: 1e6,
  };
  assert.equal(
    dealt(units, 'group', 'speaker'),
    'Tested by dealing all inputs of one speaker together: the 20 with inputs in both groups swapped ' +
      'them at random. 1 could not be dealt and took no part.',
  );
  assert.match(dealt({ ...units, arrangements: 4 }, 'group', 'speaker'), /only 4 ways to deal them, too few/);
  assert.match(dealt(null, '', 'speaker'), /The study does not say which inputs are of one speaker;/);
  assert.match(
    dealt(null, 'group', 'speaker'),
    /Inputs of one speaker are alike, .* deal all of one speaker tog/,
  );
  assert.equal(
    nothingHolds([4, 4]),
    ' 4 against 4 inputs are too few for that: chance alone makes as large differences among so many cells. ' +
      'The maps show every difference, each of which may be chance.',
  );
  assert.equal(nothingHolds([60, 40]), ' The maps show every difference, each of which may be chance.');
});

test('classes that occur are listed, the most frequent first', () => {
  assert.deepEqual(byFrequency([2, 1, 2, -1, -1, -1, 0, 0, 0]), [0, 2, 1]);
  assert.deepEqual(columns.predictions, [2, 1, 0]);
  assert.deepEqual(columns.options(columns.labels, 'label.'), [
    ['label.0', 'sad'],
    ['label.1', 'angry'],
    ['label.2', 'calm'],
  ]);
});

test('groups are compared first for the class that is told best', () => {
  assert.equal(openingSlice(columns, [[], [[0, 0, 0, -2]], [[0, 0, 0, 1.9]]]), 'label.1');
  assert.equal(openingSlice(columns, []), 'label.0');
  // As large a difference in more inputs is less of an accident.
  const uneven = new Columns({
    ...payload(),
    columns: { ...payload().columns, label: packed(Int32Array, [0, 1, 1, 1, 2, 2]) },
  });
  assert.equal(openingSlice(uneven, [[[0, 0, 0, 1]], [[0, 0, 0, 1]], [[0, 0, 0, 1]]]), 'label.1');
});

test('a selection gets a name, is compared, and says where it is kept', async () => {
  const store = new StudyStore();
  store.setPayload(payload());
  const asked = [];
  store.source = {
    ask: async (question, wanted) => {
      asked.push([question, wanted]);
      return { reason: wanted.name === 'mine' ? '' : 'the folder is full' };
    },
    address: () => '',
  };
  store.narrow({ right: 'wrong' });
  assert.equal(await store.select('odd ones'), 'the folder is full');
  assert.deepEqual(asked, [['keep', { name: 'odd ones', numbers: [1, 4] }]]);
  store.clear();
  store.set({ first: 'selection.odd ones', second: 'others' });
  assert.deepEqual(store.slices().map(list), [
    [1, 3],
    [0, 2, 4, 5],
  ]);
  assert.equal(await store.select('mine'), '');
  assert.equal(store.selections.mine.length, 6);

  // Another name goes with it into the comparison, and takes no other's place.
  await assert.rejects(store.rename('odd ones', 'mine'), /There is a selection “mine” already/);
  assert.equal(await store.rename('odd ones', 'few'), 'the folder is full');
  assert.deepEqual(asked.at(-1), ['rename', { name: 'odd ones', other: 'few' }]);
  assert.deepEqual(Object.keys(store.selections), ['mine', 'few']);
  assert.equal(store.state.first, 'selection.few');
  assert.deepEqual(list(store.slices()[0]), [1, 3]);
  store.source = null;
  assert.match(await store.select('third'), /nobody/);
});

test('of extremes that tie, the more certain predictions come first, and how many tie is told', () => {
  const [scores, sure] = [
    [1, 3, 3, 0, 3, 0],
    [0.5, 0.6, 0.9, 0.2, 0.6, 0.4],
  ];
  assert.deepEqual(extremes(scores, sure, 3, false), [2, 1, 4]);
  assert.deepEqual(extremes(scores, sure, 2, true), [5, 3]);
  assert.deepEqual(tied(scores, [2, 1]), { value: 3, all: 3, shown: 2 });
  assert.deepEqual(tied(scores, [2, 1, 4, 0]), null); // nothing else has its last, 1
  assert.deepEqual(tied([], []), null);
  const rows = sorted(columns, all, 'score', true, Float32Array.from([7, 7, 7, 0, 0, 0]));
  assert.deepEqual(list(rows), [0, 2, 1, 3, 5, 4]);
});

test('a number and what a study stores of it are one', () => {
  assert.ok(sameInStudy(0, 1.27e-10));
  assert.ok(sameInStudy(0.333251953125, 1 / 3));
  assert.ok(!sameInStudy(0.3335, 1 / 3));
  assert.ok(!sameInStudy(0, 6e-8)); // float16 holds it
});

test('an accuracy far above the stated one may be that of training data', () => {
  assert.ok(flatters(192, 192, 0.856));
  assert.ok(flatters(950, 1000, 0.856));
  assert.ok(!flatters(870, 1000, 0.856));
  assert.ok(!flatters(0, 0, 0.856));
});

test('the table is gone to with the input in it, whatever was filtered', () => {
  const store = new StudyStore();
  store.setPayload(payload());
  store.set({ tab: 'cells' });
  store.narrow({ right: 'wrong' });
  store.show('table', { input: 0 });
  assert.deepEqual([store.state.tab, store.state.input, store.sought], ['inputs', 0, 'table']);
  assert.ok(list(store.rows()).includes(store.row()));
  store.narrow({ right: 'wrong' });
  store.show('table', { input: 4 }); // an error, so the filter stays
  assert.equal(store.state.filter.right, 'wrong');
});

test('another study begins on the same tab, and with nothing else of this one', () => {
  const here = { ...DEFAULTS, tab: 'cells', first: 'label.1', input: 4, sort: 'score' };
  assert.deepEqual(ofAnother(here), { ...DEFAULTS, tab: 'cells' });
});

test('a kept selection is shown again, and removed', async () => {
  const store = new StudyStore();
  store.setPayload(payload());
  store.narrow({ right: 'wrong' });
  store.showSelection('mine');
  assert.deepEqual(list(store.fitting()), [2, 5]); // 99 is not in the study, and the filter is gone
  const asked = [];
  store.source = { ask: async (...wanted) => asked.push(wanted) && { reason: '' }, address: () => '' };
  assert.equal(await store.drop('mine'), '');
  assert.deepEqual(asked, [['drop', { name: 'mine' }]]);
  assert.deepEqual(Object.keys(store.selections), []);
});

test('points of the plane are met where they are drawn', () => {
  const [x, y] = [
    [0, 1, 2],
    [0, 10, 5],
  ];
  const frame = frameOf(x, y, 220, 120);
  assert.deepEqual(placeOf(frame, 0, 0), [10, 110]);
  assert.deepEqual(placeOf(frame, 2, 10), [210, 10]);
  const shown = [1, 1, 1];
  assert.equal(nearest(frame, x, y, [112, 12], 12, shown), 1);
  assert.equal(nearest(frame, x, y, [112, 12], 12, [1, 0, 1]), -1);
  assert.deepEqual(list(inside(frame, x, y, [220, 120], [100, 0])), [0, 1, 1]);
  const one = frameOf([3], [3], 100, 100); // a single point lies in the middle
  assert.deepEqual(placeOf(one, 3, 3), [50, 50]);
});

test('points are written as squares of pixels, cut at the edge; where two lie there is more of the last', () => {
  const frame = { left: 0, top: 0, width: 4, height: 4, low: [0, 0], high: [4, 4] };
  const pixels = { data: new Uint32Array(16), width: 4, height: 4, ratio: 1 };
  const points = { x: [0, 1, 3], y: [4, 3, 1] };
  stamped(pixels, frame, points, square(2), (i) => [null, [1, 2, 3], [4, 5, 6]][i], 204);
  stamped(pixels, frame, { x: [0], y: [4] }, square(2), () => [7, 8, 9], 204);
  const [one, other, both] = [0xcc030201, 0xcc060504, 0xff090807].map((v) => v >>> 0);
  assert.deepEqual(list(pixels.data), [
    both,
    one,
    0,
    0,
    one,
    one,
    0,
    0,
    0,
    0,
    other,
    other,
    0,
    0,
    other,
    other,
  ]);
});

test('the mark of an error is a ring: closed, and empty inside', () => {
  const around = ring(2, 1);
  assert.equal(around.length, 12);
  assert.ok(around.every(([u, v]) => Math.abs(Math.hypot(u, v) - 2) <= 0.5));
  assert.ok(!ring(4.6, 3.5).some(([u, v]) => Math.hypot(u, v) < 2));
});

test('words are cut at their tokens, by whole letters', () => {
  const text = 'A 😀 day\u202e.';
  assert.deepEqual(pieces(text, [null, [0, 1], [2, 3], [4, 7], [4, 7]]), [
    ['A', 1],
    [' ', -1],
    ['😀', 2],
    [' ', -1],
    ['day', 3],
    ['.', -1],
  ]);
  assert.deepEqual(pieces('ab', [[0, 9]]), [['ab', -1]]);
});

test('a state goes through a link and back', () => {
  const state = {
    tab: 'cells',
    filter: {
      find: 'a b',
      label: 1,
      prediction: 2,
      right: 'wrong',
      from: 0.25,
      to: 0.75,
      group: 'speaker',
      value: 1,
    },
    sort: 'score',
    down: true,
    colour: 'score',
    method: 'umap',
    input: 4,
    place: { head: 1, layer: null, feature: 3 },
    quantity: 'gate',
    first: 'group.speaker.1',
    second: 'none',
    slicing: 'class_importance',
    units: 'thing',
    map: 'second',
    head: 1,
    certain: false,
  };
  assert.deepEqual(Object.keys(state).sort(), Object.keys(DEFAULTS).sort());
  assert.deepEqual(queryToState(stateToQuery(state)), state);
  assert.equal(stateToQuery(DEFAULTS), '');
});

test('a broken link is harmless', () => {
  const query =
    'dt=x&ds=hack&dp=1.2&di=-7&da=label.zz&db=%00&dq=1&df0=nan&df1=7&dfl=1e9&dfv=1&dfg=__proto__&dh=-1&dd=1';
  const wanted = queryToState(query);
  const store = new StudyStore();
  store.setPayload(payload());
  store.set(wanted);
  assert.deepEqual(store.state, { ...DEFAULTS });
  for (const junk of [
    null,
    7,
    'x',
    { place: { head: 9, layer: 0, feature: 0 } },
    { filter: 7 },
    { first: {} },
  ]) {
    assert.deepEqual(validState(junk, store.facts()), {});
  }
});

test('a store keeps what it worked out, and asks once', async () => {
  const told = [];
  const store = new StudyStore((changed) => told.push(...changed));
  store.setPayload(payload());
  assert.equal(store.rows(), store.rows());
  let asked = 0;
  store.source = {
    ask: async (question) => {
      asked += 1;
      if (question === 'alike') throw new Error('No.');
      if (question === 'telling') return [[[0, 1, 2, 0.5]], [[1, 2, 3, -3]], []];
      return { scores: packed(Float32Array, [6, 5, 4, 3, 2, 1]) };
    },
    address: () => '',
  };
  const place = { ...store.state.place, quantity: store.state.quantity };
  assert.equal(store.answer('place', place), null);
  assert.equal(store.answer('place', place), null);
  store.answer('alike', place);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(asked, 2);
  assert.deepEqual(store.answer('alike', place), { error: 'No.' });
  assert.deepEqual(list(store.scores()), [6, 5, 4, 3, 2, 1]);
  store.narrow({ right: 'wrong' });
  assert.deepEqual(store.numbersOf(store.rows()), [4, 1]);
  // Nobody chose a group yet: the class that the heads tell best, once it is known which.
  assert.equal(store.first(), null);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(store.first(), 'label.1');
  assert.deepEqual(store.slices().map(list), [
    [1, 4],
    [0, 2, 3, 5],
  ]);
  store.set({ first: 'label.0' });
  assert.deepEqual(store.slices().map(list), [
    [0, 3],
    [1, 2, 4, 5],
  ]);
  assert.ok(told.includes('answers') && told.includes('filter'));
});

test('what was named last keeps its name, and a removed selection can be put back as it was', async () => {
  const store = new StudyStore();
  store.setPayload(payload());
  const asked = [];
  store.source = { ask: async (...wanted) => asked.push(wanted) && { reason: '' }, address: () => '' };
  store.narrow({ right: 'wrong' });
  await store.select('odd');
  assert.deepEqual(store.called, { name: 'odd', reason: '' });
  await store.rename('odd', 'errors');
  assert.deepEqual(store.called, { name: 'errors', reason: '' });
  store.set({ tab: 'slices', first: `selection.${store.called.name}` });
  assert.equal(store.state.first, 'selection.errors');
  await store.drop('errors');
  assert.equal(store.called, null);

  // What was first of the list is so again, with the same inputs.
  await store.drop('mine');
  assert.deepEqual(Object.keys(store.selections), []);
  assert.equal(await store.undrop(), '');
  assert.deepEqual(asked.at(-1), ['keep', { name: 'mine', numbers: [3, 6, 99] }]);
  assert.deepEqual(list(store.selections.mine), [3, 6, 99]);
  assert.equal(store.dropped, null);
  await store.select('errors');
  await store.drop('mine');
  await store.undrop();
  assert.deepEqual(Object.keys(store.selections), ['mine', 'errors']);

  // Another of its name takes its place; then nothing is put back over it. Another filter is no longer called so.
  await store.drop('mine');
  await store.select('mine');
  assert.equal(store.dropped, null);
  assert.equal(await store.undrop(), '');
  assert.deepEqual(list(store.selections.mine), [1, 4]);
  assert.equal(store.called.name, 'mine');
  store.clear();
  assert.equal(store.called, null);
});

test('as much of the end of names stays as tells them apart', () => {
  assert.equal(distinctEnd(['a/1.flac', 'b/2.flac']), 8);
  const names = ['angry/19-05-01-01-01.flac', 'angry/19-05-02-02-01.flac', 'sad/01-04-01-01-01.flac'];
  assert.equal(distinctEnd(names), 9);
  assert.equal(new Set(names.map((name) => name[0] + name.slice(-9))).size, 3);
  const alike = ['x/a-long-beginning/one-file-of-some.wav', 'x/b-long-beginning/one-file-of-some.wav'];
  assert.equal(distinctEnd(alike), 20);
  assert.equal(distinctEnd([]), 8);
});

test('where an input may have several labels, a class counts every input that has it', () => {
  const one = payload();
  const sets = [[], [0, 1], [0, 2]];
  const several = new Columns({
    ...one,
    facts: { ...one.facts, labels: 'several', sets },
    columns: {
      ...one.columns,
      label: packed(Int32Array, [0, 3, 4, 4, 5, 1]),
      prediction: packed(Int32Array, [0, 4, 4, 0, 5, 3]),
    },
  });
  assert.deepEqual(
    [0, 3, 4, 5, -1].map((code) => several.className(code)),
    ['sad', 'none', 'sad, angry', 'sad, calm', '–'],
  );
  assert.deepEqual(
    [several.labels, several.predictions],
    [
      [0, 1, 2],
      [0, 1, 2],
    ],
  );
  assert.deepEqual([Array.from(several.sizes()), several.errors], [[4, 3, 1], 3]);
  assert.deepEqual(Array.from(several.right), [1, 0, 1, 0, 1, 0]);
  const rows = (filter) => Array.from(fitting(several, { ...ANY, ...filter }));
  assert.deepEqual(rows({ label: 1 }), [2, 3, 5]);
  assert.deepEqual(rows({ label: 0, prediction: 1 }), [2]);
  assert.deepEqual(rows({ right: 'wrong' }), [1, 3, 5]);
  const known = { filtered: Int32Array.of(), selections: {} };
  assert.deepEqual(Array.from(sliceRows(several, 'label.0', known)), [0, 2, 3, 4]);
  assert.deepEqual(Array.from(sliceRows(several, 'prediction.1', known)), [1, 2]);
  // By the alphabet: angry, none, sad, sad and angry, sad and calm.
  assert.deepEqual(
    Array.from(sorted(several, Int32Array.from(several.number.keys()), 'label', false)),
    [5, 1, 0, 2, 3, 4],
  );
});
