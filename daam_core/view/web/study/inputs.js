// @ts-check
/** All inputs: a filter, the table, the plane and the confusion matrix, each of which narrows the others. */
import { html, useEffect, useRef } from '../html.js';
import { InputCard } from './card.js';
import { Confusion } from './confusion.js';
import { FilterBar } from './filter.js';
import { useStudy } from './parts.js';
import { Plane } from './plane.js';
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
        ${
          store.columns.several
            ? html`<p class="dv-note">
                An input may have several of these classes, or none. It is right where all of them are; no class
                stands in place of another, so none is taken for another.
              </p>`
            : html`<${Confusion} />`
        }
      </div>
      <div class="ds-side">
        <div class="ds-chosen" aria-live="polite" ref=${chosen}>
          ${row < 0 ? null : html`<${InputCard} row=${row} large=${true} />`}
        </div>
        <${Plane} />
      </div>
    </div>
  </div>`;
}
