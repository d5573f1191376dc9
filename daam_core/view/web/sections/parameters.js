// @ts-check
/** Section "parameters": the learned parameters of every head. */
import { bounds, histogram, minus, range } from '../arrays.js';
import { Chart, line } from '../charts.js';
import { factorThresholds, headColour, isWide, makeScale } from '../colour.js';
import { Controls } from '../controls.js';
import { ColourBar, Figure, Legend, Table, TOO_LARGE, Told } from '../figure.js';
import * as format from '../format.js';
import { headGaussian } from '../gaussians.js';
import { html, Stages, useEffect, useMemo, useState, useStore } from '../html.js';
import { BinningNote, MapCanvas, useBinning } from '../maps.js';
import { numeral, numeric, ROUNDED, sheetOf, told } from '../sheets.js';

/**
 * @typedef {import('../store.js').Store} Store
 * @typedef {'mean_offset' | 'scaled_variance'} Name
 */

/** @type {Name[]} */
const NAMES = ['mean_offset', 'scaled_variance'];
const TITLES = {
  mean_offset: { density: 'Mean offset δ', mixture: 'Mean offsets m' },
  scaled_variance: { density: 'Scaled variance ξ', mixture: 'Scales c' },
};
const HELP = {
  mean_offset: ({ rows }) =>
    `How far from the mean over ${rows} each head looks, in units of the value; triangles mark where training began. An ` +
    'offset says where a head looks, not how much it counts.',
  scaled_variance: () =>
    'How widely each head looks around that point; triangles mark where training began. Small numbers make a sharp ' +
    'gate, large ones let everything through.',
};

export function Parameters() {
  const store = useStore();
  return html`<div class="dv-stack dv-wide-gap">
    <${Stages} figures=${true}>
      <${Summary} />
      ${NAMES.map((name) => html`<${Parameter} key=${name} name=${name} />`)}
      ${store.sides().some((side) => store[side].isMixture()) && html`<${Mixture} />`}
    <//>
  </div>`;
}

// ---- what is shown ------------------------------------------------------------------------------

/**
 * Learned numbers and their start; for the difference of two models B − A, which has no start.
 * @param {Store} store
 * @param {Name} name
 */
function parameter(store, name) {
  const result = store.result();
  const width = result.arrays[name].shape[1];
  const two = store.isDifference() && sameKind(store) && !sameNumbers(store);
  const other = two ? store.b.array(name) : null;
  const own = result.array(name);
  const change = Boolean(other && own);
  const learned = other && own ? result.cached(`change of ${name}`, () => minus(other, own)) : own;
  const initial = change ? null : result.array(`initial_${name}`);
  /** @param {Float32Array | null} data */
  const part = (data) => (head) => data?.subarray(head * width, (head + 1) * width);
  return { change, width, learned, initial, head: part(learned), start: part(initial) };
}

/** @param {Store} store */
function sameKind(store) {
  const [a, b] = [store.a, store.b].map((one) => `${one.raw.gate_kind} ${one.arrays.mean_offset.shape}`);
  return a === b;
}

/** Whether both results have one set of parameters, as those of one model do. @param {Store} store */
function sameNumbers(store) {
  if (!store.b) return false;
  return store.a.cached('same parameters', () =>
    NAMES.every((name) => {
      const [one, other] = [store.a.array(name), store.b.array(name)];
      return one && one.length === other?.length && one.every((v, i) => v === other[i]);
    }),
  );
}

/** @param {Store} store @param {Name} name */
function titleOf(store, name) {
  return TITLES[name][store.result().isMixture() ? 'mixture' : 'density'];
}

/** Asks for parameters that are not here. */
function useParameters() {
  const store = useStore();
  useEffect(() => {
    for (const name of NAMES) for (const array of [name, `initial_${name}`]) store.result().needArray(array);
  }, [store.result()]);
}

/**
 * What the numbers of a gate are over: of a density gate over features, of a mixture over its Gaussians.
 * @param {import('../result.js').Result[]} results
 * @param {{columns: string}} axes
 */
