// @ts-check
/** Section "compare": one result against another. */
import { scaleTogether } from '../fields.js';
import { EmptyFigure, Figure, Table } from '../figure.js';
import * as format from '../format.js';
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
    <p class="dv-changes">${store.payload?.changes.join(' ')} ${apartText(store)} <${ShowChange} /></p>
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

/**
 * That the sentences are of another map than those below; nothing where both are of one.
 * @param {import('../store.js').Store} store
 */
export function apartText({ payload, quantity, quantities }) {
  const told = payload?.largest_change?.quantity;
  if (!told || told === quantity) return '';
  const [sentences, maps] = [told, quantity].map((key) => format.inSentence(quantities[key].name));
  return `This is about the ${sentences}; the maps below show the ${maps}.`;
}

/**
 * The state in which the maps show the cell that the sentences name, in the map that they are about.
 * @param {import('../store.js').Store} store
 */
export function showChange(store) {
  const change = store.payload?.largest_change;
  if (!change) return;
  store.set({ quantity: change.quantity });
  store.select(change, 'compare');
}

/** Brings the maps to the cell that the sentences name, and the maps into sight. */
function ShowChange() {
  const store = useStore();
  const change = store.payload?.largest_change;
  if (!change) return null;
  /** @param {MouseEvent} event */
  const show = ({ currentTarget }) => {
    const section = currentTarget instanceof Element ? currentTarget.closest('.dv-stack') : null;
    showChange(store);
    // Once the maps have the height that they have for that head.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => section?.querySelector('.dv-three')?.scrollIntoView({ block: 'center' })),
    );
  };
  return html`<button type="button" class="dv-button dv-quiet-button" onClick=${show}>
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
