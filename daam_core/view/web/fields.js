// @ts-check
/** The numbers that maps show, of one result or of two, and their colour scales. */
import { bounds, minus, range, top } from './arrays.js';
import { LOG_SPAN, logThresholds, makeScale, rankThresholds } from './colour.js';
import * as format from './format.js';
import { OPEN } from './result.js';
import { mapsSheet, numeral } from './sheets.js';

/**
 * @typedef {import('./store.js').Store} Store
 * @typedef {import('./result.js').Result} Result
 * @typedef {import('./types.js').Which} Which
 * @typedef {import('./types.js').Field} Field
 * @typedef {import('./colour.js').Scale} Scale
 */

/** The map that the state asks for. @param {Store} store @returns {Which} */
export function whichOf(store) {
  const { quantity } = store;
  const { scale, side } = store.state;
  return { quantity, scale, side };
}

/**
 * The map of one head, or null when it is not in the payload. A difference to the data set can itself be
 * taken between two inputs.
 * @param {Store} store
 * @param {number} head
 * @param {Which} which
 * @returns {Field | null}
 */
export function field(store, head, which) {
  const result = which.side === 'b' && store.b ? store.b : store.a;
  const data = numbers(store, head, which);
  if (!data) return null;
  const shown = resultsOf(store, which);
  const difference = which.side === 'difference' || which.dataset === 'difference';
  return {
    data,
    rows: result.L,
    columns: result.F,
    seen: (row) => shown.every((one) => one.seen(head, row)),
    signed: difference || Boolean(store.quantities[which.quantity]?.signed),
    exact: shown.every((one) =>
      partsOf(which).every((dataset) => one.isExact(which.quantity, head, dataset)),
    ),
  };
}

/**
 * @param {Store} store
 * @param {number} head
 * @param {Which} which
 * @returns {Float32Array | null}
 */
function numbers(store, head, which) {
  /** @type {Which[] | null} */
  let pair = null;
  if (which.side === 'difference') {
    pair = [
      { ...which, side: 'b' },
      { ...which, side: 'a' },
    ];
  } else if (which.dataset === 'difference') {
    pair = [
      { ...which, dataset: undefined },
      { ...which, dataset: 'only' },
    ];
  }
  const result = which.side === 'b' && store.b ? store.b : store.a;
  if (!pair) return result.map(which.quantity, head, which.scale, which.dataset === 'only');
  const [one, other] = pair.map((part) => numbers(store, head, part));
  if (!one || !other) return null;
  return result.cached(`difference ${JSON.stringify(which)} ${head}`, () => minus(one, other));
}

/**
 * One head minus another, both of `which`.
 * @param {Store} store
 * @param {number[]} pair
 * @param {Which} which
 * @returns {Field | null}
 */
export function headDifference(store, pair, which) {
  const [one, other] = pair.map((head) => field(store, head, which));
  if (!one || !other) return null;
  const key = `heads ${pair} ${JSON.stringify(which)}`;
  return {
    ...one,
    data: store.result().cached(key, () => minus(one.data, other.data)),
    signed: true,
    exact: one.exact && other.exact,
    seen: (row) => one.seen(row) && other.seen(row),
  };
}

/**
 * The results whose arrays are behind what `which` names.
 * @param {Store} store
 * @param {Which} which
 * @returns {Result[]}
 */
export function resultsOf(store, which) {
  return which.side === 'difference' ? [store.a, store.b] : [store[which.side]];
}

/** Whether the input's arrays (false), the data set's (true), or both are behind it. @param {Which} which */
function partsOf(which) {
  if (which.dataset === 'difference') return [false, true];
  return [which.dataset === 'only'];
}

/**
 * Asks for every array behind some heads' maps that is not here exactly; resolves to whether any came.
 * @param {Store} store
 * @param {Which} which
 * @param {number[]} heads
 */
export function needExact(store, which, heads) {
  const jobs = resultsOf(store, which).flatMap((result) =>
    partsOf(which).flatMap((dataset) => heads.map((head) => result.need(which.quantity, head, dataset))),
  );
  return Promise.all(jobs).then((came) => came.some(Boolean));
}

