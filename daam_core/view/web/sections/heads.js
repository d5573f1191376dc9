// @ts-check
/** Section "heads": maps of all heads, the difference of two, and how alike they are. */
import { bounds, range, top } from '../arrays.js';
import { css, ink, makeScale } from '../colour.js';
import { headNames, MAP_CONTROLS, Select } from '../controls.js';
import {
  colourScale,
  exactSheet,
  extent,
  field,
  fieldNumeral,
  flatText,
  headDifference,
  needExact,
  resultsOf,
  scaleOf,
  scaleText,
  shareText,
  shownColumns,
  whichOf,
} from '../fields.js';
import {
  ColourBar,
  EmptyFigure,
  Figure,
  HeadName,
  Numeral,
  Table,
  TableFrame,
  Told,
  withTerms,
} from '../figure.js';
import * as format from '../format.js';
import { html, Stages, useEffect, useMemo, useRedraw, useState, useStore } from '../html.js';
import {
  BarredMap,
  BinningNote,
  CellTables,
  DifferenceTable,
  HeadMap,
  MapControls,
  Readout,
  useBinning,
  ZoomNote,
} from '../maps.js';
import { mapsSheet, numeral, numeric, sheetOf, told } from '../sheets.js';
import { axesOf } from '../store.js';
import { LayerStrip, LayersShown } from './layer_strip.js';
import { PinnedCells } from './pinned_cells.js';

/**
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../result.js').Result} Result
 */

export function Heads() {
  const several = useStore().result().H > 1;
  return html`<div class="dv-stack dv-wide-gap">
    <${Stages} figures=${true}>
      <${AllHeads} /><${PinnedCells} /><${HeadNumbers} />
      ${several && html`<${HeadPair} />`} ${several && html`<${Similarity} />`}
    <//>
  </div>`;
}

// ---- all heads ----------------------------------------------------------------------------------

/** @param {Store} store */
export const allHelp = (store) =>
  (store.state.scale === 'per_head'
    ? 'Heads side by side, each on a scale of its own, so that a weak head’s pattern shows, too; equal colours of two ' +
      'heads are not equal numbers. '
    : 'Heads side by side on one scale, so that a weak head looks weak. ') +
  'The percentage is a head’s share of all density attention, not of the decision.';

function AllHeads() {
  const store = useStore();
  const heads = store.shownHeads();
  const sets = heads.map((head) => [field(store, head, whichOf(store))]);
  const [binning, onDraw] = useBinning();
  return html`<${Figure}
    title="All heads"
    help=${allHelp(store)}
    quantity=${store.quantity}
    ofClass=${store.ofClass}
    controls=${html`<${MapControls} keys=${[...MAP_CONTROLS, 'order']}>
      ${store.result().H > 1 && html`<${HeadChooser} />`}
    <//>`}
    table=${() => html`<${CellTables} heads=${heads} />`}
    csv=${() => exactSheet(store, heads, shownColumns(store))}
  >
    <div class="dv-reading">
      <${Stages}>
        <${LayersShown} sets=${sets} />
        <${Readout} />
        <div class="dv-multiples dv-level">
          <${Stages}>
            ${heads.map((head, i) => html`<${SmallMap} key=${head} head=${head} onDraw=${i === 0 ? onDraw : null} />`)}
          <//>
        </div>
        <div><${AllBar} /></div>
        <${BinningNote}>${binning}<//>
        <${ZoomNote} />
      <//>
    </div>
  <//>`;
}

// ---- each head in numbers -----------------------------------------------------------------------

/** @param {ReturnType<Store['axes']>} axes */
const numbersHelp = ({ rows, columns }) =>
  `Share of the density attention (DA), the ${rows} that carry most of it (even: none clearly more than the others; spread: no few of them), the ${columns} with the highest mean density ` +
  'attention, whatever the maps show, the range of what was learned, how selective the gate is (0: one cell, 1: all alike), and the head ' +
  'whose gate is most alike.';

