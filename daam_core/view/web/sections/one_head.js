// @ts-check
/** Section "heatmap": the map of one head, layers × features. */
import { MAP_CONTROLS } from '../controls.js';
import { exactSheet, field, shownColumns, whichOf } from '../fields.js';
import { Figure } from '../figure.js';
import { html, Stages, useStore } from '../html.js';
import { BarredMap, CellTables, MapControls, Readout } from '../maps.js';
import { LayerStrip, LayersShown } from './layer_strip.js';

/** What evidence is against. @param {import('../store.js').Store} store */
export function rival(store) {
  return store.result().raw.labels === 'several' ? 'its absence' : 'the next one';
}

/** What the map says and what not, by what it shows. @param {import('../store.js').Store} store */
export function oneHelp(store) {
  const { row, column } = store.axes();
  const everywhere = `every ${column} in every ${row} of the chosen head`;
  if (store.quantity === 'evidence') {
    return (
      `Shows how much ${everywhere} speaks for the explained class and against ${rival(store)} (orange) or the other way ` +
      'round (blue). It does not show how much the head lets through; density attention does.'
    );
  }
  if (store.quantity === 'class_importance') {
    return (
      `Shows how much ${everywhere} speaks for the explained class (orange) or against it (blue). It does not show ` +
      'how much the head lets through; density attention does.'
    );
  }
  return (
    `Shows how strongly the chosen head weighs every ${column} in every ${row}. It does not show which class a cell ` +
    'speaks for; class importance does.'
  );
}

export function OneHead() {
  const store = useStore();
  const { head } = store;
  const shown = [field(store, head, whichOf(store))];
  const { rows, columns } = store.axes();
  return html`<${Figure}
    title=${`One head: ${rows} × ${columns}`}
    help=${oneHelp(store)}
    quantity=${store.quantity}
    ofClass=${store.ofClass}
    controls=${html`<${MapControls} keys=${['head', ...MAP_CONTROLS]} />`}
    table=${() => html`<${CellTables} heads=${[head]} />`}
    head=${head}
    csv=${() => exactSheet(store, [head], shownColumns(store))}
  >
    <div class="dv-reading">
      <${Stages}>
        <${LayersShown} sets=${[shown]} />
        <${LayerStrip} fields=${shown} />
        <${Readout} />
        <${BarredMap} head=${head} which=${whichOf(store)} title="Map of head ${head}" />
      <//>
    </div>
  <//>`;
}
