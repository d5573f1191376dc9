// @ts-check
/** Two maps of one head and their difference: the frame of sections "dataset" and "compare". */
import { exactSheet, field, fieldNumber, needExact, scaleOf, scaleText } from '../fields.js';
import { ColourBar, Figure } from '../figure.js';
import { html, useEffect, useHover, useRedraw, useStore } from '../html.js';
import { BinningNote, DifferenceTable, HeadMap, MapControls, useBinning } from '../maps.js';

/**
 * @typedef {import('../types.js').Which} Which
 * @typedef {{title: string, which: Which, scale?: import('../colour.js').Scale, text?: string}} Spec
 *   a map; without a scale that of its quantity, without a text that scale's
 */

/**
 * specs: of one map, of the other, and of their difference; sides: what the two are called; short: what
 * is compared.
 * @param {{title: string, help: string, controls: string[], specs: Spec[], sides: string[], short: string}} props
 */
export function TwoAndDifference({ title, help, controls, specs, sides, short }) {
  const store = useStore();
  const { head } = store.state;
  return html`<${Figure}
    title=${title}
    help=${help}
    controls=${html`<${MapControls} keys=${controls} />`}
    table=${() => html`<${Numbers} specs=${specs} sides=${sides} />`}
    csv=${() =>
      exactSheet(
        store,
        [head],
        specs.map(({ which }, i) => [sides[i] || 'Difference', which]),
      )}
  >
    <div class="dv-stack">
      <div class="dv-multiples dv-three">
        ${specs.map((spec, i) => html`<${LinkedMap} key=${`${i} ${head}`} spec=${spec} />`)}
      </div>
      <${Comparison} specs=${specs} sides=${sides} short=${short} />
    </div>
  <//>`;
}

/** @param {{spec: Spec}} props */
function LinkedMap({ spec }) {
  const store = useStore();
  const { head } = store.state;
  const { title, which } = spec;
  const [binning, onDraw] = useBinning();
  const scale = field(store, head, which) && (spec.scale || scaleOf(store, head, which));
  return html`<${HeadMap}
    head=${head}
    title=${title}
    which=${which}
    scale=${spec.scale}
    onDraw=${onDraw}
    caption=${html`<div class="dv-map-caption"><strong>${title}</strong></div>`}
    height=${(rows, width) => Math.max(110, Math.min(260, rows * 12, width))}
  >
    <div>${scale && html`<${ColourBar} scale=${scale}>${spec.text || scaleText(store, which)}<//>`}</div>
    <${BinningNote}>${binning}<//>
  <//>`;
}

/** Asks for the maps of the chosen head exactly. @param {Spec[]} specs */
function useExact(specs) {
  const store = useStore();
  const { head } = store.state;
  useEffect(() => {
    for (const { which } of specs) needExact(store, which, [head]);
  }, [head, JSON.stringify(specs.map((spec) => spec.which)), store.payload]);
  return specs.map((spec) => field(store, head, spec.which));
}

/** @param {{specs: Spec[], sides: string[]}} props */
function Numbers({ specs, sides }) {
  const store = useStore();
  return html`<${DifferenceTable} what="Head ${store.state.head}" sides=${sides} maps=${useExact(specs)} />`;
}

/** The numbers of the cell that is pointed at or selected. */
function Comparison({ specs, sides, short }) {
  const store = useStore();
  useHover(store, useRedraw());
  const cell = store.hover || store.state.cell;
  return html`<p class="dv-note dv-number">
    ${
      cell
        ? html`<${CellNumbers} cell=${cell} specs=${specs} sides=${sides} short=${short} />`
        : 'Point at a cell to compare its numbers.'
    }
  </p>`;
}

function CellNumbers({ cell, specs, sides, short }) {
  const store = useStore();
  const at = cell.layer * store.result().F + cell.feature;
  const [one, other, difference] = useExact(specs).map((f) => fieldNumber(f, at));
  return (
    `Head ${store.state.head}, layer ${cell.layer}, feature ${cell.feature}, ${short}. ` +
    `${sides[0]}: ${one}; ${sides[1]}: ${other}; difference: ${difference}.`
  );
}