function HeadNumbers() {
  const store = useStore();
  const results = store.sides().map((side) => store[side]);
  useEffect(() => {
    for (const result of results) {
      for (const name of ['mean_offset', 'scaled_variance']) result.needArray(name);
    }
  }, results);
  const tables = results.map((result) => ({
    caption: `Heads, ${result.hasEqualShares() ? 'all of the same share' : 'the largest share first'}${store.b ? `, ${result.raw.letter}` : ''}`,
    columns: headColumns(result),
    rows: result.byContribution().map((head) => headRow(result, head)),
  }));
  return html`<${Figure} title="Each head in numbers" help=${numbersHelp(store.axes())} csv=${() => sheetOf(...tables)}>
    <div class="dv-stack">${tables.map((table) => html`<${Table} ...${table} />`)}</div>
  <//>`;
}

/** @param {Result} result */
function headColumns(result) {
  const learned = result.isMixture() ? ['m', 'c'] : ['δ', 'ξ'];
  const { rows, columns } = axesOf(result.raw);
  return [
    'Head',
    ...numeric('Share, %'),
    `Most on ${rows}`,
    `Top ${columns} by mean DA`,
    ...numeric(...learned.flatMap((name) => [`${name} min`, `${name} max`]), 'Entropy'),
    'Most alike',
    ...numeric('Correlation'),
  ];
}

/** @param {Result} result @param {number} head */
export function headRow(result, head) {
  const total = result.share(head);
  const layers = result.raw.most_on[head];
  const strongest = result.cached(`strongest features ${head}`, () => {
    const map = result.map('density_attention', head, 'all_heads');
    if (!map) return null;
    const totals = new Float64Array(result.F);
    for (const l of result.layersOf(head)) {
      for (let f = 0; f < totals.length; f += 1) totals[f] += map[l * result.F + f];
    }
    return top(totals, 3, false);
  });
  const alike = result.raw.similarity[head].map((r, other) => (other === head || r === null ? NaN : r));
  const [nearest] = top(alike, 1, false);
  /** @param {string} name */
  const ends = (name) => {
    const data = result.array(name);
    if (!data) return [null, null];
    const width = result.arrays[name].shape[1];
    const [low, high] = bounds(data.subarray(head * width, (head + 1) * width));
    // Beside the other end; but what is above 0 by its nature is never 0.
    const nothing = name === 'mean_offset' && Math.abs(low) < 1e-3 * Math.abs(high);
    return [numeral(low, true, nothing ? '0' : undefined), numeral(high)];
  };
  const entropy = result.raw.entropy[head];
  return [
    { head },
    numeral(total, true, format.short(total)),
    typeof layers === 'string' ? layers : layers.join(', ') || '–',
    strongest ? strongest.join(', ') : '–',
    ...ends('mean_offset'),
    ...ends('scaled_variance'),
    numeral(entropy, true, format.short(entropy)),
    nearest === undefined ? '–' : { head: nearest },
    nearest === undefined ? '–' : numeral(alike[nearest], true, format.fixed(alike[nearest], 2)),
  ];
}

function HeadChooser() {
  const store = useStore();
  const redraw = useRedraw();
  const shown = store.shownHeads();
  /** @param {number} head */
  const toggle = (head) => {
    const chosen = range(store.result().H).filter((one) => shown.includes(one) !== (one === head));
    if (chosen.length && chosen.length <= 8) store.set({ heads: chosen });
    else redraw(); // puts the mark back
  };
  return html`<fieldset class="dv-control dv-heads">
    <legend class="dv-label">Heads side by side (up to 8)</legend>
    <div class="dv-row">
      ${range(store.result().H).map(
        (head) =>
          html`<label class="dv-check"
            ><input type="checkbox" checked=${shown.includes(head)} onChange=${() => toggle(head)} /><${HeadName}
              head=${head}
          /></label>`,
      )}
    </div>
  </fieldset>`;
}

/** The level that a head is on, where there are several. @param {Result} result @param {number} head */
function levelText(result, head) {
  const levels = result.raw.n_levels ?? 1;
  return levels === 1 ? '' : `level ${Math.floor((head * levels) / result.H)}, `;
}

