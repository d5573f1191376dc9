// @ts-check
/** Mean maps of groups of inputs, and the difference of two with what of it holds. */
import { activeTogether } from '../active_layers.js';
import { range, top } from '../arrays.js';
import { makeScale } from '../colour.js';
import { Select } from '../controls.js';
import { extent, onlySeen } from '../fields.js';
import { ColourBar, HeadName, Table } from '../figure.js';
import * as format from '../format.js';
import { html, useMemo, useState } from '../html.js';
import { BinningNote, MapCanvas, useBinning } from '../maps.js';
import { mapsSheet, numeral, numeric } from '../sheets.js';
import { Asked, useStudy } from './parts.js';
import { capital, dealt, nothingHolds, sliceName, thing } from './selecting.js';

const LISTED = 20; // cells that differ most

export function Slices() {
  const store = useStudy();
  const { columns, state, payload } = store;
  const { second, slicing } = state;
  const shared = payload?.units || []; // columns that can be dealt by
  const first = store.first();
  const [one, other] = store.slices();
  const problem = trouble(one, other, second);
  const answer = !first
    ? null
    : problem
      ? { error: problem }
      : store.answer('slices', {
          first: store.numbersOf(/** @type {Int32Array} */ (one)),
          second: other ? store.numbersOf(other) : [],
          quantity: slicing,
          units: second === 'none' ? '' : store.units(),
        });
  const names = [first || 'none', second].map((name) => sliceName(columns, name));
  const options = sliceOptions(store);
  const controls = [
    html`<${Select}
      label="Group 1"
      options=${options}
      value=${first || options[0][0]}
      onChange=${(v) => store.set({ first: v })}
    />`,
    html`<${Select}
      label="Group 2"
      options=${[['others', 'All others'], ['none', 'None: the mean of group 1 alone'], ...options]}
      value=${second}
      onChange=${(v) => store.set({ second: v })}
    />`,
    html`<${Select}
      label="By"
      options=${['density_attention', 'gate', 'class_importance'].map((key) => [key, payload?.quantities[key].name])}
      value=${slicing}
      onChange=${(v) => store.set({ slicing: v })}
    />`,
    second !== 'none' &&
      shared.length > 0 &&
      html`<${Select}
        label="Tested by dealing"
        options=${[['none', 'Single inputs'], ...shared.map((name) => [name, `All of one ${thing(name, columns.shared)} together`])]}
        value=${store.units() || 'none'}
        onChange=${(v) => store.set({ units: v })}
      />`,
  ];
  const sizes = `${format.count(one?.length || 0)} inputs${other ? ` against ${format.count(other.length)}` : ''}`;
  const csv = () => comparedSheet(store, answer?.value, names);
  const title = !first
    ? 'Which cells differ'
    : second === 'none'
      ? `Mean map: ${names[0]}`
      : `${capital(names[0])} against ${names[1]}`;
  return html`<div class="dv-stack ds-slices">
    <${Asked} title=${title} help=${first ? `${sizes}.${state.first ? '' : ' Group 1 begins as the class that the heads tell best from all others; choose any other.'}` : ''} controls=${controls} answer=${answer} csv=${csv}>
      ${(found) => html`<${Compared} found=${found} names=${names} />`}
    <//>
  </div>`;
}

/** All cells of a comparison. @param {import('./store.js').StudyStore} store @param {any} found @param {string[]} names */
function comparedSheet({ payload }, found, names) {
  const [heads, layers, features] = /** @type {any} */ (payload).facts.shape;
  /** @param {ArrayLike<number>} data */
  const map = (data) => (head) => ({
    data: Array.from(data).slice(head * layers * features, (head + 1) * layers * features),
    rows: layers,
    columns: features,
    seen: (row) => /** @type {any} */ (payload).facts.head_layers[head][row],
    signed: false,
    exact: true,
  });
  /** @type {[string, (head: number) => any][]} */
  const maps = [
    [`Mean: ${names[0]}`, map(found.first)],
    ...(found.difference
      ? /** @type {[string, any][]} */ ([
          [`Mean: ${names[1]}`, map(found.second)],
          ['Difference', map(found.difference)],
          ['q', map(found.q)],
        ])
      : []),
  ];
  return mapsSheet(range(heads), maps);
}

/** Why two groups cannot be compared, or nothing. */
function trouble(one, other, second) {
  if (!one || (!other && second !== 'none'))
    return 'There is no such group in this study; choose another one.';
  if (!one.length) return 'Group 1 holds no input.';
  if (second === 'none') return '';
  if (one.length < 2 || other.length < 2) return 'A comparison needs two inputs in each group at least.';
  const inFirst = new Set(one);
  const shared = Array.from(other).filter((row) => inFirst.has(row)).length;
  if (shared) return `The groups share ${format.count(shared)} inputs; compare groups that do not.`;
  return '';
}

