// @ts-check
/** Section "layers": layer profile and top features. */
import { range, sum } from '../arrays.js';
import { Chart, LayerBar, line, ZeroLine } from '../charts.js';
import { headColour } from '../colour.js';
import { Controls } from '../controls.js';
import { needExact, shareText, topFeatures, whichOf } from '../fields.js';
import { Figure, Legend, Table } from '../figure.js';
import * as format from '../format.js';
import { html, Stages, useStore } from '../html.js';
import { Missing } from '../maps.js';
import { numeral, numeric, ROUNDED, sheetOf } from '../sheets.js';

/** @typedef {import('../store.js').Store} Store */

/** @param {ReturnType<Store['axes']>} axes */
const profileHelp = ({ row }) =>
  `Share of each ${row} and head in the summed density attention; all bars of one result together are 100 %. It shows ` +
  'where attention lies, not how much the decision would change without it.';
/** @param {ReturnType<Store['axes']>} axes */
const topHelp = ({ Column, column, rows }) =>
  `${Column}s with the highest mean over all heads and ${rows}, and where each is strongest; where numbers have a ` +
  `sign, their size counts.${column === 'feature' ? ' A feature is one number of the encoder; it need not mean one thing.' : ''}`;

export function Layers() {
  return html`<div class="dv-stack dv-wide-gap"><${Stages} figures=${true}><${Profile} /><${TopFeatures} /><//></div>`;
}

// ---- profile ------------------------------------------------------------------------------------

/** Share of each head and layer, or its change [H][L]. @param {Store} store @returns {number[][]} */
function contribution(store) {
  const { layer_contribution: shares } = store.result().raw;
  if (!store.isDifference()) return shares;
  return store.b.raw.layer_contribution.map((row, head) => row.map((v, l) => v - shares[head][l]));
}

function Profile() {
  const store = useStore();
  const { H, L } = store.result();
  const shares = contribution(store);
  const controls = html`<${Controls} keys=${['side', 'layerChart']} />`;
  const table = {
    caption: store.isDifference()
      ? `Change in percentage points, ${store.label('difference')}`
      : 'Percent of all density attention',
    columns: numeric(store.axes().Row, ...range(H).map((head) => `Head ${head}`), 'All heads'),
    rows: range(L).map((l) => {
      const own = shares.map((row) => row[l]);
      return [l, ...[...own, sum(own)].map((v) => numeral(v))];
    }),
  };
  return html`<${Figure}
    title="${store.axes().Row} profile"
    help=${profileHelp(store.axes())}
    controls=${controls}
    table=${() => html`<${Table} ...${table} />`}
    csv=${() => sheetOf(table)}
  >
    <div class="dv-stack">
      <${ProfileChart} shares=${shares} />
      <div>
        <${Legend} heads=${range(H)} more=${(head) => shareText(store, head)} />
      </div>
    </div>
  <//>`;
}

/** @param {{shares: number[][]}} props */
function ProfileChart({ shares }) {
  const store = useStore();
  const { L } = store.result();
  const lines = store.state.layerChart === 'lines';
  /** Sum over heads of what is kept, by layer. @param {(v: number) => boolean} keep */
  const sums = (keep) => range(L).map((l) => sum(shares.map((row) => (keep(row[l]) ? row[l] : 0))));
  const high = Math.max(1e-9, ...(lines ? shares.flat() : sums((v) => v > 0))) * 1.06;
  const low = Math.min(0, ...(lines ? shares.flat() : sums((v) => v < 0))) * 1.06;
  const change = store.isDifference();
  const unit = change ? 'points' : 'percent';
  const totals = sums(() => true);
  const best = totals.indexOf(Math.max(...totals));
  const { row, Row } = store.axes();
  const what = change ? 'Change of the share of density attention' : 'Share of density attention';
  return html`<${Chart}
    label="${what} by ${row} and head; ${row} ${best} has the most, ${format.short(totals[best])} ${unit}"
    height=${260}
    x=${[-0.5, L - 0.5]}
    y=${[low, high]}
    xTicks=${format.ticks(0, L - 1, 12).filter(Number.isInteger)}
    xLabel=${Row}
    yLabel=${change ? 'Points' : 'Percent'}
    draw=${(pen) => (lines ? drawLines(pen, store, shares) : drawBars(pen, shares, row, unit))}
  />`;
}

/** @param {Store} store @param {number[][]} shares */
function drawLines(pen, store, shares) {
  return shares.map((row, head) => {
    const points = store
      .result()
      .layersOf(head)
      .map((l) => [l, row[l]]);
    const colour = headColour(head);
    return html`
      <path d=${line(pen, points)} fill="none" style=${{ stroke: colour }} stroke-width="2" />
      ${points.map(([l, v]) => html`<circle cx=${pen.x(l)} cy=${pen.y(v)} r="2.5" style=${{ fill: colour }} />`)}
    `;
  });
}

/** Bars on top of each other, what is lost below the line. @param {number[][]} shares @param {string} layer @param {string} unit */
function drawBars(pen, shares, layer, unit) {
  const L = shares[0].length;
  const bars = range(L).flatMap((l) => {
    let [up, down] = [0, 0];
    return shares.map((row, head) => {
      const v = row[l];
      if (!v) return null;
      const from = v > 0 ? up : down;
      if (v > 0) up += v;
      else down += v;
      return html`<${LayerBar} pen=${pen} layers=${L} layer=${l} from=${from} to=${from + v} fill=${headColour(head)}>
        ${`Head ${head}, ${layer} ${l}: ${format.short(v, 4)} ${unit}`}
      <//>`;
    });
  });
  return [bars, html`<${ZeroLine} pen=${pen} />`];
}

// ---- top features -------------------------------------------------------------------------------

function TopFeatures() {
  const store = useStore();
  const controls = html`<${Controls} keys=${['quantity', 'top']} />`;
  const rows = topFeatures(store);
  const table = rows && featureTable(store, rows);
  const csv = async () => {
    await needExact(store, whichOf(store), range(store.result().H));
    const found = topFeatures(store);
    return found?.every(({ exact }) => exact) ? sheetOf(featureTable(store, found)) : ROUNDED;
  };
  return html`<${Figure} title=${`Top ${store.axes().columns}`} help=${topHelp(store.axes())} quantity=${store.quantity} ofClass=${store.ofClass} controls=${controls} csv=${csv}>
    ${table ? html`<${Table} ...${table} />` : html`<${Missing} which=${whichOf(store)} heads=${range(store.result().H)} missing=${true} />`}
  <//>`;
}

/** @param {Store} store @param {NonNullable<ReturnType<typeof topFeatures>>} rows */
function featureTable(store, rows) {
  const { short: symbol, name } = store.quantities[store.quantity];
  const change = store.isDifference() ? ' change' : '';
  const short = `${symbol}${change}`;
  const axes = store.axes();
  return {
    caption: `Top ${rows.length} ${axes.columns} by mean ${format.inSentence(name)}${change} over heads and ${axes.rows}`,
    // The button first: on a phone the last column is out of sight.
    columns: ['', ...numeric(axes.Column, `Mean ${short}`, 'Head', axes.Row, `${short} there`)],
    rows: rows.map(({ feature, mean, head, layer, value, exact }) => [
      html`<button
        type="button"
        class="dv-button"
        aria-label=${`Look at ${axes.column} ${feature} in ${axes.row} ${layer}`}
        onClick=${() => store.select({ head, layer, feature }, 'heatmap')}
      >
        Look
      </button>`,
      feature,
      numeral(mean, exact),
      head,
      layer,
      numeral(value, exact),
    ]),
  };
}