export function summaryOf(results, { columns }) {
  const density = `The numbers of every gate over ${columns}, as in the paper’s Table 2.`;
  const mixture = 'The numbers of every mixture over its Gaussians, each of which has one m and one c.';
  const kinds = new Set(results.map((result) => (result.isMixture() ? mixture : density)));
  return [...kinds].join(' ');
}

// ---- ranges -------------------------------------------------------------------------------------

function Summary() {
  const store = useStore();
  useParameters();
  const parameters = NAMES.map((name) => ({ name, ...parameter(store, name) })).filter((p) => p.learned);
  const change = parameters.some((p) => p.change);
  const nameOf = (p) => titleOf(store, p.name) + (p.change ? ' (change)' : '');
  const rows = parameters.flatMap((p) => [
    [nameOf(p), 'all', ...summary(p.learned, p.initial)],
    ...range(store.result().H).map((head) => [nameOf(p), { head }, ...summary(p.head(head), p.start(head))]),
  ]);
  const over = summaryOf(
    store.sides().map((side) => store[side]),
    store.axes(),
  );
  const moved = change ? [] : ['Mean |change|', 'Largest |change|'];
  const table = {
    caption: change
      ? `Change of the learned parameters, ${store.letter('difference')}`
      : 'Range of the learned parameters, and how far training moved them from their start',
    columns: ['Parameter', 'Head', ...numeric('Min', 'Max', 'Mean', 'Deviation', ...moved)],
    rows,
  };
  return html`<${Figure}
    title="What was learned"
    help=${`${over} Parameters that hardly moved mean that the map shows the data rather than anything learned.`}
    controls=${!sameNumbers(store) && html`<${Controls} keys=${['side']} />`}
    csv=${() => sheetOf(table)}
  >
    <div>
      <${Table} ...${table} />
      ${
        sameNumbers(store) &&
        html`<p class="dv-note">${`${store.letter('a')} and ${store.letter('b')} have the same parameters.`}</p>`
      }
      ${
        store.isDifference() &&
        !sameKind(store) &&
        html`<p class="dv-note">
          ${
            `The two models have parameters of different kinds or numbers, so there is no ${store.label('difference')}; ` +
            `these are those of ${store.letter('a')}.`
          }
        </p>`
      }
    </div>
  <//>`;
}

/** Range, mean, deviation and, with a start, how far they moved. */
function summary(data, start) {
  const size = data.length;
  const mean = data.reduce((s, v) => s + v, 0) / size;
  let [squares, moved, most] = [0, 0, 0];
  for (let i = 0; i < size; i += 1) {
    squares += (data[i] - mean) ** 2;
    const change = start ? Math.abs(data[i] - start[i]) : 0;
    moved += change;
    most = Math.max(most, change);
  }
  const numbers = [...bounds(data), mean, Math.sqrt(squares / size)];
  return [...numbers, ...(start ? [moved / size, most] : [])].map((v) => numeral(v));
}

// ---- one parameter ------------------------------------------------------------------------------

/** @param {{name: Name}} props */
function Parameter({ name }) {
  const store = useStore();
  const p = parameter(store, name);
  const title = titleOf(store, name);
  const { H } = store.result();
  const unit = store.result().isMixture() ? 'Gaussian' : store.axes().Column;
  const most = Math.min(20, p.width);
  /** @param {ReturnType<typeof parameter>} one @param {number} rows @param {boolean} start */
  const listed = (one, rows, start = false) => ({
    caption: `First ${rows} of ${format.count(p.width)}`,
    columns: numeric(
      unit,
      ...range(H).map((head) => `Head ${head}`),
      ...(start ? range(H).map((head) => `Head ${head} at the start`) : []),
    ),
    rows: range(rows).map((i) => [
      i,
      ...range(H).map((head) => numeral(one.head(head)?.[i])),
      ...(start ? range(H).map((head) => numeral(one.start(head)?.[i])) : []),
    ]),
  });
  const table = () =>
    p.learned
      ? html`<${Table} ...${listed(p, most)} />`
      : html`<p class="dv-missing">Not part of this page.</p>`;
  const csv = async () => {
    await Promise.all([name, `initial_${name}`].map((one) => store.result().needArray(one)));
    const now = parameter(store, name);
    return now.learned ? sheetOf(listed(now, p.width, Boolean(now.initial))) : ROUNDED;
  };
  let body = html`<p class="dv-missing">${TOO_LARGE}</p>`;
  if (p.change && p.learned?.every((v) => v === 0)) {
    body = html`<p class="dv-note">${`${store.letter('a')} and ${store.letter('b')} have the same ${title}.`}</p>`;
  } else if (p.learned) {
    const full = p.change ? `${title}, ${store.label('difference')}` : title;
    body = html`<${Drawn} p=${p} title=${full} unit=${unit} signed=${name === 'mean_offset' || p.change} />`;
  }
  return html`<${Figure} title=${title} help=${HELP[name](store.axes())} table=${table} csv=${csv}>
    <div class="dv-stack">${body}</div>
  <//>`;
}

