// @ts-check
/** Section "compare": one result against another. */
import { range, sum } from '../arrays.js';
import { Chart, LayerBar, ZeroLine } from '../charts.js';
import { scaleTogether } from '../fields.js';
import { EmptyFigure, Figure, numeric, Table } from '../figure.js';
import * as format from '../format.js';
import { html, useStore } from '../html.js';
import { TwoAndDifference } from './linked_maps.js';
import { ProbabilityTable } from './prediction.js';

const MAPS_HELP =
  'The same head on both, and the second minus the first. Importance Factors are scaled within each result; choose ' +
  'density attention to compare amounts.';
const LAYERS_HELP =
  'How each layer’s share of the density attention changes from the first result to the second; shares sum to 100 % ' +
  'in both, so gains and losses cancel.';

export function Compare() {
  const store = useStore();
  if (!store.b) {
    return html`<${EmptyFigure} title="Two results side by side"
      >Nothing to compare with yet: explain a second input, change this one, or mute a part of the model.<//
    >`;
  }
  return html`<div class="dv-stack dv-wide-gap">
    <${Figure}
      title="Prediction"
      help="What the model says of both, and how far each probability moves; a small move of the probability can hide a large move of the logits."
    >
      <${ProbabilityTable} />
    <//>
    ${
      store.canSubtract()
        ? html`<${ComparedMaps} /><${ComparedLayers} />`
        : html`<${EmptyFigure} title="Maps">${whyNot(store.a.raw, store.b.raw)}<//>`
    }
  </div>`;
}

function whyNot(a, b) {
  const shapes = `${a.shape.join(' × ')} and ${b.shape.join(' × ')}`;
  const why =
    a.modality === b.modality
      ? `The two maps have different shapes (${shapes}, heads × layers × features), so they`
      : 'The two inputs are of different kinds, so their maps';
  return `${why} cannot be subtracted; look at each with the control “Input”.`;
}

function ComparedMaps() {
  const store = useStore();
  const { quantity, scale } = store.state;
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
    controls=${['head', 'quantity', 'scale', 'colours', 'palette', 'binning']}
    specs=${[{ ...a, ...together }, { ...b, ...together }, difference]}
    sides=${[store.letter('a'), store.letter('b')]}
    short=${short}
  />`;
}

function ComparedLayers() {
  const store = useStore();
  const { L } = store.a;
  const [one, other] = [store.a, store.b].map((result) =>
    range(L).map((l) => sum(result.raw.layer_contribution.map((row) => row[l]))),
  );
  const change = one.map((v, l) => other[l] - v);
  const size = 1.1 * Math.max(1e-9, ...change.map(Math.abs));
  const [less, more] = [store.anchors()[1], store.anchors()[6]];
  const table = () => html`<${Table}
    caption="Share of density attention in percent"
    columns=${numeric('Layer', store.letter('a'), store.letter('b'), 'Change')}
    rows=${change.map((v, l) => [l, format.short(one[l], 4), format.short(other[l], 4), format.signed(v, 4)])}
  />`;
  return html`<${Figure} title="Layers" help=${LAYERS_HELP} table=${table}>
    <${Chart}
      label="Change of each layer's share of density attention, ${store.label('difference')}"
      height=${180}
      x=${[-0.5, L - 0.5]}
      y=${[-size, size]}
      xTicks=${format.ticks(0, L - 1, 12).filter(Number.isInteger)}
      xLabel="Layer"
      yLabel="Change in points"
      draw=${(pen) => [
        change.map(
          (v, layer) =>
            html`<${LayerBar} pen=${pen} layers=${L} layer=${layer} from=${0} to=${v} fill=${v >= 0 ? more : less} />`,
        ),
        html`<${ZeroLine} pen=${pen} />`,
      ]}
    />
  <//>`;
}