/** @param {import('./store.js').StudyStore} store */
function sliceOptions(store) {
  const { columns, selections } = store;
  return [
    ['all', 'All inputs'],
    ['right', 'Right ones'],
    ['wrong', 'Errors'],
    ...(store.filtering() || store.state.first === 'filter' ? [['filter', 'What the table shows']] : []),
    ...Object.keys(selections).map((name) => [`selection.${name}`, `Selection “${name}”`]),
    ...columns.options(columns.labels, 'label.', 'True class '),
    ...columns.options(columns.predictions, 'prediction.', 'Predicted '),
    ...Object.entries(columns.groups).flatMap(([group, { names }]) =>
      names.map((name, code) => [
        `group.${group}.${code}`,
        capital(`${thing(group, columns.shared)} ${name}`),
      ]),
    ),
  ];
}

/** @param {{found: any, names: string[]}} props */
function Compared({ found, names }) {
  const store = useStudy();
  const { state, payload } = store;
  const [heads, layers, features] = /** @type {any} */ (payload).facts.shape;
  const cells = layers * features;
  const quantity = /** @type {any} */ (payload).quantities[state.slicing];
  const compared = Boolean(found.difference);
  const shown = compared ? state.map : 'first';
  const holds = useMemo(
    () => (compared ? Uint8Array.from(found.q, (q) => Number(q <= found.level)) : null),
    [found],
  );
  const seenCells = useMemo(
    () => /** @type {any} */ (payload).facts.head_layers.flat().filter(Boolean).length * features,
    [payload],
  );
  const number = holds ? holds.reduce((sum, one) => sum + one, 0) : 0;
  const signed = shown === 'difference' || quantity.signed;
  // Where nothing holds, maps of what does would be blank.
  const onlyCertain = shown === 'difference' && state.certain && number > 0;
  // What does not hold has the colour of nothing.
  const data = useMemo(
    () => (onlyCertain && holds ? found.difference.map((v, i) => (holds[i] ? v : 0)) : found[shown]),
    [found, shown, onlyCertain],
  );
  const fields = range(heads).map((head) => ({
    data: data.subarray(head * cells, (head + 1) * cells),
    rows: layers,
    columns: features,
    seen: (row) => /** @type {any} */ (payload).facts.head_layers[head][row],
    signed,
    exact: true,
  }));
  const scale = useMemo(() => {
    let [low, high] = extent(fields);
    if (signed) [low, high] = [-Math.max(-low, high), Math.max(-low, high)];
    return makeScale([low, high], store.table(signed), { signed });
  }, [data, signed, store.dark]);
  const [whole, setWhole] = useState(false);
  const active = activeTogether(fields);
  return html`<div class="dv-stack">
    ${compared && html`<${Finding} found=${found} number=${number} cells=${seenCells} names=${names} />`}
    ${
      compared &&
      html`<div class="dv-controls">
        <${Select}
          label="Map"
          options=${[
            ['difference', `Difference: ${names[0]} − ${names[1]}`],
            ['first', `Mean: ${names[0]}`],
            ['second', `Mean: ${names[1]}`],
          ]}
          value=${state.map}
          onChange=${(v) => store.set({ map: v })}
        />
        ${
          shown === 'difference' &&
          html`<label class="dv-check">
            <input
              type="checkbox"
              checked=${state.certain && number > 0}
              disabled=${!number}
              onChange=${(e) => store.set({ certain: e.currentTarget.checked })}
            />
            Only cells whose difference holds
          </label>`
        }
      </div>`
    }
    ${
      active &&
      html`<div class="dv-row dv-layers-shown">
        <p class="dv-note">${whole ? 'All layers are shown.' : 'The maps show only the layers that hold 95 % of each.'}</p>
        <button type="button" class="dv-button" onClick=${() => setWhole(!whole)}>
          ${whole ? 'Magnify the strongest layers' : 'Show all layers'}
        </button>
      </div>`
    }
    <div class="dv-multiples">
      ${fields.map((field, head) => html`<${SliceMap} key=${head} head=${head} active=${whole ? null : active} field=${field} scale=${scale} found=${found} holds=${holds} shown=${shown} />`)}
    </div>
    <${ColourBar} scale=${scale}>
      ${quantity.name}${shown === 'difference' ? `: ${names[0]} minus ${names[1]}` : `, mean of ${names[shown === 'second' ? 1 : 0]}`};
      ${' '}one scale for all heads. <span class="dv-said">Press a cell to see what it answers to.</span>
    <//>
    <${Strongest} found=${found} holds=${holds} names=${names} />
  </div>`;
}

