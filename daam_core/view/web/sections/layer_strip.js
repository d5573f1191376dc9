// @ts-check
/** How what a map shows is spread over layers, and the way from the few that hold nearly all of it to all. */
import { activeTogether, layerShares } from '../active_layers.js';
import { sum, top } from '../arrays.js';
import * as format from '../format.js';
import { html, useStore } from '../html.js';

const FEWEST_LAYERS = 8; // fewer are all to be seen in the map itself
const EVEN = 2; // times what each layer would hold, were all alike: below that none is named

/**
 * A bar for each layer of a map, or of several that are drawn alike, and in words what holds most.
 * @param {{fields: (import('../types.js').Field | null)[]}} props
 */
export function LayerStrip({ fields }) {
  const store = useStore();
  const { L, raw } = store.result();
  const { Row, rows } = store.axes();
  const [field] = fields;
  if (!field || L < FEWEST_LAYERS || raw.mode === 'layer_groups') return null;
  const shares = layerShares(field);
  if (!(sum(shares) > 0)) return null;
  const active = activeTogether(fields);
  const [most] = top(shares, 1, false);
  const even = !active && fields.every((one) => one && Math.max(...layerShares(one)) < (100 * EVEN) / L);
  const { first, last } = active || (even ? { first: -1, last: -1 } : { first: most, last: most });
  const held = Math.min(
    ...fields.flatMap((one) => (one ? [sum(layerShares(one).slice(first, last + 1))] : [])),
  );
  const names = first === last ? `${Row} ${first}` : `${Row}s ${first} to ${last}`;
  const verb = first === last ? 'holds' : 'hold';
  const least = fields.length > 1 ? 'at least ' : '';
  const map = fields.length > 1 ? 'each map' : 'the map';
  const said = even
    ? `Spread over all ${rows} of ${map}`
    : `${names} ${verb} ${active ? '' : 'most, '}${least}${format.percent(held / 100)} of ${map}`;
  const highest = Math.max(...shares);
  return html`<div class="dv-strip">
    <ol class="dv-strip-layers" aria-hidden="true">
      ${shares.map(
        (share, l) =>
          html`<li title=${`${Row} ${l}: ${format.percent(share / 100)}`} class=${l >= first && l <= last ? 'dv-strong' : ''}>
            <span style=${{ height: `${Math.max(4, (70 * share) / highest).toFixed(1)}%` }}></span>${
              l === first || l === last || (!active && (l === 0 || l === L - 1)) ? l : '\u00a0'
            }
          </li>`,
      )}
    </ol>
    <p>${`${said}.`}</p>
  </div>`;
}

/**
 * Says that maps are magnified to the layers that hold nearly all of them, and leaves that; or the way back.
 * @param {{sets: (import('../types.js').Field | null)[][]}} props for each map, those that are drawn alike
 */
export function LayersShown({ sets }) {
  const store = useStore();
  const { L, raw } = store.result();
  const { zoom, layers } = store.state;
  const { rows } = store.axes();
  if (raw.mode === 'layer_groups' || !sets.some((fields) => activeTogether(fields))) return null;
  const columns = zoom ? { ...zoom, y0: 0, y1: L } : null; // what is magnified of these stays
  const whole = layers === 'all' || Boolean(zoom && (zoom.y0 > 0 || zoom.y1 < L));
  return html`<div class="dv-row dv-layers-shown">
    <p class="dv-note">
      ${
        whole
          ? `A bar is a ${store.axes().row}’s share of the map, by size.`
          : `A map shows only the ${rows} that hold 95 % of it, where these are few.`
      }
    </p>
    <button
      type="button"
      class="dv-button"
      onClick=${() => store.set({ layers: whole ? 'active' : 'all', zoom: columns && columns.x1 - columns.x0 < store.result().F ? columns : null })}
    >
      ${whole ? `Magnify the strongest ${rows}` : `Show all ${rows}`}
    </button>
  </div>`;
}
