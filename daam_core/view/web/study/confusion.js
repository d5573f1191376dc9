// @ts-check
/** Which class is taken for which; each count narrows the table to its inputs. */
import { range } from '../arrays.js';
import { css, ink, makeScale } from '../colour.js';
import { Figure, Table, TableFrame } from '../figure.js';
import * as format from '../format.js';
import { html } from '../html.js';
import { numeric } from '../sheets.js';
import { useStudy } from './parts.js';
import { ANY, confused, confusion, fitting } from './selecting.js';

const MOST_CLASSES = 12; // of a matrix; beyond it, pairs are listed
const MOST_PAIRS = 12;

export function Confusion() {
  const store = useStudy();
  const { columns, state } = store;
  const { filter } = state;
  // What its own clicks narrow is left out, or the matrix would lose all other cells by a click.
  const others = { ...filter, label: ANY.label, prediction: ANY.prediction };
  const rows = fitting(columns, others, store.marked);
  const counts = confusion(columns, rows);
  const size = columns.classes.length;
  const small = size <= MOST_CLASSES;
  const narrowed = rows.length < columns.count;
  /** @param {number} label @param {number} prediction */
  const press = (label, prediction) => {
    const on = filter.label === label && filter.prediction === prediction;
    store.narrow(on ? { label: -1, prediction: -1 } : { label, prediction });
  };
  const table = () => html`<${Table}
    caption="Pairs of classes, the most frequent errors first"
    columns=${['True class', 'Predicted', ...numeric('Inputs')]}
    rows=${confused(counts, size, size * size).map(([label, prediction, count]) => [
      columns.className(label),
      columns.className(prediction),
      count,
    ])}
  />`;
  return html`<${Figure}
    title="Which class is taken for which"
    help="${small ? 'A row is a true class, a column a prediction' : 'The pairs that are confused most often'}; press one to see its inputs.${
      narrowed ? ' Counts are of what the rest of the filter leaves.' : ''
    }"
    table=${table}
    csv=${() => ({
      columns: ['True class', 'Predicted', 'Inputs'],
      rows: range(size * size)
        .filter((at) => counts[at])
        .map((at) => [columns.className(Math.floor(at / size)), columns.className(at % size), counts[at]]),
    })}
  >
    ${
      small
        ? html`<${Matrix} counts=${counts} press=${press} />`
        : html`<${Pairs} counts=${counts} press=${press} />`
    }
  <//>`;
}

/** @param {{counts: Int32Array, press: (label: number, prediction: number) => void}} props */
function Matrix({ counts, press }) {
  const store = useStudy();
  const { columns, state } = store;
  const { classes } = columns;
  const size = classes.length;
  const totals = range(size).map((label) =>
    range(size).reduce((sum, p) => sum + counts[label * size + p], 0),
  );
  const scale = makeScale([0, 1], store.table(false));
  const word = `${Math.max(...classes.map((name) => name.length))}ch`; // columns are equally wide
  return html`<${TableFrame} caption="Inputs by true class (rows) and prediction (columns)" kind="dv-matrix ds-matrix">
    <thead>
      <tr>
        <th scope="col"><span class="dv-hidden">True class</span></th>
        ${classes.map((name) => html`<th scope="col" key=${name}><span style=${{ '--ds-word': word }} title=${name}>${name}</span></th>`)}
      </tr>
    </thead>
    <tbody>
      ${classes.map(
        (name, label) =>
          html`<tr key=${name}>
            <th scope="row">${name}</th>
            ${range(size).map((prediction) => {
              const count = counts[label * size + prediction];
              const share = totals[label] ? count / totals[label] : 0;
              const colour = scale.colour(share);
              const on = state.filter.label === label && state.filter.prediction === prediction;
              return html`<td class="dv-matrix-cell" key=${prediction} style=${count ? { background: css(colour), color: ink(colour) } : {}}>
                <button
                  type="button"
                  class="dv-link"
                  disabled=${!count && !on}
                  aria-pressed=${String(on)}
                  aria-label="${name} taken for ${classes[prediction]}: ${count} of ${totals[label]}"
                  title="${name} → ${classes[prediction]}: ${count} of ${totals[label]} (${format.percent(share)})"
                  onClick=${() => press(label, prediction)}
                >
                  ${count || '·'}
                </button>
              </td>`;
            })}
          </tr>`,
      )}
    </tbody>
  <//>`;
}

/** @param {{counts: Int32Array, press: (label: number, prediction: number) => void}} props */
function Pairs({ counts, press }) {
  const store = useStudy();
  const { columns, state } = store;
  const pairs = confused(counts, columns.classes.length, MOST_PAIRS);
  if (!pairs.length) return html`<p class="dv-empty">No error among them.</p>`;
  return html`<ul class="ds-pairs">
    ${pairs.map(([label, prediction, count]) => {
      const on = state.filter.label === label && state.filter.prediction === prediction;
      return html`<li key="${label}-${prediction}">
        <button
          type="button"
          class="dv-button ${on ? 'ds-on' : ''}"
          aria-pressed=${String(on)}
          onClick=${() => press(label, prediction)}
        >
          <strong>${count}</strong> ${columns.className(label)} → ${columns.className(prediction)}
        </button>
      </li>`;
    })}
  </ul>`;
}
