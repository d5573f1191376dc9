// @ts-check
/** Section "cell": the learned Gaussians at one layer and feature. */
import { range } from '../arrays.js';
import { Chart, line } from '../charts.js';
import { headColour } from '../colour.js';
import { NumberField } from '../controls.js';
import { isZero, strongestCell } from '../fields.js';
import { Figure, Numeral, Table, TOO_LARGE } from '../figure.js';
import * as format from '../format.js';
import { cellArrays, cellCurves, gateAt } from '../gaussians.js';
import { html, useEffect, useStore } from '../html.js';
import { numeral, numeric, ROUNDED, sheetOf } from '../sheets.js';
import { PinnedCells } from './pinned_cells.js';

/**
 * @typedef {import('../store.js').Store} Store
 * @typedef {NonNullable<ReturnType<typeof cellCurves>>} Curves
 * @typedef {{result: import('../result.js').Result, title: string, dataset: boolean, curves: Curves | null}} Shown
 */

/**
 * @param {ReturnType<Store['axes']>} axes
 * @param {{density: boolean, mixture: boolean}} kinds which kinds of gate are shown
 * @param {number} levels
 */
export const helpOn = ({ row, rows, column }, { density, mixture }, levels = 1) =>
  `Each head’s gate for every value that this ${row} and ${column} could have, with mean and deviation over ${rows} held ` +
  `fixed${mixture ? `, for a mixture the values of the other ${rows}, too` : ''}; the dot is what came out. ` +
  (density
    ? `${mixture ? 'A density gate' : 'The gate'} is 1 at the centre, which is the mean over ${rows} plus δ, and has ` +
      `fallen to 0.61 one width from there; the width is √ξ times the deviation over ${rows}. `
    : '') +
  (mixture
    ? `A mixture’s gates of a head add up to 1 over its ${rows}, so the gate is high where this ${row}’s value is nearer ` +
      `to the centre than the others’, and only there. It is e / (e + others): e is 1 at the centre and 0.61 one width ` +
      `from there, others is the sum of e over the other ${rows}. The centre is the mean over ${rows} plus m, the width ` +
      `is c times the deviation over ${rows}, with m and c of the one Gaussian that the head’s Gaussians amount to. `
    : '') +
  `A high gate means a typical value${mixture ? `, in a mixture one more typical than the other ${rows}’` : ''}, not a decisive one. ` +
  'For the data set, curves and dots belong to its average input; a ring is the average of all its inputs’ gates, ' +
  'which is another number than the gate of the average input.' +
  (levels > 1
    ? ' A head of a later level sees the value times 1 + gate of the levels before it: that factor is held fixed, and ' +
      'mean, centre and width are divided by it.'
    : '');

/** Which kinds of gate some results have. @param {import('../result.js').Result[]} results */
const kindsOf = (results) => ({
  density: results.some((result) => !result.isMixture()),
  mixture: results.some((result) => result.isMixture()),
});

