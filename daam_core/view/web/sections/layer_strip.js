// @ts-check
/** Where a few layers hold nearly everything: how it is spread over layers, and the way to those few. */
import { range, sum } from '../arrays.js';
import * as format from '../format.js';
import { html, useStore } from '../html.js';

const NEARLY_ALL = 95; // percent
const FEWEST_LAYERS = 6; // fewer are all to be seen

/**
 * The layers that hold nearly all of the density attention, from the first to the last of them; null where
 * those are not few.
 * @param {number[]} shares of all heads together, percent
 */
function activeLayers(shares) {
  if (shares.length < FEWEST_LAYERS) return null;
  const total = sum(shares);
  let [first, last] = [0, shares.length - 1];
  let left = total * (1 - NEARLY_ALL / 100);
  // Layers are left out at both ends, the weaker one first, as long as together they hold next to nothing.
  while (first < last) {
    const weaker = shares[first] <= shares[last] ? first : last;
    if (shares[weaker] > left) break;
    left -= shares[weaker];
    if (weaker === first) first += 1;
    else last -= 1;
  }
  return total > 0 && last - first < 2 ? { first, last } : null;
}

/**
 * A bar for each layer, and a button that magnifies those that hold nearly everything of some heads.
 * @param {{heads: number[]}} props
 */
export function LayerStrip({ heads }) {
  const store = useStore();
  const result = store.result();
  const parts = range(result.L).map((l) => sum(heads.map((head) => result.raw.layer_contribution[head][l])));
  const total = sum(parts);
  const shares = parts.map((part) => (total > 0 ? (100 * part) / total : 0));
  const active = activeLayers(shares);
  if (!active || result.raw.mode === 'layer_groups') return null;
  const { first, last } = active;
  const held = sum(shares.slice(first, last + 1));
  const { Row, rows } = store.axes();
  const all = heads.length === result.H;
  const whose = `head${heads.length > 1 ? 's' : ''} ${format.listed(heads)}`;
  const names = first === last ? `${Row} ${first}` : `${Row}s ${first} and ${last}`;
  const { zoom } = store.state;
  const magnified = Boolean(zoom && zoom.y1 - zoom.y0 < result.L);
  // A map shows two rows at least.
  const from = Math.max(0, Math.min(first, result.L - 2));
  const near = { x0: 0, x1: result.F, ...zoom, y0: from, y1: from + 2 };
  const whole = zoom && (zoom.x0 > 0 || zoom.x1 < result.F) ? { ...zoom, y0: 0, y1: result.L } : null;
  return html`<div class="dv-strip">
    <ol class="dv-strip-layers" aria-hidden="true">
      ${shares.map(
        (share, l) =>
          html`<li title=${`${Row} ${l}: ${format.short(share)} %`} class=${l >= first && l <= last ? 'dv-strong' : ''}>
            <span style=${{ height: `${Math.max(2, share).toFixed(1)}%` }}></span>${l}
          </li>`,
      )}
    </ol>
    <p>${`${names} ${first === last ? 'holds' : 'hold'} ${format.fixed(held, 1)} % of the density attention${all ? '' : ` of ${whose}`}.`}</p>
    <button
      type="button"
      class="dv-button"
      onClick=${() => store.set({ zoom: magnified ? whole : near })}
    >
      ${magnified ? `Show all ${rows}` : `Magnify ${names.toLowerCase()}`}
    </button>
  </div>`;
}
