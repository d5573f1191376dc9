// @ts-check
/** The view of a study as one component: what was studied, tabs, and what the chosen one shows. */
import * as format from '../format.js';
import { HeadingContext, html, StoreContext, useId } from '../html.js';
import { Cells } from './cells.js';
import { Inputs } from './inputs.js';
import { flatters } from './selecting.js';
import { Slices } from './slices.js';

/** @typedef {import('./store.js').StudyStore} StudyStore */

const TABS = /** @type {const} */ ([
  ['inputs', 'Inputs', Inputs],
  ['cells', 'What a cell answers to', Cells],
  ['slices', 'How groups differ', Slices],
]);

/** @param {{store: StudyStore, heading: number}} props */
export function StudyView({ store, heading }) {
  const id = useId('study');
  if (!store.payload) return html`<p class="dv-empty">Nothing to show yet.</p>`;
  const { tab } = store.state;
  const Shown = TABS.find(([name]) => name === tab)?.[2];
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    const at = TABS.findIndex(([name]) => name === tab);
    const [next] = TABS[(at + step + TABS.length) % TABS.length];
    store.set({ tab: next });
    document.getElementById(`${id}-${next}`)?.focus();
  };
  return html`<${StoreContext.Provider} value=${store}>
    <${HeadingContext.Provider} value=${heading}>
      <${Summary} store=${store} />
      <div class="dv-tabs" role="tablist" aria-label="Views of the study" onKeyDown=${key}>
        ${TABS.map(
          ([name, title]) =>
            html`<button
              type="button"
              role="tab"
              class="dv-tab"
              key=${name}
              id="${id}-${name}"
              aria-controls="${id}-panel"
              aria-selected=${String(name === tab)}
              tabindex=${name === tab ? 0 : -1}
              onClick=${() => store.set({ tab: name })}
            >
              ${title}
            </button>`,
        )}
      </div>
      <div class="dv-panel" role="tabpanel" id="${id}-panel" aria-labelledby="${id}-${tab}">
        <${Shown} key=${tab} />
      </div>
    <//>
  <//>`;
}

/** What was studied, and how good it is. @param {{store: StudyStore}} props */
function Summary({ store }) {
  const { facts, name, refused, stated } = /** @type {import('./types.js').StudyPayload} */ (store.payload);
  const { count, errors } = store.columns;
  const right = count - errors;
  const left = facts.inputs - facts.finished;
  return html`<div class="ds-summary">
    <p>
      <strong>${facts.model}</strong> on <strong>${name}</strong>${name === facts.data ? '' : ` (data: ${facts.data})`}: ${format.count(right)} of
      ${` ${format.count(count)} inputs right (${format.percent(right / Math.max(1, count))})`},
      ${` ${format.count(errors)} ${errors === 1 ? 'error' : 'errors'}.`}
      ${stated && flatters(right, count, stated.accuracy) && html` <span class="ds-flatters">The classifier was trained on ${stated.trained_on}, and its card states ${format.percent(stated.accuracy)} on inputs never seen. If these inputs were trained on, the accuracy here says nothing about new ones.</span>`}
      ${left > 0 && ` ${format.count(left)} inputs are not done yet; daam study goes on where it stopped.`}
    </p>
    <${Another} store=${store} />
    ${
      refused.count > 0 &&
      html`<details class="dv-note">
        <summary>
          ${format.count(refused.count)} ${refused.count === 1 ? 'input' : 'inputs'} could not be explained
        </summary>
        <ul>
          ${refused.first.map(([place, reason]) => html`<li key=${place}>${place}: ${reason}</li>`)}
          ${refused.count > refused.first.length && html`<li>…</li>`}
        </ul>
      </details>`
    }
  </div>`;
}

/** Why this study is here, and how to see another. @param {{store: StudyStore}} props */
function Another({ store }) {
  const { example, name, facts } = /** @type {import('./types.js').StudyPayload} */ (store.payload);
  return html`<details class="dv-note ds-another" open=${example}>
    <summary>
      ${example ? 'This example comes along with the program. To study data of your own:' : 'Study other data'}
    </summary>
    <pre class="ds-command" tabindex="0">
daam study DATA --model ${facts.model} --out my-study
daam app --study my-study${example ? '' : ` --study ${name}`}</pre
    >
    <p>In a terminal. DATA is a folder that holds one for each class, a table, or a data set’s name.</p>
  </details>`;
}