export function OneCell() {
  const store = useStore();
  const { result, selected } = { result: store.result(), selected: store.state.cell };
  const cell = selected || strongestCell(store);
  const shown = gaussiansOf(store, cell);
  useEffect(() => {
    need(shown, Boolean(selected));
  });
  const set = (change) => store.set({ head: store.head, cell: { ...cell, ...change } });
  const [one, other] = shown.map((part) => part.curves);
  const csv = async () => {
    await Promise.all(need(shown, true));
    const parts = gaussiansOf(store, cell);
    if (parts.some(({ curves }) => !curves?.exact || curves.heads.some((c) => !c.exact))) return ROUNDED;
    return sheetOf(
      ...parts.map(({ title, curves, dataset }) => {
        const known = /** @type {Curves} */ (curves);
        return cellTable(known, dataset, store.axes().rows, `${title}, value ${format.exact(known.value)}`);
      }),
    );
  };
  const figure = html`<${Figure}
    title="One cell: the learned Gaussians"
    help=${helpOn(store.axes(), kindsOf(store.sides().map((side) => store[side])), result.raw.n_levels)}
    csv=${csv}
    controls=${[
      html`<${NumberField}
        label=${store.axes().Row}
        value=${cell.layer}
        size=${result.L}
        onChange=${(layer) => set({ layer })}
      />`,
      html`<${NumberField}
        label=${store.axes().Column}
        value=${cell.feature}
        size=${result.F}
        onChange=${(feature) => set({ feature })}
      />`,
    ]}
  >
    <div class="dv-stack">
      <p class="dv-note">
        ${`${selected ? 'Selected cell' : strongestText(store)}: ${store.axes().row} ${result.rowName(cell.layer)}, ${store.axes().column} ${cell.feature}.`}
      </p>
      <div class="dv-two">
        ${shown.map((part) => html`<${Gaussians} key=${part.title} ...${part} cell=${cell} />`)}
        ${
          store.isDifference() &&
          one &&
          other &&
          html`<div class="dv-side"><${ChangeTable} one=${one} other=${other} /></div>`
        }
      </div>
      <${Keys} averages=${shown.some((part) => part.dataset)} own=${result.raw.mode === 'layer_groups'} rows=${store.axes().rows} />
    </div>
  <//>`;
  return [html`<${PinnedCells} />`, figure];
}

/** By what the cell that stands in for a selected one was found. @param {Store} store */
export function strongestText(store) {
  const { name, signed } = store.quantities[store.quantity];
  const size = signed || store.isDifference() ? ', whatever its sign' : '';
  const what = store.isDifference() ? `change of ${format.inSentence(name)}` : format.inSentence(name);
  if (isZero(store))
    return `No cell selected. The ${what} of head ${store.head} is 0 everywhere; shown is its first cell`;
  return `No cell selected. Shown is where head ${store.head} has its largest ${what}${size}`;
}

/** What is drawn: each input shown, and the data set's average. @param {Store} store @returns {Shown[]} */
function gaussiansOf(store, cell) {
  const sides = store.sides();
  // One average for both inputs, unless they come from different checkpoints.
  const known = sides.filter((side) => store[side].hasDataset());
  const averages = store.isDifference() && !store.twoModels() ? known.slice(0, 1) : known;
  const average = 'Data set’s average';
  return [
    ...sides.map((side) => ({ side, title: store.inputName(side), dataset: false })),
    ...averages.map((side) => ({
      side,
      title: averages.length > 1 ? `${average}, ${store.label(side)}` : average,
      dataset: true,
    })),
  ].map(({ side, title, dataset }) => ({
    result: store[side],
    title,
    dataset,
    curves: cellCurves(store[side], cell, dataset),
  }));
}

/**
 * Asks for what is missing and, once a cell was selected, for what is only here rounded.
 * @param {Shown[]} shown
 * @param {boolean} selected
 */
function need(shown, selected) {
  return shown
    .filter(({ curves }) => !curves || selected)
    .flatMap(({ result, dataset, curves }) => [
      ...cellArrays(dataset).map((name) => result.needArray(name)),
      ...(curves?.heads || []).flatMap(({ head }) =>
        ['gate', 'density_attention'].map((name) => result.need(name, head, dataset)),
      ),
    ]);
}

function Gaussians({ title, dataset, curves, cell }) {
  const store = useStore();
  if (!curves) {
    const text = store.load ? 'loading these numbers …' : `t${TOO_LARGE.slice(1)}`;
    return html`<p class="dv-missing">${`${title}: ${text}`}</p>`;
  }
  const gates = curves.heads.map((c) => `head ${c.head} gate ${format.short(c.gate)}`);
  const label =
    `${title}: Gaussian of every head at ${store.axes().row} ${cell.layer}, ${store.axes().column} ${cell.feature}; ` +
    `value ${format.short(curves.value, 4)}; ${gates.join(', ')}`;
  return html`<div class="dv-side">
    <div class="dv-map-caption">
      <strong>${title}</strong><span class="dv-quiet dv-number"><${Value} curves=${curves} /></span>
    </div>
    <${GaussianChart} curves=${curves} label=${label} highlighted=${store.head} />
    <${Table} ...${cellTable(curves, dataset, store.axes().rows)} />
  </div>`;
}

