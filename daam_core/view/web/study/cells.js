// @ts-check
/** What a cell, a head, a layer or a feature answers to, over all inputs. */
import { bounds, histogram, range } from '../arrays.js';
import { Chart } from '../charts.js';
import { NumberField, Select } from '../controls.js';
import { Figure, Table } from '../figure.js';
import * as format from '../format.js';
import { html, useEffect, useState } from '../html.js';
import { numeral, numeric } from '../sheets.js';
import { InputCard } from './card.js';
import { Asked, useStudy } from './parts.js';
import { extremes, sameInStudy, tied } from './selecting.js';
import { placeName } from './store.js';

const SHOWN = 20; // inputs at either end
const BINS = 40;
const MOST_CLASSES = 12; // told unasked
const ALL = 'all';

export function Cells() {
  const store = useStudy();
  const { state, payload } = store;
  const { place, quantity } = state;
  const asked = { ...place, quantity };
  const answer = store.answer('place', asked);
  const { meaning } = /** @type {any} */ (payload).quantities[quantity];
  const name = placeName(place);
  const [picked, pick] = useState(-1); // class that the histogram shows apart
  const found = answer?.value;
  const varies = found && !found.constant;
  return html`<div class="dv-stack ds-cells">
    <${Telling} />
    <${Chooser} />
    <div class=${varies ? 'ds-two' : ''}>
      <${Asked}
        title=${name}
        help="${said(store)}. ${quantity === 'class_importance' ? `It is ${meaning}; the class is what was predicted of each input.` : `${meaning[0].toUpperCase()}${meaning.slice(1)}.`}"
        answer=${answer}
        table=${() => html`<${Scores} scores=${found.data} />`}
        csv=${() => scoresSheet(store, found.data, payload?.quantities[quantity].name || '')}
      >
        ${({ constant, data }) =>
          constant
            ? html`<p class="dv-empty">It is the same for every input: ${format.short(data[0])}.</p>`
            : html`<${Histogram} scores=${data} picked=${picked} />`}
      <//>
      ${varies && html`<${Preferences} preference=${found.preference} picked=${picked} pick=${pick} />`}
    </div>
    ${varies && html`<${Extremes} scores=${found.data} key=${JSON.stringify(asked)} />`}
    ${found && html`<${Alike} asked=${asked} />`}
  </div>`;
}

/**
 * The place's number in every input, or in some.
 * @param {import('./store.js').StudyStore} store
 * @param {Float32Array} scores
 * @param {string} name
 * @param {number[]} [rows]
 */
function scoresSheet({ columns }, scores, name, rows = range(columns.count)) {
  return {
    columns: ['Number', 'Input', 'True class', 'Predicted', 'Probability', name],
    rows: rows.map((row) => [
      columns.number[row],
      columns.name[row],
      columns.className(columns.label[row]),
      columns.className(columns.prediction[row]),
      columns.confidence[row],
      scores[row],
    ]),
  };
}

/** What a number at the place is. @param {import('./store.js').StudyStore} store */
function said({ state, payload }) {
  const { head, layer, feature } = state.place;
  const name = /** @type {any} */ (payload).quantities[state.quantity].name;
  const one = layer !== null && feature !== null && (head !== null || state.quantity === 'values');
  return one ? name : `${name}, mean over its cells`;
}

/** Where to begin: the cells that tell a class best. */
function Telling() {
  const store = useStudy();
  const { columns } = store;
  const [code, setCode] = useState(Math.min(...columns.labels, columns.classes.length - 1));
  const answer = store.answer('telling', {});
  const found = answer?.value;
  useEffect(() => {
    // Nobody asked for a cell yet: one that says something.
    const best = found?.[code]?.[0] ?? found?.find((cells) => cells.length)?.[0];
    if (best && !store.placed) store.set({ place: { head: best[0], layer: best[1], feature: best[2] } });
  }, [found]);
  const controls = html`<${Select}
    label="Class"
    options=${columns.options(columns.labels)}
    value=${code}
    onChange=${(v) => setCode(Number(v))}
  />`;
  return html`<${Asked}
    title="Cells that tell a class best"
    help=${html`By how many standard deviations (SD) a cell’s mean density attention is higher (+) or lower (−) for the class than for all others. <span class="dv-said">Press one to see what it answers to.</span>`}
    controls=${controls}
    answer=${answer}
    csv=${() => tellingSheet(store, found)}
  >
    ${(cells) =>
      cells[code]?.length
        ? html`<ul class="ds-pairs">
            ${cells[code].map(([head, layer, feature, size]) => {
              const place = { head, layer, feature };
              const on = JSON.stringify(place) === JSON.stringify(store.state.place);
              return html`<li key="${head}.${layer}.${feature}">
                <button
                  type="button"
                  class="dv-button ${on ? 'ds-on' : ''}"
                  aria-pressed=${String(on)}
                  title="Its mean is ${format.short(Math.abs(size))} deviations ${size > 0 ? 'higher' : 'lower'} for ${columns.className(code)} than for all others"
                  onClick=${() => store.goTo(place, 'density_attention')}
                >
                  ${placeName(place)} <span class="dv-quiet">${size < 0 ? '−' : '+'}${format.fixed(Math.abs(size), 2)} SD</span>
                </button>
              </li>`;
            })}
          </ul>`
        : html`<p class="dv-empty">Of this class there are too few inputs.</p>`}
  <//>`;
}