/**
 * Every number of some maps, exactly, or the sentence that they are not to be had.
 * @param {Store} store
 * @param {number[]} heads
 * @param {[string, Which][]} maps titles of columns, and what stands in them
 */
export async function exactSheet(store, heads, maps) {
  await Promise.all(maps.map(([, which]) => needExact(store, which, heads)));
  return mapsSheet(
    heads,
    maps.map(([title, which]) => [title, (head) => field(store, head, which)]),
    store.axes(),
  );
}

/** What is shown, as columns of numbers: of two results both and their difference. @param {Store} store @returns {[string, Which][]} */
export function shownColumns(store) {
  const which = whichOf(store);
  const { short } = store.quantities[which.quantity];
  if (!store.isDifference()) return [[short, which]];
  const sides = /** @type {const} */ (['a', 'b', 'difference']);
  return sides.map((side) => [`${short}, ${store.letter(side)}`, { ...which, side }]);
}

/** Asks for the exact arrays behind a cell's numbers. @param {Store} store @param {number} head */
export function needCell(store, head) {
  const always = /** @type {const} */ (['values', 'gate', 'density_attention', 'class_importance']);
  for (const quantity of store.quantities.evidence
    ? [...always, /** @type {const} */ ('evidence')]
    : always) {
    needExact(store, { quantity, side: store.state.side }, [head]);
  }
}

/**
 * A number of a field, or none, for a table.
 * @param {Field | null} f
 * @param {number} at
 */
export function fieldNumeral(f, at) {
  return numeral(f?.seen(Math.floor(at / f.columns)) ? f.data[at] : NaN, f?.exact);
}

/** The numbers of a field, NaN where there is no cell. @param {Field} f */
export function onlySeen(f) {
  const data = Float32Array.from(f.data);
  for (let row = 0; row < f.rows; row += 1) {
    if (!f.seen(row)) data.fill(NaN, row * f.columns, (row + 1) * f.columns);
  }
  return data;
}

/** [lowest, highest] over the cells of some fields. @param {Field[]} fields @returns {[number, number]} */
export function extent(fields) {
  let [low, high] = [Infinity, -Infinity];
  for (const f of fields) {
    for (const row of range(f.rows).filter(f.seen)) {
      const [least, most] = bounds(f.data.subarray(row * f.columns, (row + 1) * f.columns));
      low = Math.min(low, least);
      high = Math.max(high, most);
    }
  }
  return low <= high ? [low, high] : [0, 0];
}

/** Only the cells that exist, for rank colours. @param {Field} f */
function cells(f) {
  const rows = range(f.rows).filter(f.seen);
  if (rows.length === f.rows) return f.data;
  const out = new Float32Array(rows.length * f.columns);
  rows.forEach((row, i) => {
    out.set(f.data.subarray(row * f.columns, (row + 1) * f.columns), i * f.columns);
  });
  return out;
}

/**
 * Colours for some fields together, as the state asks for them.
 * @param {Store} store
 * @param {(Field | null)[]} fields
 * @param {[number, number] | null} [limits]
 */
export function colourScale(store, fields, limits) {
  const present = /** @type {Field[]} */ (fields.filter(Boolean));
  const signed = present.some((f) => f.signed);
  if (store.state.colours === 'layer' && present.length) {
    const weights = rowWeights(present);
    return { ...makeScale([signed ? -1 : 0, 1], store.colours(signed), { signed }), weights };
  }
  let [low, high] = limits || extent(present);
  if (signed) {
    high = Math.max(Math.abs(low), Math.abs(high));
    low = -high;
  }
  const ranked = store.state.colours === 'rank' && high > low;
  let thresholds = ranked ? rankThresholds(present.map(cells), signed) : null;
  // Numbers below zero that are no differences have no logarithm.
  if (store.state.colours === 'log' && high > 0 && high > low && (signed || low >= 0)) {
    thresholds = logThresholds(high, signed);
  }
  return makeScale([low, high], store.colours(signed), { signed, thresholds });
}

