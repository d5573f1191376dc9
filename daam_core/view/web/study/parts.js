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
export function Asked({ title, help = '', controls = null, answer, table = null, csv = null, children }) {
  return html`<${Figure} title=${title} help=${help} controls=${controls} table=${answer?.value ? table : null} csv=${answer?.value ? csv : null}>
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
 * What an input was taken for, how surely, and what it is where that is something else.
 * @param {{label: string, prediction: string, right: boolean, share: string}} props
 */
export function Verdict({ label, prediction, right, share }) {
  return html`<span class=${right ? 'ds-right' : 'ds-wrong'}>${prediction}</span>
    <span class="dv-quiet"> ${share}</span>${!right && html`, <span class="ds-truth">is ${label}</span>`}`;
}

/** A file's name; where there is no room, it is cut before its last letters. @param {{name: string, end: number}} props */
export function PlaceName({ name, end }) {
  const cut = name.length > end + 3 ? name.length - end : 0;
  return html`<span class="ds-name"
    >${cut > 0 && html`<span class="ds-name-begin">${name.slice(0, cut)}</span>`}<span class="ds-name-end"
      >${name.slice(cut)}</span
    ></span
  >`;
}