/** The cells that tell each class. @param {import('./store.js').StudyStore} store @param {[number, number, number, number][][]} telling */
function tellingSheet({ columns }, telling) {
  return {
    columns: ['Class', 'Head', 'Layer', 'Feature', 'Standard deviations'],
    rows: telling.flatMap((cells, code) => cells.map((cell) => [columns.className(code), ...cell])),
  };
}

function Chooser() {
  const store = useStudy();
  const { state, payload } = store;
  const { place, quantity } = state;
  const [heads, layers, features] = /** @type {any} */ (payload).facts.shape;
  /** @param {string} word @param {number} size */
  const options = (word, size) => [
    [ALL, `All ${word}s`],
    ...range(size).map((i) => [i, `${word[0].toUpperCase()}${word.slice(1)} ${i}`]),
  ];
  /** @param {keyof import('./types.js').Place} axis */
  const choose = (axis) => (v) => store.set({ place: { ...place, [axis]: v === ALL ? null : Number(v) } });
  const viewed = store.cell?.() ?? null;
  return html`<div class="dv-controls">
    <${Select}
      label="Show"
      options=${Object.entries(/** @type {any} */ (payload).quantities).map(([key, q]) => [key, /** @type {any} */ (q).name])}
      value=${quantity}
      onChange=${(v) => store.set({ quantity: v })}
    />
    ${
      quantity !== 'values' &&
      html`<${Select} label="Head" options=${options('head', heads)} value=${place.head ?? ALL} onChange=${choose('head')} />`
    }
    <${Select} label="Layer" options=${options('layer', layers)} value=${place.layer ?? ALL} onChange=${choose('layer')} />
    <${NumberField}
      label="Feature (empty: all)"
      empty=${`all ${format.count(features)}`}
      value=${place.feature}
      size=${features}
      onChange=${(v) => choose('feature')(v ?? ALL)}
    />
    ${
      viewed &&
      JSON.stringify(viewed) !== JSON.stringify(place) &&
      html`<button type="button" class="dv-button" onClick=${() => store.set({ place: viewed })}>
        ${placeName(viewed)}, as in the view of one input
      </button>`
    }
    <button
      type="button"
      class="dv-button"
      onClick=${() => store.show('plane', { colour: 'score' })}
    >
      Colour the plane by it
    </button>
    <button
      type="button"
      class="dv-button"
      onClick=${() => store.show('table', { sort: 'score', down: true })}
    >
      Order the table by it
    </button>
  </div>`;
}