/** Averages over a data set are 0 but for rounding. @param {{curves: Curves}} props */
function Value({ curves }) {
  if (curves.dataset) return `mean value ${format.beside(curves.value, curves.heads[0]?.deviation ?? 0)}`;
  return html`value <${Numeral} value=${curves.value} known=${curves.exact} />`;
}

/** @param {{curves: Curves, label: string, highlighted: number}} props */
function GaussianChart({ curves, label, highlighted }) {
  // As far as values go, and the top of every curve; a wide Gaussian is cut off at both ends.
  const reach = curves.heads.flatMap((c) => {
    const wide = 1.2 * Math.min(c.spread, 4 * c.deviation);
    return [c.mean - 3 * c.deviation, c.mean + 3 * c.deviation, c.centre - wide, c.centre + wide];
  });
  const [least, most] = [Math.min(curves.value, ...reach), Math.max(curves.value, ...reach)];
  const pad = (most - least) * 0.04 || 1;
  const [low, high] = [least - pad, most + pad];
  // A mixture's curves may stay far below 1; the ring of a mean gate lies on none of them.
  const rings = curves.heads.map((c) => c.gate).filter((gate) => curves.dataset && !Number.isNaN(gate));
  const top = Math.max(1e-9, ...curves.heads.map((c) => c.highest), ...rings);
  return html`<${Chart}
    label=${label}
    height=${260}
    x=${[low, high]}
    y=${[0, top * 1.08]}
    xLabel="Standardised value"
    yLabel="Gate"
    draw=${(pen) => [
      band(pen, curves.heads[0]),
      curves.heads.map(
        (c) =>
          html`<path
            d=${line(pen, curve(c, low, high, curves.value))}
            fill="none"
            style=${{ stroke: headColour(c.head) }}
            stroke-width=${c.head === highlighted ? 3 : 1.75}
          />`,
      ),
      html`<line class="dv-value" x1=${pen.x(curves.value)} x2=${pen.x(curves.value)} y1=${pen.top} y2=${pen.bottom} />`,
      curves.heads.map((c) => dots(pen, curves, c, c.head === highlighted ? 6 : 4.5)),
    ]}
  />`;
}

/** Mean and deviation over layers; equal for all heads that share all layers. */
function band(pen, first) {
  if (!first) return null;
  const [left, right] = [pen.x(first.mean - first.deviation), pen.x(first.mean + first.deviation)];
  const middle = pen.x(first.mean);
  return html`
    <rect class="dv-band" x=${left} width=${Math.max(1, right - left)} y=${pen.top} height=${pen.bottom - pen.top} />
    <line class="dv-mean" x1=${middle} x2=${middle} y1=${pen.top} y2=${pen.bottom} />
  `;
}

/** Points of a head's curve, through the value. @param {number} low @param {number} high @returns {number[][]} */
function curve(c, low, high, value) {
  const places = range(161).map((i) => low + (i / 160) * (high - low));
  // A narrow curve between two of the points would be cut off: its top is always one of them.
  return [...places, ...[c.centre, value].filter((x) => x > low && x < high)]
    .sort((p, q) => p - q)
    .map((x) => [x, gateAt(c, x)]);
}

/** @param {Curves} curves @param {number} radius */
function dots(pen, curves, c, radius) {
  const x = pen.x(curves.value);
  // The mean gate stands beside the value's line: it belongs to no single value.
  return html`
    <circle class="dv-dot" cx=${x} cy=${pen.y(c.atValue)} r=${radius} style=${{ fill: headColour(c.head) }} />
    ${
      curves.dataset &&
      !Number.isNaN(c.gate) &&
      html`<circle
        class="dv-ring"
        cx=${x + 14}
        cy=${pen.y(c.gate)}
        r=${radius}
        style=${{ stroke: headColour(c.head) }}
      />`
    }
  `;
}