/** What makes each row's largest number, by size, 1 in all of some maps together. @param {Field[]} maps */
function rowWeights(maps) {
  return Float64Array.from(range(maps[0].rows), (row) => {
    const ends = maps
      .filter((f) => f.seen(row))
      .flatMap((f) => bounds(f.data.subarray(row * f.columns, (row + 1) * f.columns)));
    const most = Math.max(0, ...ends.map(Math.abs));
    return most > 0 ? 1 / most : 0;
  });
}

/**
 * Colour scale of one head's map: over all heads together, or of its own.
 * @param {Store} store
 * @param {number} head
 * @param {Which} which
 * @returns {Scale}
 */
export function scaleOf(store, head, which) {
  const { scale, colours, palette } = store.state;
  const result = which.side === 'b' ? store.b : store.a;
  const one = scale === 'all_heads' ? '' : head;
  return result.cached(`scale ${JSON.stringify(which)} ${scale} ${colours} ${palette} ${one}`, () => {
    const heads = scale === 'all_heads' ? range(result.H) : [head];
    const difference = which.side === 'difference' || which.dataset === 'difference';
    /** @type {[number, number] | null} */
    let limits = null;
    if (which.quantity === 'importance' && !difference) {
      const [low, high] = result.range('density_attention', scale, head, Boolean(which.dataset));
      limits = [0, Number(high > low)]; // a constant map is 0 everywhere
    } else if (!difference) limits = result.range(which.quantity, scale, head, Boolean(which.dataset));
    // Maps of all heads take long to compute, and are needed only where nothing else tells the limits.
    const needed = limits && !['rank', 'layer'].includes(colours) ? [head] : heads;
    const own = colourScale(
      store,
      needed.map((h) => field(store, h, which)),
      limits,
    );
    // An IF of its own head goes from 0 to 1 by its definition, and colours show the numbers that are read out.
    if (which.quantity === 'importance' || !flatRange(store, head, which)) return own;
    return makeScale([0, own.limits[1]], own.table); // from nothing to the most, the whole map has one colour
  });
}

/**
 * One colour scale for the maps of several results: over all heads, or of the chosen one.
 * @param {Store} store
 * @param {Which[]} whichs
 * @returns {Scale}
 */
export function scaleTogether(store, whichs) {
  const { scale, colours, palette } = store.state;
  const { head } = store;
  const heads = scale === 'all_heads' ? range(store.a.H) : [head];
  return store.a.cached(`both ${JSON.stringify(whichs)} ${colours} ${palette} ${heads}`, () => {
    const fields = whichs.flatMap((which) => heads.map((one) => field(store, one, which)));
    const { quantity, dataset } = whichs[0];
    return colourScale(store, fields, quantity === 'importance' && !dataset ? [0, 1] : null);
  });
}

const LEAST_CONTRAST = 0.01; // of the highest number; less is noise beside what the head lets through

/**
 * The range of a head's map that has no contrast to show on a scale of its own, such as a gate that is open
 * everywhere: from 0.998 to 1 must not become the whole palette. Null where there is contrast.
 * @param {Store} store
 * @param {number} head
 * @param {Which} which
 * @returns {[number, number] | null}
 */
function flatRange(store, head, which) {
  const { quantity, side, dataset } = which;
  if (store.state.scale !== 'per_head' || side === 'difference' || dataset === 'difference') return null;
  if (store.quantities[quantity]?.signed) return null;
  const basis = quantity === 'importance' ? 'density_attention' : quantity; // an IF of its own head fills 0 to 1
  const [low, high] = resultsOf(store, which)[0].range(basis, 'per_head', head, Boolean(dataset));
  return high > low && high - low < LEAST_CONTRAST * high ? [low, high] : null;
}

/**
 * That a head's map has next to no contrast, and between which numbers; empty where it has some. Such a map is
 * drawn flat, other than an Importance Factor, which stretches what little there is from 0 to 1.
 * @param {Store} store
 * @param {number} head
 * @param {Which} which
 */