/** @param {{scores: Float32Array, picked: number}} props */
function Histogram({ scores, picked }) {
  const store = useStudy();
  const { columns, state, payload } = store;
  const [low, high] = bounds(scores);
  const counts = histogram(scores, low, high, BINS);
  const apart =
    picked < 0
      ? null
      : histogram(
          scores.filter((_, row) => columns.has(columns.label[row], picked)),
          low,
          high,
          BINS,
        );
  const most = Math.max(1, ...counts);
  // A class among many is drawn higher than it is, or its bars would be flat.
  const raised = apart ? Math.max(1, Math.floor(most / Math.max(1, ...apart))) : 1;
  const name = /** @type {any} */ (payload).quantities[state.quantity].name;
  const now = store.current?.(state.place, state.quantity) ?? null;
  const chosen = store.row() >= 0 ? scores[store.row()] : null;
  /** @type {[string, number, string][]} */
  const marks = [];
  if (chosen !== null && now !== null && sameInStudy(chosen, now)) {
    marks.push(['the chosen input and the one on screen, to the study’s precision', chosen, 'dv-value']);
  } else {
    if (chosen !== null) marks.push(['the chosen input', chosen, 'dv-value']);
    if (now !== null) marks.push(['the input on screen', now, 'ds-now']);
  }
  const label = `Histogram of ${name} over ${format.count(scores.length)} inputs, ${format.reach(low, high)}`;
  return html`<div class="ds-side">
    <${Chart}
      label=${label}
      height=${220}
      x=${[low, high]}
      y=${[0, most]}
      xLabel=${name}
      yLabel="Inputs"
      draw=${(pen) => {
        const step = (high - low) / BINS;
        /** @param {number[]} heights @param {string} kind */
        const bars = (heights, kind, times = 1) =>
          heights.map(
            (count, i) =>
              count > 0 &&
              html`<rect
                class=${kind}
                x=${pen.x(low + i * step) + 0.5}
                width=${Math.max(1, pen.x(low + step) - pen.x(low) - 1)}
                y=${pen.y(times * count)}
                height=${pen.y(0) - pen.y(times * count)}
              ><title>${format.short(low + i * step)} to ${format.short(low + (i + 1) * step)}: ${count}</title></rect>`,
          );
        return html`${bars(counts, 'ds-bin')} ${apart && bars(apart, 'ds-bin-class', raised)}
        ${marks.map(([, value, kind]) => {
          const x = pen.x(Math.min(high, Math.max(low, value)));
          return html`<line class=${kind} x1=${x} x2=${x} y1=${pen.top} y2=${pen.bottom} />`;
        })}`;
      }}
    />
    <ul class="dv-keys">
      <li><span class="dv-key ds-key-bin"></span>all inputs</li>
      ${picked >= 0 && html`<li><span class="dv-key ds-key-class"></span>${columns.className(picked)}${raised > 1 && `, bars drawn ${raised} times as high`}</li>`}
      ${marks.map(([text, value, kind]) => html`<li key=${kind}><span class="dv-key ds-key-${kind}"></span>${text}: ${format.short(value)}</li>`)}
    </ul>
  </div>`;
}

/** @param {{preference: (number | null)[], picked: number, pick: (code: number) => void}} props */
function Preferences({ preference, picked, pick }) {
  const store = useStudy();
  const { columns } = store;
  const [whole, setWhole] = useState(false);
  const order = preference
    .map((area, code) => ({ area, code }))
    .filter(({ area }) => area !== null)
    .sort((a, b) => /** @type {number} */ (b.area) - /** @type {number} */ (a.area));
  const counts = columns.sizes();
  const ends = order.length > MOST_CLASSES && !whole;
  const half = MOST_CLASSES / 2;
  const shown = ends ? [...order.slice(0, half), ...order.slice(-half)] : order;
  const csv = () => ({
    columns: ['Class', 'AUROC', 'Inputs'],
    rows: order.map(({ area, code }) => [columns.className(code), area, counts[code]]),
  });
  return html`<${Figure}
    title="How well it tells each class"
    help=${html`AUROC over the inputs: 1 where every input of the class has a higher number than all others, 0 where every one has a lower, 0.5 where it says nothing of the class; n counts the class’s inputs. <span class="dv-said">Press a class to see it apart.</span>`}
    csv=${csv}
  >
    <ul class="ds-areas">
      ${shown.map(({ area, code }) => {
        const value = /** @type {number} */ (area);
        return html`<li key=${code}>
          <button
            type="button"
            class="dv-link ds-area ${picked === code ? 'dv-strong' : ''}"
            aria-pressed=${String(picked === code)}
            data-class=${columns.classes[code]}
            title="${columns.className(code)}: ${format.count(counts[code])} inputs"
            onClick=${() => pick(picked === code ? -1 : code)}
          >
            <span class="ds-area-name">${columns.className(code)}</span>
            <span class="ds-area-track"
              ><span
                style=${{ left: `${100 * Math.min(0.5, value)}%`, width: `${100 * Math.abs(value - 0.5)}%` }}
              ></span
            ></span>
            <span class="dv-number">${format.fixed(value, 3)}</span>
            <span class="dv-number dv-quiet">n ${format.count(counts[code])}</span>
          </button>
        </li>`;
      })}
    </ul>
    <div class="dv-row">
      ${
        ends &&
        html`<button type="button" class="dv-button dv-quiet-button" onClick=${() => setWhole(true)}>
          Show all ${order.length} classes
        </button>`
      }
      ${
        picked >= 0 &&
        html`<button
          type="button"
          class="dv-button dv-quiet-button"
          onClick=${() => store.set({ tab: 'slices', first: `label.${picked}`, second: 'others' })}
        >
          Compare ${columns.className(picked)} with all others
        </button>`
      }
    </div>
  <//>`;
}