/** What the comparison says, in a sentence, and how it was tested. */
function Finding({ found, number, cells, names }) {
  const store = useStudy();
  const whole = found.sizes.join() === found.compared.join();
  const some = whole
    ? ''
    : ` Compared were ${found.compared.map(format.count).join(' and ')} of them, drawn at random.`;
  const percent = Math.round(100 * found.level);
  const many = `${format.count(number)} of ${format.count(cells)} cells ${number === 1 ? 'differs' : 'differ'}`;
  const sure = number
    ? `; on average, at most ${percent} of 100 called different are false alarms (q ≤ ${found.level})`
    : '';
  return html`<div class="dv-in-words">
    <p role="status">
      <strong>${number ? many : 'No cell differs for certain'}</strong> between ${names[0]} and ${names[1]}${sure}.${some}${number ? '' : nothingHolds(found.compared)}
    </p>
    <details class="dv-note">
      <summary>How it was tested</summary>
      <p>
        ${
          `${dealt(found.units, store.payload?.units[0] || '', store.columns.shared)} This was done ${found.permutations} times. ` +
          `Chance is counted over all cells together, so q has a least value, which many cells may share. Cells ` +
          `depend on each other, so many may say one thing.`
        }
      </p>
    </details>
  </div>`;
}

/** active: the first and the last layer that are shown, where these are not all. */
function SliceMap({ head, field, active, scale, found, holds, shown }) {
  const store = useStudy();
  const [zoom, setZoom] = useState(/** @type {any} */ (null));
  const [hover, setHover] = useState(/** @type {any} */ (null));
  const [binning, onDraw] = useBinning();
  const rows = active && { y0: active.first, y1: active.last + 1 };
  const zoomShown = useMemo(
    () => (rows ? { x0: 0, x1: field.columns, ...zoom, ...rows } : zoom),
    [zoom, rows?.y0, rows?.y1, field.columns],
  );
  const { place } = store.state;
  const marked = store.placed && place.head === head && place.layer !== null && place.feature !== null;
  /** @param {number} layer @param {number} feature */
  const describe = (layer, feature) => {
    const at = layer * field.columns + feature;
    const all = head * field.rows * field.columns + at;
    if (!field.seen(layer)) return `Layer ${layer}: not seen by this head.`;
    const value = shown === 'difference' ? found.difference[all] : field.data[at];
    const certain = shown === 'difference' ? (holds[all] ? ', holds' : ', may be chance') : '';
    return `Layer ${layer}, feature ${feature}: ${format.short(value)}${certain}`;
  };
  return html`<div class="dv-map-box">
    <div class="dv-map-caption">
      <${HeadName} head=${head} />
      <span class="dv-note dv-number">${hover ? describe(hover.row, hover.column) : ''}</span>
    </div>
    <${MapCanvas}
      label="Head ${head}. Arrow keys move from cell to cell, Enter shows what it answers to."
      field=${field}
      scale=${scale}
      zoom=${zoomShown}
      binning="max"
      marks=${{ hover: null, cell: marked ? { row: place.layer, column: place.feature } : null }}
      height=${(/** @type {number} */ n) => (rows ? 40 + 24 * (rows.y1 - rows.y0) : Math.max(96, Math.min(360, n * 14)))}
      onHover=${setHover}
      onZoom=${setZoom}
      onDraw=${onDraw}
      onSelect=${({ row, column }) => store.goTo({ head, layer: row, feature: column }, store.state.slicing)}
      describe=${describe}
    />
    <${BinningNote}>${binning}<//>
  </div>`;
}

/** The cells with the largest differences that hold, or the largest means. */
function Strongest({ found, holds, names }) {
  const store = useStudy();
  const { state, payload } = store;
  const [, layers, features] = /** @type {any} */ (payload).facts.shape;
  const compared = Boolean(holds);
  const seen = /** @type {any} */ (payload).facts.head_layers;
  const data = compared
    ? found.difference.map((v, i) => (holds[i] ? v : NaN))
    : onlySeen({
        data: found.first,
        rows: seen.length * layers,
        columns: features,
        seen: (row) => seen[Math.floor(row / layers)][row % layers],
        signed: false,
        exact: true,
      });
  const best = top(data, LISTED, true);
  if (!best.length) return null;
  const rows = best.map((at) => {
    const [head, layer, feature] = [
      Math.floor(at / (layers * features)),
      Math.floor(at / features) % layers,
      at % features,
    ];
    const link = html`<button
      type="button"
      class="dv-link ds-cell-link"
      onClick=${() => store.goTo({ head, layer, feature }, state.slicing)}
    >
      head ${head}, layer ${layer}, feature ${feature}
    </button>`;
    return compared
      ? [
          link,
          numeral(found.difference[at]),
          numeral(found.q[at]),
          numeral(found.first[at]),
          numeral(found.second[at]),
        ]
      : [link, numeral(found.first[at])];
  });
  return html`<${Table}
    caption=${compared ? `${rows.length === 1 ? 'The cell' : `The ${rows.length} cells`} that differ most, of those whose difference holds (q ≤ ${found.level})` : `The ${rows.length} largest means`}
    columns=${['Cell', ...numeric(...(compared ? ['Difference', 'q', `Mean: ${names[0]}`, `Mean: ${names[1]}`] : ['Mean']))]}
    rows=${rows}
  />`;
}