/** Distribution and map of a parameter. */
function Drawn({ p, title, unit, signed }) {
  const store = useStore();
  const { H } = store.result();
  const [cell, setCell] = useState(/** @type {any} */ (null));
  const [binning, onDraw] = useBinning();
  useEffect(() => {
    setCell(null);
  }, [p.learned]);
  const { palette } = store.state;
  const scale = useMemo(() => {
    const [low, high] = bounds(p.learned);
    const most = Math.max(Math.abs(low), Math.abs(high));
    const thresholds = !signed && isWide(low, high) ? factorThresholds(low, high) : null;
    return makeScale(signed ? [-most, most] : [low, high], store.colours(signed), { signed, thresholds });
  }, [p.learned, signed, palette, store.dark]);
  // The cell that is selected in the maps: its head and feature, whatever its layer.
  const chosen = store.state.cell;
  const selected =
    chosen && unit !== 'Gaussian' && chosen.feature < p.width
      ? { row: store.head, column: chosen.feature }
      : null;
  const shownCell = cell || selected;
  // Features are zoomed and searched in all maps together, whatever their rows are.
  const [whole, { L, F }] = [unit === 'Gaussian', store.result()];
  const { zoom } = store.state;
  const columns = useMemo(() => (zoom && !whole ? { ...zoom, y0: 0, y1: H } : null), [zoom, whole, H]);
  const setZoom = (z) => !whole && store.set({ zoom: z && z.x1 - z.x0 < F ? { ...z, y0: 0, y1: L } : null });
  const pins = store.pins().map((pin, i) => ({ row: pin.head, column: pin.feature, number: i + 1 }));
  const shown = { data: p.learned, rows: H, columns: p.width, seen: () => true, signed };
  /** @param {number} row @param {number} column */
  const sentence = (row, column) => {
    const start = p.start(row);
    const place = `Head ${row}, ${unit === 'Gaussian' ? unit : store.axes().column} ${column}: `;
    const before = start ? [', at the start ', numeral(start[column])] : [];
    return [place, numeral(p.head(row)?.[column]), ...before, '.'];
  };
  const parts = [
    html`<${Distribution} p=${p} title=${title} unit=${unit} />`,
    html`<${Legend} heads=${range(H)} />`,
    html`<${MapCanvas}
      label="${title} of every head and ${unit.toLowerCase()}. Arrow keys move, plus and minus zoom, 0 shows everything."
      field=${shown}
      scale=${scale}
      zoom=${columns}
      binning="max"
      marks=${{ hover: null, cell: selected, pins: whole ? [] : pins }}
      rowTitle="Head"
      columnTitle=${unit}
      rowNames=${range(H).map((head) => `h${head}`)}
      height=${(rows) => Math.max(48, rows * 22)}
      onHover=${setCell}
      onSelect=${setCell}
      onZoom=${setZoom}
      onDraw=${onDraw}
      describe=${(row, column) => told(sentence(row, column))}
    />`,
    html`<${ColourBar} scale=${scale}>
      ${`${title}: rows are heads, columns ${unit === 'Gaussian' ? 'Gaussians' : store.axes().columns}${scale.thresholds ? '; logarithmic colours' : ''}.`}
    <//>`,
    html`<${BinningNote}>${binning}<//>`,
    html`<p class="dv-note dv-number ${shownCell ? '' : 'dv-said'}">
      ${shownCell ? html`<${Told} parts=${sentence(shownCell.row, shownCell.column)} />` : 'Point at a cell to read its number.'}
    </p>`,
  ];
  return html`<${Stages}>${parts}<//>`;
}