/** @param {{scores: Float32Array}} props */
function Extremes({ scores }) {
  const store = useStudy();
  const { confidence } = store.columns;
  const highest = extremes(scores, confidence, SHOWN, false);
  const lowest = extremes(scores, confidence, SHOWN, true).filter((row) => !highest.includes(row));
  const numbers = store.numbersOf([...highest, ...lowest]);
  const { name } = /** @type {any} */ (store.payload).quantities[store.state.quantity];
  const answer = store.answer('inputs', { numbers });
  const pictures = store.payload?.facts.modality === 'image';
  /** @param {any[]} found @param {number[]} rows @param {number} from */
  const cards = (found, rows, from) =>
    html`<div class="ds-cards ${pictures ? 'ds-pictures' : ''}">
      ${rows.map(
        (row, i) =>
          html`<${InputCard} key=${row} row=${row} input=${found[from + i]} score=${format.short(scores[row])} />`,
      )}
    </div>`;
  const parts = /** @type {const} */ ([
    ['highest', highest, 0],
    ['lowest', lowest, highest.length],
  ]);
  return html`<div class="dv-stack">
    ${parts.map(
      ([word, rows, from]) =>
        rows.length > 0 &&
        html`<${Asked}
          key=${word}
          title="${rows.length} inputs where it is ${word}"
          help="${tiedText(scores, rows)}${
            from === 0
              ? 'The number in front is this place’s in that input. Colours show what each part of the input did for the prediction: orange spoke for it, blue against it.'
              : ''
          }"
          answer=${answer}
          csv=${() => scoresSheet(store, scores, name, rows)}
        >
          ${(found) => html`<div data-end=${word}>${cards(found, rows, from)}</div>`}
        <//>`,
    )}
  </div>`;
}

/** Says that a list of extremes is no ranking where others tie with its last. @param {Float32Array} scores @param {number[]} rows */
function tiedText(scores, rows) {
  const ties = tied(scores, rows);
  if (!ties) return '';
  const { value, all, shown } = ties;
  return `${format.count(all)} inputs tie at ${format.short(value)}; ${shown === 1 ? 'one of them is shown, that with the most certain prediction' : `${shown} of them are shown, those with the most certain predictions`}. `;
}

/** @param {{asked: any}} props */
function Alike({ asked }) {
  const store = useStudy();
  const { head, layer, feature, quantity } = asked;
  if (layer === null || feature === null || (head === null && quantity !== 'values')) {
    return html`<${Figure} title="Cells like this one">
      <p class="dv-note">Choose one head, layer and feature to see which other cells go up and down with it.</p>
    <//>`;
  }
  const answer = store.answer('alike', asked);
  return html`<${Asked}
    title="Cells like this one"
    help="They go up and down over the inputs as it does: Pearson’s r."
    answer=${answer}
    csv=${() => ({ columns: ['Head', 'Layer', 'Feature', 'r'], rows: answer?.value })}
  >
    ${(found) =>
      found.length === 0
        ? html`<p class="dv-empty">It does not vary, so no cell is like it.</p>`
        : html`<ul class="ds-pairs">
            ${found.map(([h, l, f, r]) => {
              const other = { head: h ?? store.state.place.head, layer: l, feature: f };
              return html`<li key="${h}.${l}.${f}">
                <button type="button" class="dv-button" onClick=${() => store.goTo(other)}>
                  ${placeName(h === null ? { ...other, head: null } : other)} <span class="dv-quiet">r ${format.fixed(r, 2)}</span>
                </button>
              </li>`;
            })}
          </ul>`}
  <//>`;
}

/** @param {{scores: Float32Array}} props */
function Scores({ scores }) {
  const { columns } = useStudy();
  const rows = extremes(scores, columns.confidence, 100, false);
  return html`<${Table}
    caption="The ${rows.length} highest of ${format.count(scores.length)} inputs"
    columns=${['Input', 'True class', 'Predicted', ...numeric('Number')]}
    rows=${rows.map((row) => [
      columns.name[row],
      columns.className(columns.label[row]),
      columns.className(columns.prediction[row]),
      numeral(scores[row]),
    ])}
  />`;
}
