// @ts-check
/** All inputs: a filter, the table, the plane and the confusion matrix, each of which narrows the others. */
import { Select } from '../controls.js';
import * as format from '../format.js';
import { html, useEffect, useId, useRef, useState } from '../html.js';
import { InputCard } from './card.js';
import { Confusion } from './confusion.js';
import { useStudy } from './parts.js';
import { Plane } from './plane.js';
import { sliceName } from './selecting.js';
import { placeName } from './store.js';
import { InputTable } from './table.js';

export function Inputs() {
  const store = useStudy();
  // Before anybody chose: what is on top of the table.
  const row = store.row() >= 0 ? store.row() : (store.rows()[0] ?? -1);
  const chosen = useRef(null);
  // Chosen in the table: what is told of it comes into sight, also where it stands below.
  useEffect(() => {
    if (document.activeElement?.closest('.ds-table')) chosen.current.scrollIntoView({ block: 'nearest' });
  }, [store.state.input]);
  // Asked for from another tab, whose panel may have been scrolled far down.
  const page = useRef(null);
  useEffect(() => {
    page.current.querySelector(`.ds-${store.sought || 'none'}`)?.scrollIntoView({ block: 'start' });
    store.sought = '';
  }, []);
  return html`<div class="ds-inputs" ref=${page}>
    <${FilterBar} />
    <div class="ds-two">
      <div class="ds-side">
        <${InputTable} />
        ${
          store.columns.outside &&
          html`<p class="dv-note">
            Unlike training: the percent of the inputs known in training that lie closer to what was trained on;
            95 % and more is unusual.
          </p>`
        }
      </div>
      <div class="ds-side">
        <div class="ds-chosen" aria-live="polite" ref=${chosen}>
          ${row < 0 ? null : html`<${InputCard} row=${row} large=${true} />`}
        </div>
        <${Plane} />
        <${Confusion} />
      </div>
    </div>
  </div>`;
}

function FilterBar() {
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
        label=${name[0].toUpperCase() + name.slice(1)}
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
      ${store.filtering() && shown > 0 && html`<${Keep} shown=${shown} />`}
    </div>
    <${Kept} />
  </div>`;
}

/** Gives the inputs of the table a name, by which they can be compared. @param {{shown: number}} props */
function Keep({ shown }) {
  const store = useStudy();
  const id = useId('keep');
  const [open, setOpen] = useState(false);
  const field = useRef(null);
  useEffect(() => {
    if (open) field.current.focus();
  }, [open]);
  const [name, setName] = useState('');
  const [said, setSaid] = useState('');
  const [kept, setKept] = useState('');
  const called = name.trim();
  /** @param {SubmitEvent} e */
  const keep = async (e) => {
    e.preventDefault();
    if (!called) return setSaid('Give the selection a name.');
    const inputs = `${format.count(shown)} ${shown === 1 ? 'input' : 'inputs'}`;
    try {
      const reason = await store.select(called);
      setSaid(
        reason
          ? `“${called}” holds ${inputs}, until the page is closed: ${reason}.`
          : `“${called}” holds ${inputs} and is kept with the study.`,
      );
      setKept(called);
      setOpen(false);
    } catch (error) {
      setSaid(String(/** @type {Error} */ (error).message));
    }
  };
  return html`<form class="dv-row ds-keep" onSubmit=${keep}>
    ${
      open
        ? html`<label for=${id} class="dv-label">Name</label>
            <input
              id=${id}
              ref=${field}
              class="dv-input"
              maxlength="60"
              autocomplete="off"
              value=${name}
              onInput=${(e) => setName(e.currentTarget.value)}
            />
            <button type="submit" class="dv-button">Keep</button>`
        : html`<button type="button" class="dv-button dv-quiet-button" onClick=${() => setOpen(true)}>
            Keep this selection
          </button>`
    }
    <span class="dv-note" role="status">${said}</span>
    ${
      kept &&
      !open &&
      html`<button
        type="button"
        class="dv-button dv-quiet-button"
        onClick=${() => store.set({ tab: 'slices', first: `selection.${kept}`, second: 'others' })}
      >
        Compare “${kept}” with all others
      </button>`
    }
  </form>`;
}

/** The selections that were kept, to be shown again or removed. */
function Kept() {
  const store = useStudy();
  const [said, setSaid] = useState('');
  const names = Object.keys(store.selections);
  /** @param {string} name */
  const drop = async (name) => {
    try {
      const reason = await store.drop(name);
      setSaid(
        reason ? `“${name}” is gone until the page is loaded again: ${reason}.` : `“${name}” is removed.`,
      );
    } catch (error) {
      setSaid(String(/** @type {Error} */ (error).message));
    }
  };
  if (!names.length && !said) return null;
  return html`<details class="ds-kept">
    <summary>Kept selections (${names.length})</summary>
    <ul>
      ${names.map(
        (name) => html`<li key=${name} class="dv-row">
          <span>${name}</span>
          <span class="dv-quiet">${format.count(store.selections[name].length)}</span>
          <button
            type="button"
            class="dv-button dv-quiet-button"
            aria-label="Show ${name}"
            onClick=${() => store.showSelection(name)}
          >
            Show
          </button>
          <button
            type="button"
            class="dv-button dv-quiet-button"
            aria-label="Remove ${name}"
            onClick=${() => drop(name)}
          >
            Remove
          </button>
        </li>`,
      )}
    </ul>
    <p class="dv-note" role="status">${said}</p>
  </details>`;
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
