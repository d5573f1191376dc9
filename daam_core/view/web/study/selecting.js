// @ts-check
/** Which inputs are shown, in which order, and how they are counted: over columns, without the page. */
import * as format from '../format.js';

/**
 * @typedef {import('./columns.js').Columns} Columns
 * @typedef {import('./types.js').Filter} Filter
 */

/** @type {Readonly<Filter>} */
export const ANY = Object.freeze({
  find: '',
  label: -1,
  prediction: -1,
  right: 'any',
  from: 0,
  to: 1,
  group: '',
  value: -1,
});

/**
 * Rows that fit a filter, rising.
 * @param {Columns} columns
 * @param {Filter} filter
 * @param {Uint8Array | null} [marked] 1 for rows that are marked on the plane; null: nothing is marked
 * @returns {Int32Array}
 */
export function fitting(columns, filter, marked = null) {
  const { label, prediction, confidence, right, searched, count } = columns;
  const find = filter.find.trim().toLowerCase();
  const codes = columns.groups[filter.group]?.codes;
  const wanted = filter.right === 'any' ? -1 : Number(filter.right === 'right');
  // Float32, as the probabilities are: what is shown as the limit lies inside.
  const [from, to] = [Math.fround(filter.from), Math.fround(filter.to)];
  const found = new Int32Array(count);
  let n = 0;
  for (let row = 0; row < count; row += 1) {
    if (filter.label >= 0 && !columns.has(label[row], filter.label)) continue;
    if (filter.prediction >= 0 && !columns.has(prediction[row], filter.prediction)) continue;
    if (wanted >= 0 && right[row] !== wanted) continue;
    if (!(confidence[row] >= from && confidence[row] <= to)) continue;
    if (codes && filter.value >= 0 && codes[row] !== filter.value) continue;
    if (marked && !marked[row]) continue;
    if (find && !searched[row].includes(find)) continue;
    found[n] = row;
    n += 1;
  }
  return found.slice(0, n);
}

/**
 * Some rows in an order: `errors` (wrong ones first, the most confident of them on top), the name of a
 * column, or `score`.
 * @param {Columns} columns
 * @param {Int32Array} rows
 * @param {string} key
 * @param {boolean} down largest first
 * @param {Float32Array | null} [scores] of every row
 * @returns {Int32Array}
 */
export function sorted(columns, rows, key, down, scores = null) {
  const { confidence, right, name } = columns;
  if (key === 'errors') {
    return Int32Array.from(rows).sort(
      (a, b) => right[a] - right[b] || confidence[b] - confidence[a] || a - b,
    );
  }
  const sign = down ? -1 : 1;
  if (key === 'place') {
    const { compare } = new Intl.Collator('en', { numeric: true });
    return Int32Array.from(rows).sort((a, b) => sign * compare(name[a], name[b]) || a - b);
  }
  /** @type {Record<string, ArrayLike<number> | null>} */
  const known = {
    number: columns.number,
    label: ranks(columns, columns.label),
    prediction: ranks(columns, columns.prediction),
    confidence,
    outside: columns.outside,
    seconds: columns.seconds,
  };
  if (key === 'score' && scores) return Int32Array.from(rows).sort(byScore(scores, confidence, sign));
  const keys = known[key] || columns.number;
  return Int32Array.from(rows).sort((a, b) => sign * (keys[a] - keys[b]) || a - b);
}

/** Classes, and sets of them, by the place of their names in the alphabet. */
function ranks(columns, codes) {
  const order = [...columns.classes, ...columns.sets]
    .map((_, code) => code)
    .sort((a, b) => columns.className(a).localeCompare(columns.className(b), 'en'));
  const rank = new Int32Array(order.length);
  order.forEach((code, place) => {
    rank[code] = place;
  });
  return codes.map((code) => (code < 0 ? order.length : rank[code]));
}

/**
 * How many inputs of each class got each prediction, over some rows: `[C · C]`, a row a true class.
 * @param {Columns} columns
 * @param {ArrayLike<number>} rows
 */
export function confusion(columns, rows) {
  const size = columns.classes.length;
  const counts = new Int32Array(size * size);
  for (let i = 0; i < rows.length; i += 1) {
    const [label, prediction] = [columns.label[rows[i]], columns.prediction[rows[i]]];
    if (label >= 0 && prediction >= 0) counts[label * size + prediction] += 1;
  }
  return counts;
}

