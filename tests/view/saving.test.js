import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { exactSheet } from '../../daam_core/view/web/fields.js';
import { fileName, sizedPng, subtitle } from '../../daam_core/view/web/saving.js';
import { timeTicks } from '../../daam_core/view/web/sections/sound.js';
import { afterPart, partBetween } from '../../daam_core/view/web/sections/sound_part.js';
import {
  csvOf,
  mapsSheet,
  numeral,
  numeric,
  padding,
  ROUNDED,
  sheetOf,
} from '../../daam_core/view/web/sheets.js';
import { Store } from '../../daam_core/view/web/store.js';
import { payload } from './payloads.js';

test('CSV holds every digit, and texts that are neither torn nor formulas', () => {
  const third = Math.fround(1 / 3);
  const columns = ['Word', 'Number'];
  const rows = [
    ['a "b", c', third],
    ['=1+1', -0.1],
    ['line\nbreak', 1e-12],
    ['', null],
    ['none', NaN],
  ];
  const lines = csvOf({ columns, rows }).split('\r\n');
  assert.equal(lines[0], 'Word,Number');
  assert.equal(lines[1], '"a ""b"", c",0.33333334');
  assert.equal(Math.fround(Number(lines[1].split(',').pop())), third);
  assert.equal(lines[2], "'=1+1,-0.1");
  assert.equal(lines[3], '"line\nbreak",1e-12');
  assert.equal(lines[4], ',');
  assert.equal(lines[5], 'none,');
  assert.equal(csvOf({ columns: ['x'], rows: [[1 / 3]] }), 'x\r\n0.3333333333333333\r\n');
});

test('seconds under a sound stay inside, whole', () => {
  const [first, ...others] = timeTicks({ from: 0, to: 2 }, 400);
  assert.deepEqual([first.props.children, first.props.style.left], ['0.0 s', '17.5px']);
  const last = others.at(-1);
  assert.deepEqual([last.props.children, last.props.style.left], ['2.0 s', '382.5px']);
});

test('a table is saved whole: numbers in full, heads by number, no buttons', () => {
  const columns = ['Head', ...numeric('Share, %'), ''];
  const rows = [[{ head: 3 }, numeral(12.3456789, true, '12.3'), { type: 'button' }]];
  assert.deepEqual(sheetOf({ caption: 'A', columns, rows }), {
    columns: ['Head', 'Share, %'],
    rows: [[3, 12.3456789]],
  });
  const two = sheetOf(
    { caption: 'A', columns, rows },
    { caption: 'B', columns: ['Head', 'Note'], rows: [[1, 'x']] },
  );
  assert.deepEqual(two.columns, ['Table', 'Head', 'Share, %', 'Note']);
  assert.deepEqual(two.rows, [
    ['A', 3, 12.3456789, null],
    ['B', 1, null, 'x'],
  ]);
});

test('points of a column stand below each other', () => {
  const padded = padding([numeral(1.25), numeral(-10), numeral(0.5), '–']).map(({ length }) => length);
  assert.deepEqual(padded, [0, 3, 1, 0]);
});

test('a map is saved with every cell that a head sees, exactly or not at all', async () => {
  const store = new Store();
  const quantities = { gate: { short: 'Gate', signed: false } };
  const head_layers = [
    [true, false],
    [true, true],
  ];
  store.setPayload({ ...payload({ head_layers }), quantities });
  const which = { quantity: 'gate', scale: 'all_heads', side: 'a' };
  const sheet = await exactSheet(store, [0, 1], [['Gate', which]]);
  assert.deepEqual(sheet.columns, ['Head', 'Layer', 'Feature', 'Gate']);
  assert.equal(sheet.rows.length, 9);
  assert.deepEqual(sheet.rows[2], [0, 0, 2, Math.fround(0.3)]);
  assert.deepEqual(sheet.rows[8], [1, 1, 2, 0]);
  assert.equal(mapsSheet([0], [['Gate', () => null]]), ROUNDED);
  const rounded = { data: new Float32Array(1), rows: 1, columns: 1, seen: () => true, exact: false };
  assert.equal(mapsSheet([0], [['Gate', () => rounded]]), ROUNDED);
});

test('files are named by classifier, input and panel', () => {
  const store = new Store();
  store.setPayload(payload({ name: 'My/../file: "x".wav', model: 'speech-emotion' }));
  assert.equal(
    fileName(store, 'One head: layers × features'),
    'speech-emotion_my-file-x-wav_one-head-layers-features',
  );
  store.setPayload(payload({ name: '' }, { name: 'Ärger', model: 'm' }));
  assert.equal(fileName(store, 'Maps'), 'm_a_maps');
  store.set({ side: 'difference' });
  assert.equal(fileName(store, 'Maps'), 'm_a-and-ärger_maps');
  // The app's names say which model it was, so it is not said twice.
  store.setPayload(payload({ name: 'Interview · speech', model: 'speech' }));
  assert.equal(fileName(store, 'Maps'), 'speech_interview_maps');
  assert.equal(subtitle(store), 'Interview · speech');
  assert.equal(subtitle(store, { ofClass: true }), 'Interview · speech · class “x”');
  // A letter stands only beside the other one, and both where both are drawn.
  store.setPayload(payload({ name: 'Bus · cars' }, { name: 'Cat · cars', explained: 1 }));
  store.set({ side: 'b' });
  assert.equal(subtitle(store, { ofClass: true }), 'Cat · cars · m · class “y”');
  assert.equal(subtitle(store, { both: true }), 'A: Bus · cars · B: Cat · cars · m');
  assert.equal(fileName(store, 'Maps', true), 'm_bus-cars-and-cat-cars_maps');
  assert.equal(subtitle(store, { both: true, head: 0 }), 'A: Bus · cars · B: Cat · cars · m · head 0');
  assert.equal(fileName(store, 'Maps', true, 0), 'm_bus-cars-and-cat-cars_maps_head-0');
  store.set({ side: 'difference' });
  assert.equal(subtitle(store), 'A: Bus · cars · B: Cat · cars · m');
});

test('a PNG says how large it is', async () => {
  const png = Uint8Array.from({ length: 40 }, (_, i) => i);
  const sized = Buffer.from(await sizedPng(png, 400 / 25.4).arrayBuffer());
  assert.deepEqual([...sized.subarray(0, 33), ...sized.subarray(54)], [...png]);
  assert.equal(sized.readUInt32BE(33), 9);
  assert.equal(sized.toString('latin1', 37, 41), 'pHYs');
  assert.deepEqual([sized.readUInt32BE(41), sized.readUInt32BE(45), sized[49]], [15748, 15748, 1]);
  assert.equal(sized.readUInt32BE(50), crc32(sized.subarray(37, 50)));
});

test('a part of a sound lies within it, and is played once or over and over', () => {
  assert.deepEqual(partBetween(1.5, 0.5, 2), { from: 0.5, to: 1.5 });
  assert.deepEqual(partBetween(-1, 9, 2), { from: 0, to: 2 });
  assert.equal(partBetween(1, 1.001, 2), null);
  const part = { from: 0.5, to: 1.5 };
  assert.equal(afterPart(part, 1.49, true), null);
  assert.equal(afterPart(part, 1.51, true), 0.5);
  assert.equal(afterPart(part, 1.5, false), 'stop');
});