/**
 * One row per head. Mean and deviation go into the caption where all heads share them, and no other is given.
 * @param {Curves} curves
 * @param {boolean} dataset
 * @param {string} rows
 * @param {string} [title]
 */
function cellTable(curves, dataset, rows, title) {
  const [first] = curves.heads;
  const shared =
    !title && curves.heads.every((c) => c.mean === first.mean && c.deviation === first.deviation);
  const caption =
    title ||
    (shared && first
      ? `Mean over ${rows} ${format.beside(first.mean, first.deviation)}, deviation ${format.short(first.deviation, 4)}`
      : `Mean and deviation are those of each head’s own ${rows}`);
  const density = curves.heads.every((c) => c.offset !== null);
  /** @param {Curves['heads'][0]} c */
  const row = (c) => [
    { head: c.head },
    ...(shared ? [] : [numeral(c.mean), numeral(c.deviation)]),
    ...(density ? [numeral(c.offset), numeral(c.variance)] : []),
    numeral(c.centre, true, Math.abs(c.centre) < 1e-6 * c.spread ? '0' : undefined),
    numeral(c.spread),
    ...(dataset
      ? [numeral(c.atValue), numeral(c.gate, c.exact)]
      : [numeral(c.gate, c.exact), numeral(c.amplitude), numeral(c.density, c.exact)]),
  ];
  const where = [...(shared ? [] : ['Mean', 'Deviation']), ...(density ? ['δ', 'ξ'] : [])];
  const gates = dataset ? ['Gate of the average', 'Mean gate'] : ['Gate', 'λ', 'DA'];
  return {
    caption,
    columns: ['Head', ...numeric(...where, 'Centre', 'Width', ...gates)],
    rows: curves.heads.map(row),
  };
}

/** What changes at a cell from one input to the other. @param {{one: Curves, other: Curves}} props */
function ChangeTable({ one, other }) {
  const store = useStore();
  /** @param {Curves} curves @param {number} head */
  const of = (curves, head) => curves.heads.find((c) => c.head === head) || { gate: NaN, exact: true };
  const gates = range(store.a.H)
    .map((head) => ({ head, before: of(one, head), after: of(other, head) }))
    .filter(({ before, after }) => !Number.isNaN(before.gate) || !Number.isNaN(after.gate));
  /** @param {string} name @param {number} before @param {number} after @param {boolean} exact */
  const row = (name, before, after, exact) => [
    name,
    ...[before, after, Math.fround(after - before)].map((v) => numeral(v, exact)),
  ];
  return html`<${Table}
    caption="Change of the value and of each gate"
    columns=${['', ...numeric(store.letter('a'), store.letter('b'), store.letter('difference'))]}
    rows=${[
      row('Value', one.value, other.value, one.exact && other.exact),
      ...gates.map(({ head, before, after }) =>
        row(`Gate, head ${head}`, before.gate, after.gate, before.exact && after.exact),
      ),
    ]}
  />`;
}

/** What the marks in the charts mean. @param {{averages: boolean, own: boolean, rows: string}} props */
function Keys({ averages, own, rows }) {
  const marks = [
    ['value', 'the value (solid)'],
    ['mean', `mean over ${rows} (dashed)`],
    ['band', '± one deviation'],
    ['dot', 'gate at the value'],
    ...(averages ? [['ring', 'mean gate']] : []),
  ];
  return html`<ul class="dv-keys">
    ${marks.map(
      ([kind, text]) =>
        html`<li>
          ${
            ['value', 'mean'].includes(kind)
              ? html`<svg class="dv-key" width="4" height="12" viewBox="0 0 4 12" aria-hidden="true"
                  ><line class="dv-${kind}" x1="2" x2="2" y1="0" y2="12"
                /></svg>`
              : html`<span class="dv-key dv-key-${kind}" aria-hidden="true"></span>`
          }${text}
        </li>`,
    )}
    ${!own && html`<li>mean and deviation are the same for all heads</li>`}
  </ul>`;
}
