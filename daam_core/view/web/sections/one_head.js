// @ts-check
/** Section "heatmap": the map of one head, layers × features. */
import { MAP_CONTROLS } from '../controls.js';
import { exactSheet, shownColumns, whichOf } from '../fields.js';
import { Figure } from '../figure.js';
import { html, useStore } from '../html.js';
import { BarredMap, CellTables, MapControls, Readout } from '../maps.js';
import { LayerStrip } from './layer_strip.js';

export function OneHead() {
  const store = useStore();
  const { head } = store.state;
  const { row, rows, column, columns } = store.axes();
  const help =
    `Shows how strongly the chosen head weighs every ${column} in every ${row}. It does not show which class a cell ` +
    'speaks for; class importance does.';
  return html`<${Figure}
    title=${`One head: ${rows} × ${columns}`}
    help=${help}
    controls=${html`<${MapControls} keys=${['head', ...MAP_CONTROLS]} />`}
    table=${() => html`<${CellTables} heads=${[head]} />`}
    csv=${() => exactSheet(store, [head], shownColumns(store))}
  >
    <div class="dv-reading">
      <${LayerStrip} />
      <${Readout} />
      <${BarredMap} head=${head} which=${whichOf(store)} title="Map of head ${head}" />
    </div>
  <//>`;
}
