// @ts-check
/** A text cut where its tokens begin and end. */

/**
 * `[[text, token], …]`, −1 for what belongs to no token. Spans count characters as Python does, so letters
 * beyond the basic plane are one.
 * @param {string} text
 * @param {(number[] | null)[]} spans
 * @returns {[string, number][]}
 */
export function pieces(text, spans) {
  const letters = Array.from(text);
  /** @param {number} from @param {number} to */
  const part = (from, to) => letters.slice(from, to).join('').replace(TURNING, '');
  /** @type {[string, number][]} */
  const found = [];
  let end = 0;
  spans
    .map((span, token) => ({ span, token }))
    .filter(({ span }) => span && span[1] > span[0])
    .sort((a, b) => /** @type {any} */ (a.span)[0] - /** @type {any} */ (b.span)[0])
    .forEach(({ span, token }) => {
      const [from, to] = /** @type {number[]} */ (span);
      if (from < end || to > letters.length) return; // overlaps what is written already
      if (from > end) found.push([part(end, from), -1]);
      found.push([part(from, to), token]);
      end = to;
    });
  if (end < letters.length) found.push([part(end, letters.length), -1]);
  return found;
}

/** Marks that would turn what stands after them on a page (see daam_core/reading/letters.py). */
const TURNING = /[\ufeff\u202a-\u202e\u2066-\u2069]/g;