/**
 * The pairs of classes that are confused most often: `[[label, prediction, count], …]`.
 * @param {Int32Array} counts
 * @param {number} size
 * @param {number} most
 */
export function confused(counts, size, most) {
  /** @type {[number, number, number][]} */
  const pairs = [];
  counts.forEach((count, at) => {
    const [label, prediction] = [Math.floor(at / size), at % size];
    if (count && label !== prediction) pairs.push([label, prediction, count]);
  });
  return pairs.sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1]).slice(0, most);
}

/**
 * Orders rows by score; of equal scores the more certain prediction comes first, whatever the direction.
 * @param {ArrayLike<number>} scores
 * @param {ArrayLike<number>} confidence
 * @param {number} sign 1: the lowest score first, -1: the highest
 */
function byScore(scores, confidence, sign) {
  return (/** @type {number} */ a, /** @type {number} */ b) =>
    sign * (scores[a] - scores[b]) || confidence[b] - confidence[a] || a - b;
}

/**
 * Rows with the highest (or lowest) scores, in order; of equal scores the more certain predictions first.
 * @param {ArrayLike<number>} scores
 * @param {ArrayLike<number>} confidence of the predictions
 * @param {number} count
 * @param {boolean} lowest
 * @returns {number[]}
 */
export function extremes(scores, confidence, count, lowest) {
  return Array.from(scores, (_, row) => row)
    .sort(byScore(scores, confidence, lowest ? 1 : -1))
    .slice(0, count);
}

/**
 * Whether a study's accuracy is so much above the stated one that its inputs may have been trained on: all are
 * right, or it lies three standard errors above.
 * @param {number} right
 * @param {number} count
 * @param {number} stated accuracy on inputs that were not trained on, 0 to 1
 */
export function flatters(right, count, stated) {
  if (!count) return false;
  return right === count || right / count > stated + 3 * Math.sqrt((stated * (1 - stated)) / count);
}

/**
 * How many inputs share the score at which a list of extremes ends, and how many of them it shows; null
 * where it shows all of them, so that it is a ranking.
 * @param {ArrayLike<number>} scores
 * @param {number[]} rows of the list
 * @returns {{value: number, all: number, shown: number} | null}
 */
export function tied(scores, rows) {
  if (!rows.length) return null;
  const value = scores[rows[rows.length - 1]];
  const shown = rows.filter((row) => scores[row] === value).length;
  let all = 0;
  for (let row = 0; row < scores.length; row += 1) all += Number(scores[row] === value);
  return all > shown ? { value, all, shown } : null;
}

/**
 * Whether a study, whose maps are float16, would store both numbers as one.
 * @param {number} kept as the study holds it
 * @param {number} exact
 */
export function sameInStudy(kept, exact) {
  // Half of float16's last place: 2⁻¹¹ of the number, and 2⁻²⁵ below its smallest normal one.
  return Math.abs(kept - exact) <= Math.max(Math.abs(exact) * 2 ** -11, 2 ** -25) * 1.001;
}

/**
 * The slice to begin with: the class that the heads tell best from all others, by the size of its best cell's
 * difference over what chance makes of groups of their sizes; where no class can be told, the most frequent.
 * @param {Columns} columns
 * @param {[number, number, number, number][][]} telling cells of each class with their differences in deviations
 */
export function openingSlice(columns, telling) {
  const counts = columns.sizes();
  /** @param {number} code */
  const size = (code) => {
    const inside = counts[code];
    const shares = (inside * (columns.count - inside)) / Math.max(1, columns.count);
    return Math.abs(telling[code]?.[0]?.[3] || 0) * Math.sqrt(shares);
  };
  const [best = 0] = [...columns.labels].sort((a, b) => size(b) - size(a));
  return `label.${best}`;
}

/**
 * The rows that a slice names: `all`, `right`, `wrong`, `label.3`, `prediction.3`, `filter`, `others`,
 * `group.NAME.2` or `selection.NAME`. Null where there is no such slice.
 * @param {Columns} columns
 * @param {string} name
 * @param {{filtered: Int32Array, others?: Int32Array | null, selections: Record<string, ArrayLike<number>>}} known
 *   filtered: rows of the table; others: rows of the slice that this one is the rest of
 * @returns {Int32Array | null}
 */
