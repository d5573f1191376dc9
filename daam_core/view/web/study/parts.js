// @ts-check
/** What the parts of a study's view share. */
import { Figure } from '../figure.js';
import { html, useStore } from '../html.js';

/** @returns {import('./store.js').StudyStore} */
export function useStudy() {
  return /** @type {any} */ (useStore());
}

/**
 * A figure of what somebody was asked for: `children(value)` once it came.
 * @param {any} props
 */
export function Asked({ title, help = '', controls = null, answer, table = null, children }) {
  return html`<${Figure} title=${title} help=${help} controls=${controls} table=${answer?.value ? table : null}>
    <div aria-busy=${String(!answer)}>
      ${
        answer?.value
          ? children(answer.value)
          : html`<p class=${answer?.error ? 'dv-empty' : 'dv-missing'} role="status">
              ${answer?.error || 'Working it out …'}
            </p>`
      }
    </div>
  <//>`;
}

/**
 * The true class, and what it was taken for.
 * @param {{label: string, prediction: string, right: boolean}} props
 */
export function Verdict({ label, prediction, right }) {
  return right
    ? html`<span class="ds-right">${label}</span>`
    : html`<span class="ds-wrong"><s>${prediction}</s> <span class="ds-truth">${label}</span></span>`;
}
