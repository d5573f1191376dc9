// @ts-check
/** Importance on the words of a text. */
import { range } from '../arrays.js';
import { css, ink } from '../colour.js';
import { Table } from '../figure.js';
import * as format from '../format.js';
import { html, useLayoutEffect, useMemo, useRef, useState } from '../html.js';
import { numeral, numeric } from '../sheets.js';
import { alignWords } from './pairs.js';
import { attribution } from './tokens.js';

/**
 * @typedef {import('./tokens.js').Shown} Shown
 * @typedef {import('../types.js').Words} Words
 */

const MOST_WORDS = 4000; // drawn at first; a button shows the rest

/**
 * Share of each word: the sum over its tokens.
 * @param {Shown} result
 * @param {Float32Array} values
 * @returns {number[]}
 */
function wordValues(result, values) {
  const { list } = /** @type {Words} */ (result.raw.words);
  return list.map((word) => word.tokens.reduce((sum, t) => sum + values[t], 0));
}

/**
 * The words of the text alone: marks that the tokenizer adds have shares of their own size, and would wash
 * out a long text.
 * @param {Shown} result
 * @param {Float32Array} values
 */
export function ownWordValues(result, values) {
  const { list } = /** @type {Words} */ (result.raw.words);
  return wordValues(result, values).filter((_, index) => !list[index].special);
}

/**
 * A word as text, with its share and, where it has several, its pieces.
 * @param {Shown} result
 * @param {number[]} values
 * @param {number} index
 */
function wordText(result, values, index) {
  const word = result.raw.words.list[index];
  const pieces = word.tokens.map((t) => result.raw.token_labels[t]);
  const cut = pieces.length > 1 ? `, pieces: ${pieces.join(' ')}` : '';
  return `“${word.text}” ${format.logits(values[index])}${cut}`;
}

/**
 * The part of the pieces that holds the first words.
 * @param {[string, number][]} pieces
 * @param {number} most
 */
function beginning(pieces, most) {
  let words = 0;
  const end = pieces.findIndex(([, index]) => {
    if (index >= 0) words += 1;
    return words > most;
  });
  return end < 0 ? pieces : pieces.slice(0, end);
}

export function WordsPanel({ result, tokenHead, scale, label }) {
  const shares = attribution(result, tokenHead);
  const values = useMemo(() => wordValues(result, shares), [result, shares]);
  const [whole, setWhole] = useState(false);
  const [current, setCurrent] = useState(-1);
  const [said, setSaid] = useState('Point at a word, or move with the arrow keys, to read its number.');
  const [spoken, setSpoken] = useState('');
  const box = useRef(null);
  const tip = useRef(null);
  const { pieces, list } = /** @type {Words} */ (result.raw.words);
  const total = pieces.filter(([, index]) => index >= 0).length;
  const shown = whole ? pieces : beginning(pieces, MOST_WORDS);
  /** @param {number} index @param {string} written */
  const word = (index, written) => {
    const colour = scale.colour(values[index]);
    const style = { background: css(colour), color: ink(colour) };
    return html`<span class="dv-word" data-word=${index} style=${style}>${written}</span>`;
  };
  const body = useMemo(
    () => shown.map(([written, index]) => (index < 0 ? written : word(index, written))),
    [result, values, scale, whole],
  );
  useLayoutEffect(() => {
    if (current < 0) return undefined;
    const span = box.current.querySelector(`[data-word="${current}"]`);
    span.classList.add('dv-current');
    const place = span.getBoundingClientRect();
    const frame = box.current.getBoundingClientRect();
    const left = Math.min(place.left - frame.left, frame.width - tip.current.offsetWidth);
    tip.current.style.left = `${Math.max(0, left)}px`;
    tip.current.style.top = `${place.bottom - frame.top + 4}px`;
    return () => span.classList.remove('dv-current');
  }, [current]);
  /** @param {number} index @param {boolean} speak */
  const show = (index, speak = false) => {
    setCurrent(index);
    if (index < 0) return;
    setSaid(wordText(result, values, index));
    if (speak) setSpoken(wordText(result, values, index));
  };
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    const order = shown.map(([, index]) => index).filter((index) => index >= 0);
    const at = order.indexOf(current);
    /** @type {Record<string, number>} */
    const moves = {
      ArrowRight: Math.min(order.length - 1, at + 1),
      ArrowLeft: Math.max(0, at - 1),
      Home: 0,
      End: order.length - 1,
    };
    if (moves[e.key] === undefined || !order.length) return;
    e.preventDefault();
    show(order[moves[e.key]], true);
  };
  const specials = range(list.length).filter((index) => list[index].special);
  return html`<div class="dv-stack">
    <div class="dv-words-box" ref=${box}>
      <div
        class="dv-words"
        tabindex="0"
        role="group"
        dir="auto"
        lang=""
        aria-label="${label}: words coloured by how far they speak for the explained class. Left and right arrow keys go from word to word."
        onPointerOver=${(e) => e.target.dataset.word && show(Number(e.target.dataset.word))}
        onPointerLeave=${() => show(-1)}
        onBlur=${() => show(-1)}
        onKeyDown=${key}
      >
        ${body}
      </div>
      <div class="dv-tip" ref=${tip} hidden=${current < 0} aria-hidden="true">
        ${current >= 0 && wordText(result, values, current)}
      </div>
      <div class="dv-hidden" aria-live="polite">${spoken}</div>
    </div>
    ${
      total > MOST_WORDS &&
      !whole &&
      html`<button
        type="button"
        class="dv-button"
        onClick=${() => {
          setWhole(true);
          box.current.firstElementChild.focus({ preventScroll: true });
        }}
      >
        Show all ${format.count(total)} words
      </button>`
    }
    ${
      specials.length > 0 &&
      html`<p class="dv-note">
        ${'Not part of the text: '}${specials.map((index) => [
          word(index, list[index].text),
          ` ${format.logits(values[index])}  `,
        ])}
      </p>`
    }
    <p class="dv-note dv-number dv-said">${said}</p>
  </div>`;
}