export function flatText(store, head, which) {
  const flat = flatRange(store, head, which);
  if (!flat) return '';
  const range = format.reach(...flat);
  if (which.quantity === 'importance') return `0 to 1, stretched from a density attention of ${range}`;
  const open = which.quantity === 'gate' && flat[0] > OPEN;
  return `${open ? 'lets everything through' : 'nearly the same everywhere'} (${range})`;
}

/** What the colours of a map mean. @param {Store} store @param {Which} which */
export function scaleText(store, which) {
  const { name, meaning } = store.quantities[which.quantity];
  const { scale, colours } = store.state;
  const difference = which.side === 'difference';
  let scaled = 'a scale of its own for each head';
  if (scale === 'all_heads') {
    // A difference's scale needs the maps themselves, which may not all have come.
    const whole =
      !(difference || which.dataset === 'difference') ||
      range(store.result().H).every((head) => field(store, head, which));
    scaled = whole ? 'one scale for all heads' : 'one scale for the heads loaded so far';
  }
  let what = `${name}: ${meaning}`;
  if (which.dataset === 'difference') what = `${name}${difference ? '' : ', this input'} minus data set`;
  else if (difference) what = name;
  if (difference) what += `, ${store.letter('b')} minus ${store.letter('a')}`;
  let rank = '';
  if (colours === 'rank') rank = ' Colours by rank: each stands for equally many cells.';
  if (colours === 'layer') {
    const { row } = store.axes();
    rank = ` Colours by ${row}: each ${row} goes up to its own largest number, so ${row}s cannot be compared.`;
  }
  if (colours === 'log') {
    rank = ` Logarithmic colours: what is less than the highest number by ${format.count(LOG_SPAN)} times or more has the lowest.`;
  }
  const apart = difference && which.quantity === 'class_importance' ? store.classesApart() : '';
  return `${what}; ${scaled}.${rank}${apart && ` ${apart}`}`;
}

/**
 * A head's share of the density attention, or how it changes, for reading.
 * @param {Store} store
 * @param {number} head
 */
export function shareText(store, head) {
  if (!store.isDifference()) return `${format.short(store.result().share(head))} %`;
  return `${format.signed(store.b.share(head) - store.a.share(head))} points`;
}

/** The cell of the chosen head with most of what its map shows, by size where that has a sign. @param {Store} store */
export function strongestCell(store) {
  const result = store.result();
  const map = field(store, store.head, whichOf(store));
  const at = map ? top(onlySeen(map), 1, map.signed)[0] || 0 : 0;
  return { layer: Math.floor(at / result.F), feature: at % result.F };
}

/** Whether the map of the chosen head is 0 in every cell that it sees, as a muted head's is. @param {Store} store */
export function isZero(store) {
  const map = field(store, store.head, whichOf(store));
  return map !== null && !onlySeen(map).some((value) => value);
}

/**
 * Features by the mean of a quantity (or of its change) over all cells that heads see; null until all
 * are here.
 * @param {Store} store
 */
export function topFeatures(store) {
  const result = store.result();
  const { F } = result;
  let [signed, exact, rows] = [false, true, 0];
  const sums = new Float64Array(F);
  const best = range(F).map(() => ({ size: -Infinity, head: 0, layer: 0, value: 0 }));
  for (const head of range(result.H)) {
    const map = field(store, head, whichOf(store));
    if (!map) return null;
    signed = map.signed;
    exact = exact && map.exact;
    for (const layer of range(map.rows).filter(map.seen)) {
      rows += 1;
      for (let f = 0; f < F; f += 1) {
        const value = map.data[layer * F + f];
        sums[f] += value;
        if (Math.abs(value) > best[f].size) best[f] = { size: Math.abs(value), head, layer, value };
      }
    }
  }
  const means = sums.map((v) => v / Math.max(1, rows));
  return top(means, store.state.top, signed).map((feature) => ({
    ...best[feature],
    feature,
    mean: means[feature],
    exact,
  }));
}
