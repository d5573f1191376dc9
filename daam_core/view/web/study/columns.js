// @ts-check
/** The columns of a study: what is known of every input at once, as typed arrays. */
import { bytes, range } from '../arrays.js';

/**
 * @typedef {import('./types.js').Packed} Packed
 * @typedef {import('./types.js').StudyPayload} StudyPayload
 */

/** @param {Packed} packed @returns {Float32Array | Int32Array} */
export function unpack({ dtype, data }) {
  const { buffer, byteOffset, byteLength } = bytes(data);
  return dtype === 'int32'
    ? new Int32Array(buffer, byteOffset, byteLength / 4)
    : new Float32Array(buffer, byteOffset, byteLength / 4);
}

/**
 * An object of nothing but these: a link may ask for any name.
 * @template T
 * @param {[string, T][]} entries
 * @returns {Record<string, T>}
 */
export function named(entries) {
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

/** The codes that occur, the most frequent first. @param {ArrayLike<number>} codes @returns {number[]} */
export function byFrequency(codes) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (let i = 0; i < codes.length; i += 1) counts.set(codes[i], (counts.get(codes[i]) || 0) + 1);
  return Array.from(counts)
    .filter(([code]) => code >= 0)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .map(([code]) => code);
}

const [FEWEST_LETTERS, MOST_LETTERS] = [8, 20];

/**
 * Letters at the end of names that stay where one is cut: as few as tell names apart whose beginnings, as far
 * as they are seen, are one.
 * @param {string[]} names
 */
export function distinctEnd(names) {
  const differ = new Set(names).size;
  for (let end = FEWEST_LETTERS; end < MOST_LETTERS; end += 1) {
    // All that is surely seen of the beginning is its first letter.
    if (new Set(names.map((name) => `${name[0]}${name.slice(-end)}`)).size === differ) return end;
  }
  return MOST_LETTERS;
}

/** Rows are the explained inputs in the order of the study, 0 to M − 1. */
export class Columns {
  /** @param {StudyPayload} payload */
  constructor(payload) {
    const { columns, facts, groups } = payload;
    this.number = unpack(columns.number);
    this.label = unpack(columns.label);
    this.prediction = unpack(columns.prediction);
    this.confidence = unpack(columns.confidence);
    this.seconds = columns.seconds && unpack(columns.seconds);
    this.outside = payload.outside && unpack(payload.outside);
    this.place = columns.place;
    this.name = columns.name;
    this.shared = payload.shared;
    this.end = distinctEnd(columns.name); // letters of a name that are never cut
    this.text = columns.text;
    this.classes = facts.classes;
    this.several = facts.labels === 'several';
    this.sets = facts.sets;
    this.count = this.number.length;
    /** @type {Record<string, {names: string[], codes: Float32Array | Int32Array}>} */
    this.groups = named(
      Object.entries(groups).map(([name, { names, codes }]) => [name, { names, codes: unpack(codes) }]),
    );
    this.right = Uint8Array.from(range(this.count), (row) =>
      Number(this.label[row] === this.prediction[row]),
    );
    /** What a search looks at. */
    this.searched = range(this.count).map((row) =>
      `${this.place[row]}\n${this.name[row]}\n${this.text ? this.text[row] : ''}`.toLowerCase(),
    );
    /** Classes that occur, most frequent first: as what inputs are, and as what they are taken for. */
    this.labels = byFrequency(this.single(this.label));
    this.predictions = byFrequency(this.single(this.prediction));
    this.rows = new Map(Array.from(this.number, (number, row) => [number, row]));
    this.errors = this.right.reduce((sum, right) => sum + 1 - right, 0);
  }

  /** Where an input is in the data, in full. @param {number} row */
  whereOf(row) {
    const [place, name] = [this.place[row], this.name[row]];
    return place === name ? name : `${name}, ${place}`;
  }

  /**
   * Classes as options of a list, in the order of the model's.
   * @param {number[]} codes
   * @param {string} [before] in front of their values
   * @param {string} [word] in front of their names
   * @returns {[string, string][]}
   */
  options(codes, before = '', word = '') {
    return [...codes]
      .sort((a, b) => a - b)
      .map((code) => [`${before}${code}`, `${word}${this.className(code)}`]);
  }

  /** The name of a class, or of those of a set, for reading. @param {number} code */
  className(code) {
    if (code < 0) return '–';
    return (
      this.classes[code] ??
      (this.members(code)
        .map((one) => this.classes[one])
        .join(', ') ||
        'none')
    );
  }

  /** The classes that a code stands for: itself, or those of a set. @param {number} code @returns {number[]} */
  members(code) {
    return this.sets[code - this.classes.length] ?? [code];
  }

  /** Whether a code is a class or stands for it among others. @param {number} code @param {number} one */
  has(code, one) {
    return code === one || (code >= this.classes.length && this.members(code).includes(one));
  }

  /** All classes of some codes, each as often as it is there. @param {ArrayLike<number>} codes */
  single(codes) {
    return this.several ? Array.from(codes).flatMap((code) => this.members(code)) : codes;
  }

  /** How many inputs have each class. @returns {Int32Array} */
  sizes() {
    const counts = new Int32Array(this.classes.length);
    for (const code of Array.from(this.single(this.label))) if (code >= 0) counts[code] += 1;
    return counts;
  }
}
