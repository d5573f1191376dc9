// @ts-check
/** Section "layers": layer profile, top features, entropy of each head. */
import { range, sum } from '../arrays.js';
import { Chart, LayerBar, line, ZeroLine } from '../charts.js';
import { headColour } from '../colour.js';
import { useControls } from '../controls.js';
import { needExact, shareText, topFeatures, whichOf } from '../fields.js';
import { Figure, HeadName, Legend, numeric, Table, TOO_LARGE } from '../figure.js';
import * as format from '../format.js';
import { html, useEffect, useState, useStore } from '../html.js';

/** @typedef {import('../store.js').Store} Store */

const PROFILE_HELP =
  'Share of each layer and head in the summed density attention; all bars of one result together are 100 %. It shows ' +
  'where attention lies, not how much the decision would change without it.';
const FEATURES_HELP =
  'Features with the highest mean over all heads and layers, and where each is strongest; where numbers have a sign, ' +
  'their size counts. A feature is one number of the encoder; it need not mean one thing.';
const ENTROPY_HELP =
  'Relative entropy of the gate over the cells a head sees: 1 lets everything through alike, 0 a single cell. Selective is ' +
  'not the same as important.';

export function Layers() {
  return html`<div class="dv-stack dv-wide-gap"><${Profile} /><${TopFeatures} /><${Entropies} /></div>`;
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
  const controls = useControls(['side', 'layerChart']);
  const table = () => html`<${Table}
    caption=${
      store.isDifference()
        ? `Change in percentage points, ${store.label('difference')}`
        : 'Percent of all density attention'
    }
    columns=${numeric('Layer', ...range(H).map((head) => `Head ${head}`), 'All heads')}
    rows=${range(L).map((l) => {
      const own = shares.map((row) => row[l]);
      return [l, ...own.map((v) => format.short(v, 4)), format.short(sum(own), 4)];
    })}
  />`;
  return html`<${Figure} title="Layer profile" help=${PROFILE_HELP} controls=${controls} table=${table}>
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
  const what = change ? 'Change of the share of density attention' : 'Share of density attention';
  return html`<${Chart}
    label="${what} by layer and head; layer ${best} has the most, ${format.short(totals[best])} ${unit}"
    height=${260}
    x=${[-0.5, L - 0.5]}
    y=${[low, high]}
    xTicks=${format.ticks(0, L - 1, 12).filter(Number.isInteger)}
    xLabel="Layer"
    yLabel=${change ? 'Points' : 'Percent'}
    draw=${(pen) => (lines ? drawLines(pen, store, shares) : drawBars(pen, shares, unit))}
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

/** Bars on top of each other, what is lost below the line. @param {number[][]} shares @param {string} unit */
function drawBars(pen, shares, unit) {
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
        ${`Head ${head}, layer ${l}: ${format.short(v, 4)} ${unit}`}
      <//>`;
    });
  });
  return [bars, html`<${ZeroLine} pen=${pen} />`];
}

// ---- top features -------------------------------------------------------------------------------

function TopFeatures() {
  const store = useStore();
  const controls = useControls(['quantity', 'top']);
  const rows = topFeatures(store);
  return html`<${Figure} title="Top features" help=${FEATURES_HELP} controls=${controls}>
    <div>${rows ? html`<${FeatureTable} rows=${rows} />` : html`<${Loading} />`}</div>
  <//>`;
}

/** Asks for the maps of all heads, and says so. */
function Loading() {
  const store = useStore();
  const [failed, setFailed] = useState(false);
  const which = whichOf(store);
  useEffect(() => {
    needExact(store, which, range(store.result().H)).then((came) => setFailed(!came));
  }, [JSON.stringify(which)]);
  return html`<p class="dv-missing">${failed ? TOO_LARGE : 'Loading these numbers …'}</p>`;
}

/** @param {{rows: NonNullable<ReturnType<typeof topFeatures>>}} props */
function FeatureTable({ rows }) {
  const store = useStore();
  const short = `${store.quantities[store.state.quantity].short}${store.isDifference() ? ' change' : ''}`;
  return html`<${Table}
    caption="Top ${rows.length} features by mean ${short} over heads and layers"
    columns=${[...numeric('Feature', `Mean ${short}`, 'Head', 'Layer', `${short} there`), '']}
    rows=${rows.map(({ feature, mean, head, layer, value, exact }) => [
      feature,
      `${exact ? '' : '≈ '}${format.short(mean, 4)}`,
      head,
      layer,
      format.sure(value, exact),
      html`<button
        type="button"
        class="dv-button"
        aria-label="Look at feature ${feature} in layer ${layer}"
        onClick=${() => store.select({ head, layer, feature }, 'heatmap')}
      >
        Look
      </button>`,
    ])}
  />`;
}

// ---- entropy ------------------------------------------------------------------------------------

function Entropies() {
  const store = useStore();
  const result = store.result();
  /** @param {number} head @param {number | null} entropy */
  const meter = (head, entropy) =>
    html`<span class="dv-meter-row"
      ><span class="dv-meter" aria-hidden="true"
        ><span style=${{ width: `${(100 * (entropy || 0)).toFixed(1)}%`, background: headColour(head) }}></span></span
      ><span>${format.fixed(entropy, 4)}</span></span
    >`;
  /** @param {number} head */
  const row = (head) => {
    const name = html`<${HeadName} head=${head} />`;
    const one = result.raw.entropy[head];
    if (!store.isDifference()) return [name, meter(head, one), `${format.short(result.share(head), 4)} %`];
    const other = store.b.raw.entropy[head];
    const change = one === null || other === null ? null : other - one;
    return [name, meter(head, one), meter(head, other), format.fixed(change, 4)];
  };
  const titles = store.isDifference()
    ? [`Entropy, ${store.letter('a')}`, `Entropy, ${store.letter('b')}`, 'Change']
    : ['Entropy', 'Share of density attention'];
  return html`<${Figure} title="How selective each head is" help=${ENTROPY_HELP}>
    <div>
      <${Table}
        caption="Entropy of each head’s gate"
        columns=${['Head', ...numeric(...titles)]}
        rows=${result.byContribution().map(row)}
      />
    </div>
  <//>`;
}