/** How often each number occurs, a line per head, with a triangle where training began. */
function Distribution({ p, title, unit }) {
  const heads = range(useStore().result().H);
  const all = bounds(p.learned);
  const [first, last] = p.initial ? bounds(p.initial) : all;
  const ends = [Math.min(all[0], first), Math.max(all[1], last)];
  // An open head's variance lies a thousand times above the others': on a line these would be one bar.
  const log = !p.change && isWide(ends[0], ends[1]);
  const placed = log ? Math.log10 : Number;
  const [least, most] = ends.map((v) => placed(v));
  const pad = (most - least) * 0.03 || 0.5;
  const [low, high] = [least - pad, most + pad];
  const bins = p.width < 24 ? 12 : 48;
  const step = (high - low) / bins;
  const counts = heads.map((head) => histogram(p.head(head)?.map(placed), low, high, bins));
  const top = Math.max(1, ...counts.flat());
  /** @param {number} head */
  const outline = (head) => [
    [low, 0],
    ...counts[head].flatMap((n, i) => [
      [low + i * step, n],
      [low + (i + 1) * step, n],
    ]),
    [high, 0],
  ];
  /** @param {number} head */
  const start = (pen, head) => {
    const [from, to] = bounds(p.start(head));
    const [x, y] = [pen.x((placed(from) + placed(to)) / 2), pen.bottom + 1];
    return `M${x - 5} ${y}L${x + 5} ${y}L${x} ${y - 9}Z`;
  };
  return html`<${Chart}
    label="${title}: distribution per head, from ${format.short(all[0])} to ${format.short(all[1])}"
    height=${220}
    x=${[low, high]}
    y=${[0, top * 1.05]}
    xLabel=${log ? `${title} (logarithmic)` : title}
    xTicks=${log ? format.logTicks(ends[0], ends[1]).map(placed) : undefined}
    xText=${log ? (v) => format.short(10 ** v) : undefined}
    yTicks=${format.ticks(0, top, 4).filter(Number.isInteger)}
    yLabel="${unit}s"
    draw=${(pen) => [
      heads.map(
        (head) =>
          html`<path
            d=${line(pen, outline(head))}
            fill="none"
            style=${{ stroke: headColour(head) }}
            stroke-width="1.75"
            stroke-linejoin="round"
          />`,
      ),
      p.initial &&
        heads.map(
          (head) => html`<path class="dv-start" d=${start(pen, head)} style=${{ fill: headColour(head) }} />`,
        ),
    ]}
  />`;
}

// ---- mixtures -----------------------------------------------------------------------------------

function Mixture() {
  const store = useStore();
  const sides = store.sides().filter((side) => store[side].isMixture());
  const tables = sides.map((side) => ({
    caption: `One Gaussian per head${store.b ? `, ${store.letter(side)}` : ''}`,
    columns: ['Head', ...numeric('Effective mean', 'Effective variance')],
    rows: range(store[side].H).map((head) => {
      const one = headGaussian(store[side], head);
      return [{ head }, numeral(one?.mean), numeral(one?.variance)];
    }),
  }));
  return html`<${Figure}
    title="What the mixture amounts to"
    help="A product of Gaussians is one Gaussian up to a factor: 1/variance = Σ 1/c², mean = variance · Σ m/c². The variance is a factor on that of the values. Where a head’s Gaussians start alike, as those trained here do, they stay alike, and their number only makes the start narrower."
    csv=${() => sheetOf(...tables)}
  >
    <div class="dv-stack">${tables.map((table) => html`<${Table} ...${table} />`)}</div>
  <//>`;
}