function SmallMap({ head, onDraw }) {
  const store = useStore();
  const which = whichOf(store);
  const f = field(store, head, which);
  const [low, high] = useMemo(() => (f ? extent([f]) : [NaN, NaN]), [f?.data]);
  const reach = flatText(store, head, which) || format.reach(low, high);
  const caption = html`<div class="dv-map-above"><div class="dv-map-caption">
    <button type="button" class="dv-link" onClick=${() => store.set({ head, tab: 'heatmap' })}>
      <${HeadName} head=${head} />
    </button>
    <span class="dv-quiet dv-share">${withTerms(`${levelText(store.result(), head)}${shareText(store, head)} of DA`)}</span>
    <span class="dv-quiet dv-number">${reach}</span>
  </div>
  <${LayerStrip} fields=${[f]} /></div>`;
  return html`<${HeadMap}
    head=${head}
    which=${which}
    title="Map of head ${head}"
    caption=${caption}
    onlyOwnRows=${true}
    onDraw=${onDraw}
    height=${(rows, width) => Math.max(Math.min(96, rows * 20), Math.min(200, rows * 12, width))}
  />`;
}

function AllBar() {
  const store = useStore();
  const which = whichOf(store);
  const shown = store.shownHeads();
  const first = shown.find((head) => !flatText(store, head, which)) ?? shown[0] ?? 0;
  if (store.state.scale === 'per_head' && which.quantity !== 'importance') {
    const scale = scaleOf(store, first, which);
    return html`<${ColourBar} scale=${scale} ends=${['lowest', 'highest']}
      >${`${scaleText(store, which)} The range stands above each map.`}<//
    >`;
  }
  return html`<${ColourBar} scale=${scaleOf(store, first, which)}>${scaleText(store, which)}<//>`;
}

// ---- one head minus another ---------------------------------------------------------------------

/** @param {Store} store */
const pairHelp = (store) => {
  const most = store.isDifference() ? 'gains more from A to B' : 'has more of what is shown';
  return (
    `Orange: the first head ${most}. Blue: the second one does. Where both are equal the map is neutral. It does not ` +
    'tell which of them the decision uses.'
  );
};

function HeadPair() {
  const store = useStore();
  const pair = store.pair();
  const names = pair.map((head) => `Head ${head}`);
  const which = whichOf(store);
  const result = store.result();
  const common = range(result.L).some((l) => pair.every((head) => result.seen(head, l)));
  const maps = () => [...pair.map((head) => field(store, head, which)), headDifference(store, pair, which)];
  const need = () => {
    needExact(store, which, pair);
  };
  const difference = headDifference(store, pair, which);
  const { colours, palette } = store.state;
  const scale = useMemo(
    () => colourScale(store, [difference]),
    [difference?.data, colours, palette, store.dark],
  );
  const reach = useMemo(() => (difference ? extent([difference]) : [NaN, NaN]), [difference?.data]);
  const [cell, setCell] = useState(/** @type {any} */ (null));
  /** @param {number} row @param {number} column */
  const sentence = (row, column) => {
    const { short } = store.quantities[which.quantity];
    const { Row, column: columnName } = store.axes();
    const place = `${Row} ${row}, ${columnName} ${column}: `;
    if (!difference?.seen(row)) return [`${place}not seen by both heads.`];
    need();
    const [one, other, change] = maps().map((f) => fieldNumeral(f, row * result.F + column));
    return [`${place}${short} `, one, ' − ', other, ' = ', change];
  };
  let said = ['The differences lie between ', numeral(reach[0]), ' and ', numeral(reach[1]), '.'];
  if (cell) said = sentence(cell.row, cell.column);
  if (!common)
    said = [
      `Heads ${pair.join(' and ')} see no ${store.axes().row} in common, so there is nothing to subtract.`,
    ];
  const of = store.b ? ` of ${store.letter(store.state.side)}` : '';
  const csv = async () => {
    await needExact(store, which, pair);
    const sheet = mapsSheet(
      [pair[0]],
      [...names, 'Difference'].map((title, i) => [title, () => maps()[i]]),
      store.axes(),
    );
    return typeof sheet === 'string' ? sheet : withoutHead(sheet);
  };
  return html`<${Figure}
    title="One head minus another"
    help=${pairHelp(store)}
    quantity=${which.quantity}
    ofClass=${store.ofClass}
    controls=${[0, 1].map(
      (i) => html`<${Select}
        label=${i ? 'minus' : 'Head'}
        options=${headNames(store)}
        value=${pair[i]}
        onChange=${(v) => store.set({ pair: pair.map((head, k) => (k === i ? Number(v) : head)) })}
      />`,
    )}
    table=${() => html`<${DifferenceTable} what=${names.join(' and ')} sides=${names} maps=${maps()} need=${need} />`}
    csv=${csv}
  >
    <div class="dv-stack">
      <div hidden=${!common}>
        <${BarredMap}
          head=${pair[0]}
          which=${which}
          title="Difference of two heads"
          text=${`${store.quantities[which.quantity].name}${of}, head ${pair[0]} minus head ${pair[1]}.`}
          field=${difference}
          scale=${scale}
          heads=${pair}
          describe=${(row, column) => told(sentence(row, column))}
          onHover=${setCell}
          height=${(rows) => Math.max(96, Math.min(260, rows * 12))}
        />
      </div>
      <p class="dv-note dv-number"><${Told} parts=${said} /></p>
    </div>
  <//>`;
}

