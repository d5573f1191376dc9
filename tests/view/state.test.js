import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFeature } from '../../daam_core/view/web/feature_search.js';
import { zoomText } from '../../daam_core/view/web/maps.js';
import {
  comparable,
  DEFAULTS,
  queryToState,
  stateToQuery,
  unknownParts,
  validState,
} from '../../daam_core/view/web/state.js';
import { Store } from '../../daam_core/view/web/store.js';
import { encoded, payload } from './payloads.js';

test('a state goes through a link and back', () => {
  const state = {
    tab: 'heatmap',
    quantity: 'gate',
    scale: 'per_head',
    colours: 'rank',
    palette: 'grey',
    binning: 'mean',
    side: 'b',
    head: 3,
    heads: [0, 4],
    pair: [4, 1],
    order: 'contribution',
    cell: { layer: 2, feature: 50 },
    zoom: { x0: 10.25, x1: 60, y0: 0, y1: 6 },
    tokenHead: 2,
    tokenMode: 'absolute',
    opacity: 0.35,
    layerChart: 'lines',
    layers: 'all',
    top: 25,
    display: 'open',
    pins: [
      { head: 1, layer: 3, feature: 17, note: 'sport? a.b ~ “ü” & more' },
      { head: 0, layer: 0, feature: 2, note: '' },
    ],
  };
  assert.deepEqual(Object.keys(state).sort(), Object.keys(DEFAULTS).sort());
  assert.deepEqual(queryToState(stateToQuery(state)), state);
  assert.equal(stateToQuery(DEFAULTS), '');
});

test('a broken link is harmless', () => {
  for (const query of ['h=9.5&cell=1', 'q=%3Cscript%3E&z=a_b_c_d', 'hs=x.y&op=NaN', '&&==', 'cell=-1.2']) {
    assert.deepEqual(queryToState(query), {});
  }
});

const WRONG = [
  { head: 99 },
  { head: -1 },
  { head: '0' },
  { head: 1.5 },
  { quantity: '<img>' },
  { tab: 'nowhere' },
  { cell: { layer: 6, feature: 0 } },
  { cell: '3.4' },
  { opacity: 7 },
  { zoom: { x0: 5, x1: 2, y0: 0, y1: 6 } },
  { zoom: { x0: 0, x1: 1e9, y0: 0, y1: 6 } },
  { heads: [] },
  { side: 'b' },
  { pair: [1] },
  { top: 1e6 },
  JSON.parse('{"__proto__": {"x": 1}}'),
  { unknown: 1 },
  null,
  7,
];

test('a state that does not fit changes nothing', () => {
  for (const wrong of WRONG) {
    const store = new Store(() => assert.fail('told of no change'));
    store.changed = () => {};
    store.setPayload(payload());
    const before = store.state;
    store.changed = () => assert.fail('told of a change');
    store.set(wrong);
    assert.deepEqual(store.state, before);
  }
  assert.deepEqual(validState({ heads: [0, 0, 77] }, payload()).heads, [0]);
});

test('what changed is told, and what did not stays the same object', () => {
  const told = [];
  const store = new Store((changed) => told.push(...changed));
  store.setPayload(payload());
  store.set({ cell: { layer: 1, feature: 2 } });
  const { cell } = store.state;
  store.set({ head: 1, cell: { layer: 1, feature: 2 } });
  assert.deepEqual(told, ['payload', 'cell', 'head']);
  assert.equal(store.state.cell, cell);
});

test('whoever goes to a cell sees it: what is zoomed into elsewhere is shown whole', () => {
  const store = new Store();
  store.setPayload(payload());
  const zoom = { x0: 0, x1: 2, y0: 0, y1: 2 };
  store.set({ zoom });
  store.select({ head: 1, layer: 1, feature: 1 }, 'heatmap');
  assert.deepEqual([store.state.zoom, store.state.tab, store.state.head], [zoom, 'heatmap', 1]);
  store.select({ head: 0, layer: 1, feature: 2 }); // on the map where one is
  assert.deepEqual(store.state.zoom, zoom);
  store.select({ head: 0, layer: 1, feature: 2 }, 'heatmap');
  assert.equal(store.state.zoom, null);
});

test('another payload keeps what still fits', () => {
  const store = new Store();
  store.setPayload(payload());
  store.set({ head: 1, quantity: 'gate', cell: { layer: 1, feature: 2 } });
  store.setPayload(payload({ shape: [2, 2, 2] }));
  assert.deepEqual([store.state.head, store.state.quantity, store.state.cell], [1, 'gate', null]);
  store.setPayload(null);
  assert.equal(store.payload, null);
  assert.equal(store.state.quantity, 'gate');
});

