// @ts-check
/** Two maps of one head and their difference: the frame of sections "dataset" and "compare". */
import { exactSheet, field, fieldNumeral, needExact } from '../fields.js';
import { Figure, Told } from '../figure.js';
import { html, Stages, useEffect, useHover, useRedraw, useStore } from '../html.js';
import { BarredMap, DifferenceTable, MapControls } from '../maps.js';
import { LayerStrip, LayersShown } from './layer_strip.js';

/**
 * @typedef {import('../types.js').Which} Which
 * @typedef {{title: string, which: Which, scale?: import('../colour.js').Scale, text?: string}} Spec
 *   a map; without a scale that of its quantity, without a text that scale's
 */

/**
 * specs: of one map, of the other, and of their difference; sides: what the two are called; short: what
 * is compared.
 * @param {{title: string, help: string, controls: string[], specs: Spec[], sides: string[], short: string, ofClass?: boolean,
 *   both?: boolean}} props
 */
export function TwoAndDifference({
  title,
  help,
  controls,
  specs,
  sides,
  short,
  ofClass = false,
  both = false,
}) {
  const store = useStore();
  const { head } = store;
  const maps = specs.map(({ which }) => field(store, head, which));
  const need = () => {
    for (const { which } of specs) needExact(store, which, [head]);
  };
  return html`<${Figure}
    title=${title}
    help=${help}
    quantity=${specs[0].which.quantity}
    ofClass=${ofClass}
    both=${both}
    head=${head}
    controls=${html`<${MapControls} keys=${controls} />`}
    table=${() => html`<${DifferenceTable} what="Head ${head}" sides=${sides} maps=${maps} need=${need} />`}
    csv=${() =>
      exactSheet(
        store,
        [head],
        specs.map(({ which }, i) => [sides[i] || 'Difference', which]),
      )}
  >
    <div class="dv-stack">
      <${LayersShown} sets=${[maps]} />
      <${LayerStrip} fields=${maps} />
      <div class="dv-multiples dv-three">
        <${Stages}>
        ${specs.map(
          (spec, i) => html`<${BarredMap}
            key=${`${i} ${head}`}
            head=${head}
            ...${spec}
            together=${maps}
            caption=${html`<div class="dv-map-caption"><strong>${spec.title}</strong></div>`}
            height=${(rows, width) => Math.max(110, Math.min(260, rows * 12, width))}
          />`,
        )}
        <//>
      </div>
      <${Comparison} maps=${maps} sides=${sides} short=${short} need=${need} />
    </div>
  <//>`;
}

/** The numbers of the cell that is pointed at or selected. */
function Comparison({ maps, sides, short, need }) {
  const store = useStore();
  useHover(store, useRedraw());
  const { head } = store;
  const cell = store.hover || store.state.cell;
  useEffect(() => {
    if (cell) need();
  }, [Boolean(cell), head, store.payload, sides.join()]);
  /** @type {Parameters<typeof Told>[0]['parts']} */
  let said = ['Point at a cell to compare its numbers.'];
  if (cell) {
    const at = cell.layer * store.result().F + cell.feature;
    const [one, other, difference] = maps.map((f) => fieldNumeral(f, at));
    const { row, column } = store.axes();
    const place = `Head ${head}, ${row} ${cell.layer}, ${column} ${cell.feature}, ${short}. `;
    said = [place, `${sides[0]}: `, one, `; ${sides[1]}: `, other, '; difference: ', difference, '.'];
  }
  return html`<p class="dv-note dv-number ${cell ? '' : 'dv-said'}"><${Told} parts=${said} /></p>`;
}
