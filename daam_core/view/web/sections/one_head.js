// @ts-check
/** Section "heatmap": the map of one head, layers × features. */
import { MAP_CONTROLS } from '../controls.js';
import { exactSheet, field, scaleOf, scaleText, shownColumns, whichOf } from '../fields.js';
import { ColourBar, Figure } from '../figure.js';
import { html, useStore } from '../html.js';
import { BinningNote, CellTables, HeadMap, MapControls, Readout, useBinning } from '../maps.js';
import { LayerStrip } from './layer_strip.js';

const HELP =
  'Shows how strongly the chosen head weighs every feature in every layer. It does not show which class a cell ' +
  'speaks for; class importance does.';

export function OneHead() {
  const store = useStore();
  const { head } = store.state;
  const which = whichOf(store);
  const [binning, onDraw] = useBinning();
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
      <div><${HeadMap} head=${head} which=${which} title="Map of head ${head}" onDraw=${onDraw} /></div>
      <div>
        ${
          field(store, head, which) &&
          html`<${ColourBar} scale=${scaleOf(store, head, which)}>${scaleText(store, which)}<//>`
        }
      </div>
      <${BinningNote}>${binning}<//>
    </div>
  <//>`;
}
