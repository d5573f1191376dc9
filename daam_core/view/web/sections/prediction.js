// @ts-check
/** Section "summary": what the model predicts, with the probability of every class. */
import { range } from '../arrays.js';
import { Controls } from '../controls.js';
import { Figure, Table } from '../figure.js';
import * as format from '../format.js';
import { html, useStore } from '../html.js';
import { numeral, numeric, sheetOf } from '../sheets.js';

const MOST_BARS = 10;

export function Prediction() {
  const store = useStore();
  const tables = store.sides().map((side) => {
    const { class_names, probabilities, logits } = store[side].raw;
    return {
      caption: store.b ? `All classes, ${store.label(side)}` : 'All classes',
      columns: ['Class', ...numeric('Probability', 'Logit')],
      rows: class_names.map((name, i) => [name, numeral(probabilities[i]), numeral(logits[i])]),
    };
  });
  return html`<${Figure}
    title="Prediction"
    help="Probability of every class. It says what the model holds likely, not how often it is right."
    controls=${html`<${Controls} keys=${['side']} />`}
    table=${() => html`<div class="dv-two">${tables.map((one) => html`<${Table} ...${one} />`)}</div>`}
    csv=${() => sheetOf(...tables)}
  >
    <div class="dv-two">${store.sides().map((side) => html`<${Classes} key=${side} side=${side} />`)}</div>
  <//>`;
}

/** The warning of an input unlike the training data. @param {{said: string, of?: string}} props of: a letter */
export function Outside({ said, of = '' }) {
  return html`<p class="dv-warning" role="note">
    ${of && html`<b>${of}. </b>`}<strong><span aria-hidden="true">⚠ </span>Outside what it knows.</strong> ${said}
  </p>`;
}

/** The most probable classes of one result as bars. @param {{side: 'a' | 'b'}} props */
function Classes({ side }) {
  const store = useStore();
  const result = store[side];
  const { raw } = result;
  const order = range(raw.class_names.length).sort((i, j) => raw.probabilities[j] - raw.probabilities[i]);
  const rest = order.length - MOST_BARS;
  return html`<div class="dv-stack">
    <p class="dv-prediction">
      ${store.b ? `${store.label(side)}: ` : 'Predicted: '}<strong>${raw.answer}</strong
      ><span class="dv-quiet">${`  by ${raw.model}; explained class: ${result.explainedClass()}`}</span>
    </p>
    ${raw.warning ? html`<${Outside} said=${raw.warning} />` : html`<p class="dv-note">${raw.outside}</p>`}
    <ol class="dv-probs">
      ${order.slice(0, MOST_BARS).map(
        (i) =>
          html`<li class=${`dv-prob${raw.predicted.includes(i) ? ' dv-strong' : ''}`}>
            <span class="dv-prob-name">${raw.class_names[i]}</span>
            <span class="dv-prob-track" aria-hidden="true"
              ><span class="dv-prob-fill" style=${{ width: `${(100 * raw.probabilities[i]).toFixed(2)}%` }}></span
            ></span>
            <span class="dv-number">${format.probability(raw.probabilities[i])}</span>
          </li>`,
      )}
    </ol>
    ${raw.stand_alone && html`<p class="dv-note">${raw.stand_alone}</p>`}
    ${rest > 0 && html`<p class="dv-note">The other ${rest} classes are in the table.</p>`}
  </div>`;
}

/** Probabilities of both results and how far each moves, largest first. @param {import('../store.js').Store} store */
export function probabilities(store) {
  const [a, b] = [store.a.raw, store.b.raw];
  const names = Array.from(new Set([...a.class_names, ...b.class_names]));
  /** @param {string} name */
  const of = (raw, name) => raw.probabilities[raw.class_names.indexOf(name)] ?? null;
  const rows = names
    .map((name) => ({ name, a: of(a, name), b: of(b, name) }))
    .sort((x, y) => Math.max(y.a, y.b) - Math.max(x.a, x.b));
  /** @param {number | null} p */
  const percent = (p) => numeral(p, true, p === null ? '–' : format.probability(p, 2));
  const change = ({ a: before, b: after }) => {
    if (before === null || after === null) return '–';
    const points = 100 * (after - before);
    return numeral(after - before, true, `${points >= 0.005 ? '+' : ''}${format.fixed(points, 2)} points`);
  };
  return {
    caption: 'Probabilities',
    columns: ['Class', ...numeric(store.letter('a'), store.letter('b'), store.letter('difference'))],
    rows: rows.map((row) => [row.name, percent(row.a), percent(row.b), change(row)]),
  };
}
