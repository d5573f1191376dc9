// @ts-check
/** Cells that a reader pins, with a note each: what of them is valid, and their form in a link. */

/** @typedef {import('./types.js').Pin} Pin */

export const MOST_PINS = 12;
export const LONGEST_NOTE = 120; // characters
const LINK_ROOM = 1500; // characters that notes may take in a link

/**
 * The pins among some values of which nothing is trusted; the rest is left out.
 * @param {any[]} wanted
 * @param {[number, number, number][] | null} shapes of the explanations, one of which a pin must fit; null: any
 * @returns {Pin[]}
 */
export function validPins(wanted, shapes) {
  /** @type {Map<string, Pin>} the same cell is pinned once */
  const found = new Map();
  for (const one of wanted) {
    const place = [one?.head, one?.layer, one?.feature];
    if (!place.every((n) => Number.isSafeInteger(n) && n >= 0)) continue;
    if (shapes && !shapes.some((shape) => place.every((n, i) => n < shape[i]))) continue;
    const note =
      typeof one.note === 'string' ? one.note.replace(/\p{Cc}+/gu, ' ').slice(0, LONGEST_NOTE) : '';
    const [head, layer, feature] = place;
    if (found.size < MOST_PINS && !found.has(place.join())) {
      found.set(place.join(), { head, layer, feature, note });
    }
  }
  return Array.from(found.values());
}

/** Where a cell is among the pins, −1 where it is not. @param {Pin[]} pins @param {any} cell */
export function pinIndex(pins, cell) {
  return pins.findIndex((pin) =>
    /** @type {const} */ (['head', 'layer', 'feature']).every((key) => pin[key] === cell?.[key]),
  );
}

/** Pins for a link, such as `1.3.17.a note`; notes are left out where there is no room for them. @param {Pin[]} pins */
export function pinTexts(pins) {
  let left = LINK_ROOM;
  return pins.map(({ head, layer, feature, note }) => {
    const place = `${head}.${layer}.${feature}`;
    const length = encodeURIComponent(note).length;
    if (!note || length > left) return place;
    left -= length;
    return `${place}.${note}`;
  });
}

/** The other way; whether it is valid is seen later. @param {string} text */
export function pinOf(text) {
  const [, head, layer, feature, note] = text.match(/^(\d+)\.(\d+)\.(\d+)(?:\.(.*))?$/s) || [];
  return { head: Number(head), layer: Number(layer), feature: Number(feature), note };
}
