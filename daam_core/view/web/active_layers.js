// @ts-check
/** Where few layers hold nearly all of what a map shows, which these are: maps begin with those, magnified. */
import { range, sum } from './arrays.js';

/**
 * @typedef {import('./types.js').Field} Field
 * @typedef {import('./store.js').Store} Store
 */

const NEARLY_ALL = 95; // percent
const FEWEST_LAYERS = 8; // fewer are all to be seen as they are
const FEW = 1 / 4; // of all layers

/** @type {WeakMap<Float32Array, number[]>} */
const known = new WeakMap();

/**
 * Each layer's share of the sum of a map's numbers, by size, in percent.
 * @param {Field} field
 */
export function layerShares(field) {
  const before = known.get(field.data);
  if (before) return before;
  const { data, rows, columns, seen } = field;
  const parts = range(rows).map((row) => {
    let part = 0;
    if (seen(row))
      for (let i = row * columns; i < (row + 1) * columns; i += 1) part += Math.abs(data[i]) || 0;
    return part;
  });
  const total = sum(parts);
  const shares = parts.map((part) => (total > 0 ? (100 * part) / total : 0));
  known.set(field.data, shares);
  return shares;
}

/**
 * The first and the last of the layers that together hold nearly all; null where those are not few.
 * @param {number[]} shares percent
 * @returns {{first: number, last: number} | null}
 */
export function activeLayers(shares) {
  const total = sum(shares);
  if (shares.length < FEWEST_LAYERS || !(total > 0)) return null;
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
  return last - first < shares.length * FEW ? { first, last } : null;
}

/**
 * The active layers of some maps that are drawn alike: those of all of them; null where one has no few.
 * @param {(Field | null)[]} fields
 */
export function activeTogether(fields) {
  const found = fields.map((field) => field && activeLayers(layerShares(field)));
  if (!found.length || found.some((one) => !one)) return null;
  const all = /** @type {{first: number, last: number}[]} */ (found);
  const first = Math.min(...all.map((one) => one.first));
  const last = Math.max(...all.map((one) => one.last));
  return last - first < (fields[0]?.rows || 0) * FEW ? { first, last } : null;
}

/**
 * Rows {y0, y1} that a head's maps are magnified to; null where they show all, or what the reader chose.
 * @param {Store} store
 * @param {number} head
 * @param {(Field | null)[]} fields of the maps drawn alike
 */
export function magnifiedRows(store, head, fields) {
  const { layers, zoom, cell } = store.state;
  const { L, raw } = store.result();
  if (layers === 'all' || raw.mode === 'layer_groups') return null;
  if (zoom && (zoom.y0 > 0 || zoom.y1 < L)) return null;
  const active = activeTogether(fields);
  if (!active) return null;
  // What was selected or pinned in this head is to be seen on its map.
  const chosen = [
    ...(cell && store.head === head ? [cell] : []),
    ...store.pins().filter((pin) => pin.head === head),
  ];
  if (chosen.some(({ layer }) => layer < active.first || layer > active.last)) return null;
  return { y0: active.first, y1: active.last + 1 };
}
