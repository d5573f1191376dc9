// @ts-check
/** Section "compare": one result against another. */
import { scaleTogether } from '../fields.js';
import { EmptyFigure, Figure, Table } from '../figure.js';
import { html, Stages, useStore } from '../html.js';
import { sheetOf } from '../sheets.js';
import { axesOf } from '../store.js';
import { TwoAndDifference } from './linked_maps.js';
import { probabilities } from './prediction.js';

const MOST_ROWS = 20;
const MAPS_HELP =
  'The same head on both, and the second minus the first. Importance Factors are scaled within each result; choose ' +
  'density attention to compare amounts.';

export function Compare() {
  const store = useStore();
  if (!store.b) {
    return html`<${EmptyFigure} title="Two results side by side"
      >Nothing to compare with yet. Change this input or mute a part of the model; or explain a second input, and choose
      “Use as A” beside the other one in the list of results.<//
    >`;
  }
  const all = probabilities(store);
  const { length } = all.rows;
  const caption = length > MOST_ROWS ? `${all.caption}, ${MOST_ROWS} of ${length} classes` : all.caption;
  return html`<div class="dv-stack dv-wide-gap">
    <p class="dv-changes">${store.payload?.changes.join(' ')} <${ShowChange} /></p>
    <${Stages} figures=${true}>
    <${Figure}
      title="Both predictions"
      help="What the model says of both, and how far each probability moves; a small move of the probability can hide a large move of the logits."
      both
      csv=${() => sheetOf(all)}
    >
      <${Table} ...${all} caption=${caption} rows=${all.rows.slice(0, MOST_ROWS)} />
    <//>
    ${
      store.canSubtract()
        ? html`<${ComparedMaps} />`
        : html`<${EmptyFigure} title="Maps">${whyNot(store.a.raw, store.b.raw)}<//>`
    }
    <//>
  </div>`;
}

/** Goes to the cell that the sentences name, so that the maps below are of its head. */
function ShowChange() {
  const store = useStore();
  const { payload, state } = store;
  const change = payload?.largest_change;
  if (!change) return null;
  const there = ['layer', 'feature'].every((key) => state.cell?.[key] === change[key]);
  if (there && store.head === change.head) return null;
  return html`<button type="button" class="dv-button dv-quiet-button" onClick=${() => store.select(change)}>
    ${`Show it in head ${change.head}`}
  </button>`;
}

function whyNot(a, b) {
  const shapes = `${a.shape.join(' × ')} and ${b.shape.join(' × ')}`;
  const { rows, columns } = axesOf(a);
  const why =
    a.modality === b.modality
      ? `The two maps have different shapes (${shapes}, heads × ${rows} × ${columns}), so they`
      : 'The two inputs are of different kinds, so their maps';
  return `${why} cannot be subtracted; look at each with the control “Input”.`;
}

function ComparedMaps() {
  const store = useStore();
  const { quantity } = store;
  const { scale } = store.state;
  const { name, short } = store.quantities[quantity];
  const [a, b, difference] = /** @type {const} */ (['a', 'b', 'difference']).map((side) => ({
    title: store.label(side),
    which: { quantity, scale, side },
  }));
  const together = {
    scale: scaleTogether(store, [a.which, b.which]),
    text: `${name}; both maps on one scale.`,
  };
  return html`<${TwoAndDifference}
    title="Maps"
    help=${MAPS_HELP}
    controls=${['head', 'quantity', 'scale', 'colours', 'palette', 'binning', 'top']}
    specs=${[{ ...a, ...together }, { ...b, ...together }, difference]}
    sides=${[store.letter('a'), store.letter('b')]}
    short=${short}
    ofClass=${store.ofClass}
    both
  />`;
}