/** @param {import('../sheets.js').Sheet} sheet */
function withoutHead({ columns, rows }) {
  return { columns: columns.slice(1), rows: rows.map((row) => row.slice(1)) };
}

// ---- how alike the heads are --------------------------------------------------------------------

const SIMILARITY_HELP =
  'Correlation of the gates of two heads over the cells that both see (– where there are none): 1 means that they gate ' +
  'every cell alike, 0 that they have nothing in common. Alike gates can still be used differently by the classifier.';

function Similarity() {
  const store = useStore();
  const title = 'How alike the heads are';
  const meet = resultsOf(store, whichOf(store)).some((result) =>
    range(result.L).some((l) => range(result.H).filter((head) => result.seen(head, l)).length > 1),
  );
  if (!meet) {
    return html`<${EmptyFigure} title=${title}
      >${`Every head sees ${store.axes().rows} of its own, so no two gates can be compared cell by cell.`}<//
    >`;
  }
  const caption = 'Correlation of the gates';
  const sides = store.sides();
  const found = sides.map((side) => store[side].raw.similarity);
  const csv = () =>
    sheetOf(
      ...found.map((numbers, i) => ({
        caption: store.letter(sides[i]),
        columns: numeric('Head', ...range(numbers.length).map((head) => `Head ${head}`)),
        rows: numbers.map((row, head) => [head, ...row]),
      })),
    );
  return html`<${Figure} title=${title} help=${SIMILARITY_HELP} csv=${csv}>
    <div class="dv-matrices" style=${`--dv-least: ${96 + 52 * store.result().H}px`}>
      ${found.map(
        (numbers, i) =>
          html`<${Matrix} numbers=${numbers} caption=${store.b ? `${caption}, ${store.letter(sides[i])}` : caption} />`,
      )}
      ${store.isDifference() && html`<${Change} before=${found[0]} after=${found[1]} />`}
    </div>
  <//>`;
}

/** @param {{before: (number | null)[][], after: (number | null)[][]}} props */
function Change({ before, after }) {
  const store = useStore();
  const change = after.map((row, i) =>
    row.map((r, j) => {
      const old = before[i][j];
      return r === null || old === null ? null : r - old;
    }),
  );
  const most = Math.max(0.25, ...change.flat().map((v) => Math.abs(v || 0))); // a change of nothing stays pale
  return html`<${Matrix}
    numbers=${change}
    caption=${`Change of the correlation, ${store.label('difference')}`}
    most=${most}
  />`;
}

/** Numbers from −most to most between each two heads. */
function Matrix({ numbers, caption, most = 1 }) {
  const scale = makeScale([-most, most], useStore().colours(true), { signed: true });
  const heads = range(numbers.length);
  /** @param {number | null} r */
  const cell = (r) => {
    const colour = r === null ? null : scale.colour(r);
    const style = colour ? { background: css(colour), color: ink(colour) } : {};
    return html`<td class="dv-matrix-cell" style=${style}><${Numeral} value=${r} text=${format.fixed(r, 2)} /></td>`;
  };
  return html`<${TableFrame} caption=${caption} kind="dv-matrix">
    <thead>
      <tr>
        <td></td>
        ${heads.map(
          (head) =>
            html`<th scope="col" aria-label="Head ${head}"><${HeadName} head=${head} short=${true} /></th>`,
        )}
      </tr>
    </thead>
    <tbody>
      ${heads.map(
        (head) =>
          html`<tr>
            <th scope="row"><${HeadName} head=${head} /></th>
            ${numbers[head].map(cell)}
          </tr>`,
      )}
    </tbody>
  <//>`;
}
