// @ts-check
/** Section "heatmap": the map of one head, layers × features. */
import { MAP_CONTROLS } from '../controls.js';
import { exactSheet, shownColumns, whichOf } from '../fields.js';
import { Figure } from '../figure.js';
import { html, useStore } from '../html.js';
import { BarredMap, CellTables, MapControls, Readout } from '../maps.js';
import { LayerStrip } from './layer_strip.js';

const HELP =
  'Shows how strongly the chosen head weighs every feature in every layer. It does not show which class a cell ' +
  'speaks for; class importance does.';

export function OneHead() {
  const store = useStore();
  const { head } = store.state;
  return html`<${Figure}
    title="One head: layers × features"
    help=${HELP}
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