/** The words with their pieces. @param {Shown} result @param {Float32Array} values @returns {import('./tokens.js').Part[]} */
export function wordParts(result, values) {
  const shares = wordValues(result, values);
  const { list } = /** @type {Words} */ (result.raw.words);
  return list.flatMap(({ text, tokens }, i) => {
    const pieces = tokens.map((t) => result.raw.token_labels[t]).join(' ');
    return tokens.length ? [{ name: text, value: shares[i], more: [pieces] }] : [];
  });
}

/** Words that two different texts share, in order, and how the share of each changes. */
export function WordsDifference({ results, tokenHead, rows, names }) {
  // Marks that the tokenizer adds are in every text, and no words.
  const own = results.map((result) => {
    const values = wordValues(result, attribution(result, tokenHead));
    const { list } = /** @type {Words} */ (result.raw.words);
    return list.map((word, i) => ({ ...word, value: values[i] })).filter((word) => !word.special);
  });
  const texts = own.map((words) => words.map((word) => word.text));
  const pairs = useMemo(() => alignWords(texts[0], texts[1]), results);
  if (!pairs) {
    return html`<p class="dv-note">The two texts are too long to be aligned word by word here.</p>`;
  }
  return html`<div class="dv-stack">
    <${Table} ...${wordChanges(own, pairs, names, rows)} />
    ${[0, 1].map((side) => {
      const paired = new Set(pairs.map((pair) => pair[side]));
      const rest = own[side].filter((_, k) => !paired.has(k));
      const shown = rest.slice(0, 40).map((word) => `${word.text} (${format.signed(word.value)})`);
      const more = rest.length > 40 ? ` and ${rest.length - 40} more` : '';
      return (
        rest.length > 0 &&
        html`<p class="dv-note">${`Only in ${names[side]}: ${shown.join(', ')}${more}.`}</p>`
      );
    })}
  </div>`;
}

/** @param {{text: string, value: number}[][]} own @param {number[][]} pairs @param {string[]} names @param {number} rows */
function wordChanges(own, pairs, names, rows) {
  /** @param {number[]} pair */
  const change = ([i, j]) => own[1][j].value - own[0][i].value;
  const largest = pairs.slice().sort((p, q) => Math.abs(change(q)) - Math.abs(change(p)));
  return {
    caption: pairs.length
      ? `Largest changes among the ${pairs.length} words that both texts share, in logits`
      : 'The two texts share no word',
    columns: ['Word', ...numeric(...names)],
    rows: largest.slice(0, rows).map((pair) => {
      const [i, j] = pair;
      const numbers = [own[0][i].value, own[1][j].value, Math.fround(change(pair))];
      return [own[0][i].text, ...numbers.map((v) => numeral(v))];
    }),
  };
}
