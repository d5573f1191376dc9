/** What texts and colours go by: the map that is shown, and its scale. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between, factorThresholds, isWide, makeScale } from '../../daam_core/view/web/colour.js';
import {
  field,
  flatText,
  headDifference,
  scaleOf,
  strongestCell,
  whichOf,
} from '../../daam_core/view/web/fields.js';
import { logTicks } from '../../daam_core/view/web/format.js';
import { helpOn as curvesHelp, strongestText } from '../../daam_core/view/web/sections/cell.js';
import { apartText, showChange } from '../../daam_core/view/web/sections/compare.js';
import { allHelp, headRow } from '../../daam_core/view/web/sections/heads.js';
import { oneHelp } from '../../daam_core/view/web/sections/one_head.js';
import { summaryOf } from '../../daam_core/view/web/sections/parameters.js';
import { told } from '../../daam_core/view/web/sheets.js';
import { Store } from '../../daam_core/view/web/store.js';
import { encoded, payload } from './payloads.js';

const QUANTITIES = {
  importance: { name: 'Importance Factor', short: 'IF' },
  density_attention: { name: 'Density attention', short: 'DA' },
  gate: { name: 'Gate', short: 'Gate' },
  class_importance: { name: 'Class importance', short: 'Class', signed: true },
};

/** Two heads of which the first lets everything through. @param {any} [more] quantities */
function store(more = {}) {
  const gate = [1, 0.999, 0.998, 0.9985, 0.9992, 1, 0.7, 0.8, 0.9, 1, 0.5, 0];
  const evidence = [0, 0.1, -0.9, 0.5, 0.2, 0, 0, 0, 0, 0.3, 0, 0];
  const ends = [
    [0.998, 1],
    [0, 1],
  ];
  const shown = new Store();
  shown.setPayload({
    ...payload({
      arrays: { gate: encoded(gate, [2, 2, 3]), evidence: encoded(evidence, [2, 2, 3]) },
      amplitude: [
        [1, 1],
        [1, 1],
      ],
      ranges: {
        gate: ends,
        density_attention: ends,
        evidence: [
          [-0.9, 0.5],
          [0, 0.3],
        ],
      },
    }),
    quantities: { ...QUANTITIES, ...more },
  });
  return shown;
}
const EVIDENCE = { evidence: { name: 'Evidence', short: 'Evid.', signed: true } };

test('the strongest cell is that of the map shown, and it is said by what', () => {
  const shown = store(EVIDENCE);
  assert.equal(shown.quantity, 'evidence');
  // Head 0 is open: one begins with it only where it has the largest numbers of the map that is shown.
  assert.equal(shown.head, 0);
  shown.set({ tab: 'dataset' });
  assert.equal(shown.head, 1);
  shown.set({ tab: 'heatmap', quantity: 'importance' });
  assert.equal(shown.head, 1);
  assert.equal(store().head, 1);
  shown.set({ head: 0, quantity: 'evidence' });
  assert.deepEqual(strongestCell(shown), { layer: 0, feature: 2 });
  assert.equal(
    strongestText(shown),
    'No cell selected. Shown is where head 0 has its largest evidence, whatever its sign',
  );
  shown.set({ head: 1 });
  assert.deepEqual(strongestCell(shown), { layer: 1, feature: 0 });
  shown.set({ head: 0, quantity: 'gate' });
  assert.deepEqual(strongestCell(shown), { layer: 0, feature: 0 });
  assert.equal(strongestText(shown), 'No cell selected. Shown is where head 0 has its largest gate');
});

test('of a head whose map is 0 everywhere no cell is called the largest', () => {
  const shown = new Store();
  const gate = encoded([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], [2, 2, 3]);
  shown.setPayload({
    ...payload({
      arrays: { gate },
      ranges: {
        gate: [
          [0, 0],
          [1, 1],
        ],
      },
    }),
    quantities: QUANTITIES,
  });
  shown.set({ tab: 'heatmap', quantity: 'gate', head: 0 });
  assert.equal(
    strongestText(shown),
    'No cell selected. The gate of head 0 is 0 everywhere; shown is its first cell',
  );
  shown.set({ head: 1 });
  assert.equal(strongestText(shown), 'No cell selected. Shown is where head 1 has its largest gate');
});

test('a head that is open everywhere is drawn flat on its own scale, and said so', () => {
  const shown = store();
  shown.set({ quantity: 'gate', scale: 'per_head' });
  const which = whichOf(shown);
  assert.equal(flatText(shown, 0, which), 'lets everything through (0.998 to 1)');
  assert.equal(flatText(shown, 1, which), '');
  const colours = [0.998, 0.999, 1].map(scaleOf(shown, 0, which).index);
  assert.ok(colours[2] === 255 && colours[0] >= 254, String(colours));
  shown.set({ colours: 'rank' });
  assert.ok(scaleOf(shown, 0, whichOf(shown)).index(0.998) >= 254);
  assert.deepEqual([0, 1].map(scaleOf(shown, 1, { ...which }).index).at(-1), 255);
});