test('another model is shown whole: zoom and cell are places in the one before it', () => {
  const store = new Store();
  const text = payload({ shape: [2, 6, 384] });
  store.setPayload(text);
  const chosen = { zoom: { x0: 107, x1: 147, y0: 0, y1: 6 }, cell: { layer: 3, feature: 126 } };
  store.set(chosen);
  assert.equal(zoomText(store), 'Zoomed in: features 107–146 of 384.');
  store.setPayload(payload({ shape: [2, 6, 384], explained: 1 })); // the same model: the same place
  assert.deepEqual([store.state.zoom, store.state.cell], [chosen.zoom, chosen.cell]);
  store.setPayload(payload({ shape: [2, 16, 320], checkpoint: 'd' }));
  assert.deepEqual([store.state.zoom, store.state.cell, zoomText(store)], [null, null, '']);
  store.set({ ...chosen, zoom: { x0: 0, x1: 320, y0: 0, y1: 6 } });
  assert.equal(zoomText(store), 'Zoomed in: layers 0–5 of 16.');
  // A model of the same size is another one, too, and the one beside it may have another size.
  store.setPayload(payload({ shape: [2, 16, 320], checkpoint: 'e' }, { shape: [2, 6, 384] }));
  assert.deepEqual([store.state.zoom, store.state.cell], [null, null]);
  store.set(chosen);
  store.set({ side: 'b' });
  assert.deepEqual([store.state.zoom, store.state.cell], [null, null]);
  store.set({ side: 'a', zoom: chosen.zoom });
  assert.deepEqual(store.state.zoom, chosen.zoom); // asked for
});

test('letters and names of two results', () => {
  const store = new Store();
  store.setPayload(payload({ name: 'C: a file.wav' }, { name: '', modality: 'text' }));
  assert.equal(store.label('a'), 'A: C: a file.wav');
  assert.equal(store.letter('a'), 'A');
  assert.equal(store.label('b'), 'B');
  assert.equal(store.label('difference'), 'B − A');
  assert.equal(store.twoModels(), false);
  assert.ok(comparable(store.payload));
  assert.ok(!comparable(payload({}, { modality: 'audio' })));
  assert.ok(!comparable(payload()));
});

test('a payload of another version is refused', () => {
  assert.throws(() => new Store().setPayload({ version: 7 }), /reads payloads of version 2, got 7/);
});

test('parts of a link that a payload does not have are named', () => {
  const payload = /** @type {any} */ ({ a: { shape: [2, 3, 4], modality: 'text' }, b: null });
  assert.deepEqual(unknownParts('t=layers&h=1&cell=2.3&x=a&z=0_4_0_3&n=5', payload), []);
  assert.deepEqual(unknownParts('h=2&cell=3.0&x=b&t=nope&model=m', payload), [
    'the tab “nope”',
    'a second result to compare with',
    'head “2”',
    'the cell at layer 3, feature 0',
  ]);
});

test('axes have the names that the explanation gives them, and rows that are tokens theirs', () => {
  const store = new Store();
  store.setPayload(payload());
  assert.deepEqual(store.axes(), {
    row: 'layer',
    column: 'feature',
    Row: 'Layer',
    Column: 'Feature',
    rows: 'layers',
    columns: 'features',
  });
  assert.deepEqual([store.result().rowName(1), store.result().rowNames()], [1, null]);
  store.setPayload(payload({ axis_names: ['token', 'channel'], token_labels: ['rain', 'thunderstorms'] }));
  assert.equal(store.axes().Row, 'Token');
  assert.equal(store.result().rowName(1), '1 “thunderstorms”');
  assert.deepEqual(store.result().rowNames(), ['rain', 'thunderstorm']);
  assert.equal(readFeature('9', 2, 3, store.axes()), 'There is no channel 9; channels go from 0 to 2.');
});

test('evidence is shown where every result has it, else the Importance Factor', () => {
  const store = new Store();
  store.set({ quantity: 'evidence' });
  assert.equal(store.state.quantity, 'evidence');
  const arrays = { evidence: encoded(Array(12).fill(1), [2, 2, 3]) };
  const ones = [
    [1, 1],
    [1, 1],
  ];
  store.setPayload(payload({ arrays, ranges: { evidence: ones } }));
  assert.equal(store.state.quantity, 'evidence');
  assert.deepEqual([...store.a.map('evidence', 1, 'all_heads')], [1, 1, 1, 1, 1, 1]);
  assert.deepEqual(store.a.range('evidence', 'all_heads', 0), [1, 1]);
  store.setPayload(payload());
  assert.equal(store.quantity, 'importance');
});

test('unless another map is asked for, evidence comes first where it is there, and links say what was asked for', () => {
  const store = new Store();
  const arrays = { evidence: encoded(Array(12).fill(1), [2, 2, 3]) };
  const quantities = { importance: {}, gate: {}, evidence: {} };
  store.setPayload({ ...payload({ arrays }), quantities });
  assert.deepEqual([store.quantity, stateToQuery(store.state)], ['evidence', '']);
  store.set({ quantity: 'importance' });
  assert.deepEqual([store.quantity, stateToQuery(store.state)], ['importance', 'q=importance']);
  store.set({ quantity: null });
  store.setPayload(payload());
  assert.equal(store.quantity, 'importance');
});
