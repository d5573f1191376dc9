// @ts-check
/** Section "dataset": an input against the average of the data set. */
import { scaleTogether } from '../fields.js';
import { EmptyFigure } from '../figure.js';
import * as format from '../format.js';
import { html, useStore } from '../html.js';
import { TwoAndDifference } from './linked_maps.js';

/**
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../types.js').AnySide} AnySide
 * @typedef {import('../types.js').Which} Which
 */

const TITLE = 'Against the data set';
const HELP =
  'The Importance Factor of an input beside that of the data set’s mean density attention. Each is scaled by its ' +
  'own minimum and maximum, so the difference shows where the pattern differs, not by how much attention.';

export function AgainstDataset() {
  const store = useStore();
  if (!store.a.hasDataset() && !store.b?.hasDataset()) {
    return html`<${EmptyFigure} title=${TITLE}
      >The checkpoint holds no averages over a data set, so there is nothing to compare with.<//
    >`;
  }
  const parts = store.isDifference() ? bothAgainst(store) : oneAgainst(store);
  return html`<${TwoAndDifference}
    title=${TITLE}
    help=${HELP}
    controls=${['side', 'head', 'scale', 'palette', 'binning']}
    short="IF"
    ...${parts}
  />`;
}

/** @param {Store} store @param {AnySide} side @param {Which['dataset']} [dataset] @returns {Which} */
function which(store, side, dataset) {
  return { quantity: 'importance', scale: store.state.scale, side, dataset };
}

/** @param {Store} store */
function oneAgainst(store) {
  const [own] = store.sides();
  const { dataset } = store.result().raw;
  const average = dataset ? `Data set, mean of ${format.count(dataset.samples)} inputs` : 'Data set';
  return {
    specs: [
      { title: store.inputName(own), which: which(store, own) },
      { title: average, which: which(store, own, 'only') },
      { title: 'Difference', which: which(store, own, 'difference') },
    ],
    sides: [store.b ? store.letter(own) : 'This input', 'Data set'],
  };
}

/** @param {Store} store */
function bothAgainst(store) {
  const sides = store.sides().map((side) => `${store.letter(side)} − data set`);
  const whichs = store.sides().map((side) => which(store, side, 'difference'));
  const scale = scaleTogether(store, whichs);
  const text = `${store.quantities.importance.name}, input minus data set; both maps on one scale.`;
  return {
    specs: [
      ...sides.map((title, i) => ({ title, which: whichs[i], scale, text })),
      { title: store.label('difference'), which: which(store, 'difference', 'difference') },
    ],
    sides,
  };
}