export function sliceRows(columns, name, { filtered, others = null, selections }) {
  const [kind, ...rest] = name.split('.');
  /** @param {(row: number) => boolean} fits */
  const where = (fits) => Int32Array.from(columns.number.keys()).filter(fits);
  if (name === 'all') return where(() => true);
  if (name === 'filter') return filtered;
  if (name === 'right' || name === 'wrong') {
    return where((row) => Boolean(columns.right[row]) === (name === 'right'));
  }
  if (name === 'others') {
    const out = new Set(others || []);
    return where((row) => !out.has(row));
  }
  if (kind === 'label' || kind === 'prediction') {
    const code = Number(rest[0]);
    return rest.length === 1 && columns.classes[code] !== undefined
      ? where((row) => columns.has(columns[kind][row], code))
      : null;
  }
  if (kind === 'group') {
    const code = Number(rest[rest.length - 1]);
    const group = columns.groups[rest.slice(0, -1).join('.')];
    return group?.names[code] !== undefined ? where((row) => group.codes[row] === code) : null;
  }
  const kept = kind === 'selection' ? selections[rest.join('.')] : undefined;
  if (!kept) return null;
  const rows = Array.from(kept, (number) => columns.rows.get(number)).filter((row) => row !== undefined);
  return Int32Array.from(/** @type {number[]} */ (rows));
}

/**
 * A slice in words.
 * @param {Columns} columns
 * @param {string} name
 */
export function sliceName(columns, name) {
  const [kind, ...rest] = name.split('.');
  const code = Number(rest[rest.length - 1]);
  if (kind === 'label') return `true class ${columns.className(code)}`;
  if (kind === 'prediction') return `predicted ${columns.className(code)}`;
  if (kind === 'group') {
    const group = rest.slice(0, -1).join('.');
    return `${thing(group, columns.shared)} ${columns.groups[group]?.names[code] ?? '–'}`;
  }
  if (kind === 'selection') return `selection “${rest.join('.')}”`;
  /** @type {Record<string, string>} */
  const said = {
    all: 'all inputs',
    right: 'right ones',
    wrong: 'errors',
    filter: 'what the table shows',
    others: 'all others',
    none: 'nothing',
  };
  return said[name] || name;
}

const FEWEST_ARRANGEMENTS = 20; // for q ≤ 0.05: the one that is there comes again by chance

/** @param {string} text */
export function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : text;
}

/**
 * What a column's values are called.
 * @param {string} column
 * @param {string} shared what inputs of one group have in common, such as a speaker
 */
export function thing(column, shared) {
  return column === 'group' ? shared : column;
}

const FEW_INPUTS = 10; // in the smaller group

/**
 * What is said where no cell differs for certain: why that may be so, and what the maps show instead.
 * @param {number[]} compared inputs of either group
 */
export function nothingHolds(compared) {
  const few =
    Math.min(...compared) < FEW_INPUTS
      ? ` ${compared.map(format.count).join(' against ')} inputs are too few for that: chance alone makes as large differences among so many cells.`
      : '';
  return `${few} The maps show every difference, each of which may be chance.`;
}

/**
 * How a comparison was tested, in words.
 * @param {{column: string, in_both: number, only_first: number, only_second: number, left_out: number,
 *   arrangements: number} | null} units that were dealt as wholes; null: single inputs were
 * @param {string} known the column that names what inputs have in common, if any
 * @param {string} shared what inputs of one group have in common
 */
export function dealt(units, known, shared) {
  if (!units) {
    const independent = known
      ? `This takes each input for one that has nothing to do with the others. Inputs of one ${thing(known, shared)} are alike, so a cell may be called different too easily; deal all of one ${thing(known, shared)} together to allow for that.`
      : `This takes each input for one that has nothing to do with the others. The study does not say which inputs are of one ${shared}; where several are, a cell may be called different too easily.`;
    return `Tested by dealing single inputs to the two groups again at random. ${independent}`;
  }
  const { in_both: both, only_first: one, only_second: other, left_out: out, arrangements } = units;
  const name = thing(units.column, shared);
  const parts = [
    both && `the ${both} with inputs in both groups swapped them at random`,
    one + other && `the ${one + other} in one group alone changed it at random`,
  ].filter(Boolean);
  const rest = out ? ` ${out} could not be dealt and took no part.` : '';
  const few =
    arrangements < FEWEST_ARRANGEMENTS
      ? ` There are only ${arrangements} ways to deal them, too few for any difference to hold.`
      : '';
  return `Tested by dealing all inputs of one ${name} together: ${parts.join(', ')}.${rest}${few}`;
}
