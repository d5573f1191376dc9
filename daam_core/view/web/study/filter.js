// @ts-check
/** What narrows the table, its order, how many inputs are left, and what can be done with them. */
import { Select } from '../controls.js';
import * as format from '../format.js';
import { html, useId } from '../html.js';
import { fileName, hand } from '../saving.js';
import { csvOf } from '../sheets.js';
import { Keep, Kept } from './kept.js';
import { useStudy } from './parts.js';
import { capital, sliceName, thing } from './selecting.js';
import { placeName } from './store.js';

/** What the table shows, with every column. @param {import('./store.js').StudyStore} store */
function rowsSheet(store) {
  const { columns } = store;
  const { outside, seconds, text } = columns;
  /** @type {[string, (row: number) => string | number | null][]} */
  const shown = [
    ['Number', (row) => columns.number[row]],
    ['Input', (row) => columns.name[row]],
    ['True class', (row) => columns.className(columns.label[row])],
    ['Predicted', (row) => columns.className(columns.prediction[row])],
    ['Probability', (row) => columns.confidence[row]],
  ];
  if (outside) shown.push(['Unlike training, percent', (row) => (outside[row] < 0 ? null : outside[row])]);
  if (seconds) shown.push(['Seconds', (row) => seconds[row]]);
  for (const [name, { names, codes }] of Object.entries(columns.groups)) {
    shown.push([name, (row) => (codes[row] < 0 ? null : names[codes[row]])]);
  }
  if (text) shown.push(['Beginning of the text', (row) => text[row]]);
  return {
    columns: shown.map(([title]) => title),
    rows: Array.from(store.rows(), (row) => shown.map(([, of]) => of(row))),
  };
}

export function FilterBar() {
  const store = useStudy();
  const { columns, state, payload } = store;
  const { filter, sort, down } = state;
  const shown = store.fitting().length;
  /** @param {number[]} codes @param {number} chosen which is among them, whatever a link asked for */
  const classes = (codes, chosen) => [
    [-1, 'Any'],
    ...columns.options(chosen < 0 || codes.includes(chosen) ? codes : [...codes, chosen]),
  ];
  const orders = [
    ['errors', 'Errors first, by probability'],
    ['confidence.true', 'Most confident first'],
    ['confidence.false', 'Least confident first'],
    ...(columns.outside ? [['outside.true', 'Least like the training data first']] : []),
    ...(columns.seconds ? [['seconds.true', 'Longest first']] : []),
    ['number.false', 'As in the data set'],
  ];
  const order = sort === 'errors' ? sort : `${sort}.${down}`;
  const known = orders.some(([name]) => name === order);
  const by =
    sort === 'score'
      ? `${payload?.quantities[state.quantity]?.name} of ${placeName(state.place).toLowerCase()}`
      : sort;
  const scored = `By ${by[0].toLowerCase() + by.slice(1)}, ${down ? 'largest' : 'smallest'} first`;
  const groups = Object.entries(columns.groups);
  return html`<div class="dv-controls ds-filter" role="search">
    <${Search}
      value=${filter.find}
      label=${columns.text ? 'Words or name' : 'Name'}
      title=${payload?.cut ? 'Looks at the name and at the beginning of each text' : ''}
      onInput=${(find) => store.narrow({ find })}
    />
    <${Select}
      label="True class"
      options=${classes(columns.labels, filter.label)}
      value=${filter.label}
      onChange=${(v) => store.narrow({ label: Number(v) })}
    />
    <${Select}
      label="Predicted"
      options=${classes(columns.predictions, filter.prediction)}
      value=${filter.prediction}
      onChange=${(v) => store.narrow({ prediction: Number(v) })}
    />
    <${Select}
      label="Right or wrong"
      options=${[['any', 'Both'], ['wrong', 'Errors'], ['right', 'Right ones']]}
      value=${filter.right}
      onChange=${(right) => store.narrow({ right })}
    />
    <${Percent} label="Probability from" value=${filter.from} usual=${0} onChange=${(from) => store.narrow({ from })} />
    <${Percent} label="to" value=${filter.to} usual=${1} onChange=${(to) => store.narrow({ to })} />
    ${groups.map(
      ([name, { names }]) => html`<${Select}
        key=${name}
        label=${capital(thing(name, columns.shared)).replaceAll('_', ' ')}
        options=${[[-1, 'Any'], ...names.map((text, code) => [code, text])]}
        value=${filter.group === name ? filter.value : -1}
        onChange=${(v) => store.narrow({ group: Number(v) < 0 ? '' : name, value: Number(v) })}
      />`,
    )}
    <${Select}
      label="Order"
      options=${known ? orders : [...orders, [order, scored]]}
      value=${order}
      onChange=${(v) => {
        const [key, falling] = v.split('.');
        store.set({ sort: key, down: falling === 'true' });
      }}
    />
    <div class="ds-count" role="status">
      <strong>${format.count(shown)}</strong> of ${format.count(columns.count)}
      ${store.marked && html`<span class="dv-quiet"> marked on the plane or by a selection</span>`}
      ${sort === 'score' && html`<span class="dv-quiet">${scored[0].toLowerCase() + scored.slice(1)}</span>`}
      ${
        store.filtering() &&
        html`<button type="button" class="dv-button dv-quiet-button" onClick=${() => store.clear()}>
          Show all
        </button>`
      }
      ${
        store.filtering() &&
        shown > 0 &&
        html`<button
          type="button"
          class="dv-button dv-quiet-button"
          onClick=${() => store.set({ tab: 'slices', first: 'filter', second: 'others' })}
        >
          Compare with ${sliceName(columns, 'others')}
        </button>`
      }
      ${store.filtering() && shown > 0 && html`<${Keep} />`}
      ${
        shown > 0 &&
        html`<button
          type="button"
          class="dv-button dv-quiet-button"
          title="What the table shows, in its order, with every column"
          onClick=${() => hand(`${fileName(/** @type {any} */ (store), 'inputs')}.csv`, csvOf(rowsSheet(store)), 'text/csv;charset=utf-8')}
        >
          Save these rows as CSV
        </button>`
      }
    </div>
    <${Kept} />
  </div>`;
}

/** @param {{value: string, label: string, title: string, onInput: (text: string) => void}} props */
function Search({ value, label, title, onInput }) {
  const id = useId('search');
  return html`<div class="dv-control">
    <label for=${id} class="dv-label">${label}</label>
    <input
      id=${id}
      class="dv-input ds-search"
      type="search"
      maxlength="100"
      value=${value}
      title=${title}
      onInput=${(e) => onInput(e.currentTarget.value)}
    />
  </div>`;
}

/** A probability in percent; empty is the usual one. */
function Percent({ label, value, usual, onChange }) {
  const id = useId('percent');
  return html`<div class="dv-control">
    <label for=${id} class="dv-label">${label}</label>
    <input
      id=${id}
      class="dv-input ds-percent"
      type="number"
      min="0"
      max="100"
      step="any"
      placeholder="${100 * usual} %"
      value=${value === usual ? '' : Number((100 * value).toFixed(6))}
      onInput=${(e) => {
        const text = e.currentTarget.value;
        const share = Number(text) / 100;
        onChange(text === '' || !(share >= 0 && share <= 1) ? usual : share);
      }}
    />
  </div>`;
}