test('an Importance Factor of its own head has the colours of the numbers that are read out', () => {
  const shown = store();
  shown.set({ quantity: 'importance', scale: 'per_head' });
  const which = whichOf(shown);
  const scale = scaleOf(shown, 0, which);
  assert.deepEqual(scale.limits, [0, 1]);
  const cell = { head: 0, layer: 0, feature: 1 };
  const read = Number(shown.result().cell(cell, 'per_head').numbers.importance);
  assert.ok(Math.abs(read - 0.5) < 1e-4, String(read)); // 0.999 between 0.998 and 1
  assert.deepEqual([0, 0.5, 1].map(scale.index), [0, 128, 255]);
  assert.equal(field(shown, 0, which)?.data[1], read);
  const [one, other] = [0, 1].map((head) => Number(field(shown, head, which)?.data[1]));
  assert.equal(headDifference(shown, [0, 1], which)?.data[1], Math.fround(one - other));
  assert.equal(flatText(shown, 0, which), '0 to 1, stretched from a density attention of 0.998 to 1');
  shown.set({ scale: 'all_heads' });
  assert.equal(flatText(shown, 0, whichOf(shown)), '');
});

test('what changed most is shown in its head and map, and maps of another quantity are said to be of that', () => {
  const { payload: given } = store(EVIDENCE);
  const change = { head: 1, layer: 1, feature: 2, quantity: 'evidence' };
  const shown = new Store();
  const other = { ...given.a, letter: 'B' };
  shown.setPayload({ ...given, b: other, largest_change: change });
  assert.equal(apartText(shown), '');
  shown.set({ tab: 'compare', quantity: 'importance', head: 0, zoom: { x0: 0, x1: 1, y0: 0, y1: 1 } });
  assert.equal(apartText(shown), 'This is about the evidence; the maps below show the Importance Factor.');
  showChange(shown);
  assert.equal(apartText(shown), '');
  const { tab, quantity, cell, zoom } = shown.state;
  assert.deepEqual([shown.head, tab, quantity, zoom], [1, 'compare', 'evidence', null]);
  assert.deepEqual(cell, { layer: 1, feature: 2 });
});

test('texts change with scale and quantity', () => {
  const shown = store(EVIDENCE);
  assert.match(allHelp(shown), /^Heads side by side on one scale/);
  shown.set({ scale: 'per_head' });
  assert.match(allHelp(shown), /^Heads side by side, each on a scale of its own/);
  assert.match(oneHelp(shown), /speaks for the explained class and against the next one/);
  assert.doesNotMatch(oneHelp(shown), /not show which class/);
  shown.a.raw.labels = 'several';
  assert.match(oneHelp(shown), /speaks for the explained class and against its absence \(orange\)/);
  shown.set({ quantity: 'class_importance' });
  assert.match(oneHelp(shown), /or against it \(blue\)/);
  shown.set({ quantity: 'gate' });
  assert.match(oneHelp(shown), /It does not show which class a cell speaks for/);
});

test('what is said of a cell’s curves is true of its kind of gate', () => {
  const axes = store().axes();
  const density = curvesHelp(axes, { density: true, mixture: false });
  assert.match(
    density,
    /with mean and deviation over layers held fixed; .* The gate is 1 at the centre, .* plus δ/,
  );
  assert.doesNotMatch(density, /mixture|other layers/);
  const mixture = curvesHelp(axes, { density: false, mixture: true });
  assert.match(mixture, /held fixed, for a mixture the values of the other layers, too; the dot/);
  assert.match(
    mixture,
    /add up to 1 over its layers, so the gate is high where .* nearer to the centre than the others’/,
  );
  assert.match(mixture, /mean over layers plus m, the width is c times/);
  assert.doesNotMatch(mixture, /δ|ξ|gate is 1 at/);
  assert.match(
    curvesHelp(axes, { density: true, mixture: true }),
    /A density gate is 1 at .* A mixture’s gates/,
  );
});

test('the numbers of what was learned are over features, of a mixture over Gaussians', () => {
  const { a } = store();
  const mixture = /** @type {any} */ ({ isMixture: () => true });
  assert.match(
    summaryOf([a, a], store().axes()),
    /^The numbers of every gate over features, as in the paper’s Table 2.$/,
  );
  assert.match(summaryOf([mixture], store().axes()), /^The numbers of every mixture over its Gaussians/);
  assert.match(
    summaryOf([a, mixture], store().axes()),
    /every gate over features.* every mixture over its Gaussians/,
  );
});

test('numbers a thousand times apart are told apart on a logarithm', () => {
  assert.deepEqual([isWide(0.09, 1000), isWide(1, 2), isWide(0, 1000)], [true, false, false]);
  const thresholds = factorThresholds(0.1, 1000);
  const { index } = makeScale([0.1, 1000], between(['#000000', '#ffffff']), { thresholds });
  assert.deepEqual([index(0.1), index(1000)], [0, 255]);
  assert.ok(Math.abs(index(10) - 128) <= 1 && index(2) - index(1) > 15);
  assert.deepEqual(logTicks(0.09, 1000), [0.1, 1, 10, 100, 1000]);
  assert.deepEqual(logTicks(0.3, 9), [0.5, 1, 2, 5]);
});

test('a head in numbers says where it is even, and its least variance is not 0', () => {
  const shown = new Store();
  const arrays = {
    gate: encoded(Array(12).fill(0.5), [2, 2, 3]),
    mean_offset: encoded([1e-9, 1, 2, 0, 1, 2], [2, 3]),
    scaled_variance: encoded([0.0898, 1, 1000, 1, 2, 3], [2, 3]),
  };
  const entropy = [1, 1];
  const similarity = [
    [1, null],
    [null, 1],
  ];
  shown.setPayload(payload({ arrays, entropy, similarity, most_on: ['even', [0, 1]] }));
  const [first, second] = [0, 1].map((head) => headRow(shown.a, head));
  assert.deepEqual([first[2], second[2]], ['even', '0, 1']);
  assert.deepEqual(
    first.slice(4, 8).map((cell) => told([cell])),
    ['0', '2', '0.0898', '1000'],
  );
});
