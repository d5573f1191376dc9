// @ts-check
/** Numbers of a panel in full: as a sheet of columns and rows, and as CSV. */
import { range } from './arrays.js';
import * as format from './format.js';

/**
 * @typedef {import('./types.js').Field} Field
 * @typedef {{columns: string[], rows: (string | number | null)[][]}} Sheet
 * @typedef {{title: string, number?: boolean}} Column
 * @typedef {{caption: string, columns: (string | Column)[], rows: any[][]}} Listed a table as it is shown
 */

export const ROUNDED =
  'Some of these numbers are known only rounded on this page, so they are not saved as CSV; the program ' +
  'saves all of them.';

/** Titles of columns with numbers. @param {string[]} titles @returns {Column[]} */
export function numeric(...titles) {
  return titles.map((title) => ({ title, number: true }));
}

/**
 * A number for a table: read as `text`, or else with four digits; pointed at, copied or saved in full.
 * `known`: whether the array behind it is exact.
 * @param {number | null | undefined} value
 * @param {boolean} [known]
 * @param {string} [text]
 */
export function numeral(value, known = true, text = undefined) {
  return { value: value ?? null, known, text };
}

/** What is read of a number. @param {number | null} value @param {boolean} known @param {string} [text] */
export function numeralText(value, known, text) {
  const missing = value === null || Number.isNaN(value);
  return missing ? format.exact(value) : `${known ? '' : '≈ '}${text ?? format.short(value, 4)}`;
}

/**
 * A sentence as text; figure.js has it with elements. Its numbers are such as numeral() makes them.
 * @param {(string | ReturnType<typeof numeral>)[]} parts
 */
export function told(parts) {
  return parts
    .map((part) => (typeof part === 'string' ? part : numeralText(part.value, part.known, part.text)))
    .join('');
}

/** The text of a table's number, or of what stands in its place; null where it is an element. */
function numberText(cell) {
  if (cell && typeof cell === 'object' && 'known' in cell)
    return numeralText(cell.value, cell.known, cell.text);
  return typeof cell === 'string' || typeof cell === 'number' ? String(cell) : null;
}

/**
 * What to put behind each number of a column so that all points stand below each other.
 * @param {any[]} cells
 * @returns {string[]}
 */
export function padding(cells) {
  const decimals = cells.map((cell) => {
    const text = numberText(cell);
    if (text === null || !/^[≈ +−]*\d[\d,]*(\.\d+)?(e[−\d]+)?$/.test(text)) return null;
    return text.includes('.') ? text.length - text.indexOf('.') : 0;
  });
  const most = Math.max(0, ...decimals.map((length) => length ?? 0));
  // A figure space is as wide as a digit, a punctuation space as a point.
  return decimals.map((length) => {
    if (length === null || length === most) return '';
    return length === 0 ? `\u2008${'\u2007'.repeat(most - 1)}` : '\u2007'.repeat(most - length);
  });
}

/**
 * The whole of some tables, each row with its table's caption where there are several; columns without a
 * title hold buttons and are left out.
 * @param {Listed[]} tables
 * @returns {Sheet}
 */
export function sheetOf(...tables) {
  const titles = tables.map(({ columns }) => columns.map((c) => (typeof c === 'string' ? c : c.title)));
  const columns = Array.from(new Set(titles.flat())).filter(Boolean);
  const several = tables.length > 1;
  return {
    columns: [...(several ? ['Table'] : []), ...columns],
    rows: tables.flatMap(({ caption, rows }, t) =>
      rows.map((row) => [
        ...(several ? [caption] : []),
        ...columns.map((title) => plain(row[titles[t].indexOf(title)])),
      ]),
    ),
  };
}

/** What a table's cell says, as a number or text. */
function plain(cell) {
  if (!cell || typeof cell !== 'object') return cell ?? null;
  return 'head' in cell ? cell.head : cell.value;
}

/**
 * Every cell of some heads' maps.
 * @param {number[]} heads
 * @param {[string, (head: number) => Field | null][]} maps titles of columns, and what stands in them
 * @param {{Row: string, Column: string}} [axes] what rows and columns of the maps are called
 * @returns {Sheet | string} a sentence where a number is not known exactly
 */
export function mapsSheet(heads, maps, { Row, Column } = { Row: 'Layer', Column: 'Feature' }) {
  /** @type {Sheet['rows']} */
  const rows = [];
  for (const head of heads) {
    const fields = maps.map(([, of]) => of(head));
    if (fields.some((f) => !f?.exact)) return ROUNDED;
    const shown = /** @type {Field[]} */ (fields);
    for (const row of range(shown[0].rows).filter((r) => shown.some((f) => f.seen(r)))) {
      for (let column = 0; column < shown[0].columns; column += 1) {
        const at = row * shown[0].columns + column;
        rows.push([head, row, column, ...shown.map((f) => (f.seen(row) ? f.data[at] : null))]);
      }
    }
  }
  return { columns: ['Head', Row, Column, ...maps.map(([title]) => title)], rows };
}

/** @param {string | number | null} value */
function csvCell(value) {
  if (value === null || Number.isNaN(value)) return '';
  if (typeof value === 'number') {
    // The shortest decimal of a float32 that is one; sums and means of them have all the digits of a double.
    return Math.fround(value) === value ? format.exact(value).replace(/−/g, '-') : String(value);
  }
  // A table program would take a text that begins so for a formula.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** RFC 4180, numbers at full precision. @param {Sheet} sheet */
export function csvOf({ columns, rows }) {
  return `${[columns, ...rows].map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`;
}
