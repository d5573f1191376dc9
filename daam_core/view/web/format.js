// @ts-check
/** Numbers as text. Every number that the view shows comes from here. */

/**
 * Shortest decimal that gives the same float32: as exact as the array it came from.
 * @param {number | null | undefined} value
 */
export function exact(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const single = Math.fround(value);
  for (let digits = 1; digits <= 9; digits += 1) {
    const text = single.toPrecision(digits);
    if (Math.fround(Number(text)) === single) return withMinus(plain(Number(text)));
  }
  return withMinus(String(single));
}

/**
 * For captions and axes: so many significant digits.
 * @param {number | null | undefined} value
 */
export function short(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return withMinus(plain(Number(value.toPrecision(digits))));
}

/**
 * From one number to another; what is nothing beside the other is 0.
 * @param {number} low
 * @param {number} high
 */
export function reach(low, high) {
  if (low === high) return `constant, ${short(low)}`;
  const least = 1e-3 * Math.max(Math.abs(low), Math.abs(high));
  return `${short(Math.abs(low) < least ? 0 : low)} to ${short(Math.abs(high) < least ? 0 : high)}`;
}

/**
 * With four digits; what is nothing beside a size, such as a mean beside its deviation, is 0.
 * @param {number} value
 * @param {number} size
 */
export function beside(value, size) {
  return short(Math.abs(value) < 1e-4 * Math.abs(size) ? 0 : value, 4);
}

/** With its sign, a plus included. @param {number} value */
export function signed(value, digits = 3) {
  return (value > 0 ? '+' : '') + short(value, digits);
}

/** A share for reading, with two decimals at the ends, where they matter. @param {number} share */
export function percent(share, decimals = 1) {
  const value = 100 * share;
  if (value === 0 || value === 100) return `${value.toFixed(decimals)} %`;
  if (value < 0.01) return '< 0.01 %';
  if (value > 99.99) return '> 99.99 %';
  return `${value.toFixed(value >= 0.1 && value <= 99.9 ? decimals : 2)} %`;
}

/** A classifier's probability: it is never quite 0 or 1, only rounded to it. @param {number} share */
export function probability(share, decimals = 1) {
  return percent(Math.min(Math.max(share, 1e-9), 1 - 1e-9), decimals);
}

/**
 * With so many decimals; nothing is shown as −0.
 * @param {number | null} value
 * @param {number} decimals
 */
export function fixed(value, decimals) {
  if (value === null) return '–';
  const text = value.toFixed(decimals);
  return withMinus(Number(text) === 0 ? text.replace('-', '') : text);
}

/** Share in a logit, for reading; tables have all digits. @param {number} value */
export function logits(value) {
  return `${signed(value, 4)} logits`;
}

/** Such as `1, 2 and 3`. @param {(string | number)[]} some */
export function listed(some) {
  return some.length < 2 ? some.join() : `${some.slice(0, -1).join(', ')} and ${some.at(-1)}`;
}

/** A whole number with commas. @param {number} value */
export function count(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * Round numbers that cover [low, high], about `number` of them.
 * @param {number} low
 * @param {number} high
 * @param {number} number
 */
export function ticks(low, high, number) {
  if (!(high > low)) return [low];
  const rough = (high - low) / Math.max(1, number);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999) || 10 * power;
  const out = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step) {
    out.push(Math.abs(v) < step * 1e-9 ? 0 : Number(v.toPrecision(12)));
  }
  return out;
}

/**
 * Powers of ten in [low, high], and what lies halfway between them where they are few.
 * @param {number} low above 0
 * @param {number} high
 */
export function logTicks(low, high) {
  const powers = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p += 1) powers.push(p);
  const parts = powers.length > 4 ? [1] : [1, 2, 5];
  return powers.flatMap((p) => parts.map((m) => Number(`${m}e${p}`))).filter((v) => v >= low && v <= high);
}

/** @param {number} value */
function plain(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e7) ? value.toExponential() : String(value);
}

/** @param {string} text */
function withMinus(text) {
  return text.replace(/-/g, '−');
}

/** A map's name within a sentence; the Importance Factor keeps its capitals. @param {string} name */
export const inSentence = (name) =>
  name === 'Importance Factor' ? name : name[0].toLowerCase() + name.slice(1);
