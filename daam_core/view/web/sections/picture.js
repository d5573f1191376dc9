// @ts-check
/** Importance on the regions of a picture. */
import { css } from '../colour.js';
import { html, useLayoutEffect, useRef, useState, useStore, useWidth } from '../html.js';
import { attribution, placedTokens, spanOf, tokenText } from './tokens.js';

/** @typedef {import('./tokens.js').Shown} Shown */

const ROOM_FOR_BOTH = 720; // CSS pixels in which the picture stands alone beside the coloured one, too

/**
 * The region in a direction that is nearest, sideways distance counting three times.
 * @param {Shown} result
 * @param {number} current
 * @param {number[]} way
 */
export function neighbour(result, current, [dx, dy]) {
  /** @param {number} t */
  const middle = (t) => {
    const [left, top, right, bottom] = spanOf(result, t);
    return [(left + right) / 2, (top + bottom) / 2];
  };
  const [cx, cy] = middle(current);
  let [best, least] = [current, Infinity];
  for (const t of placedTokens(result)) {
    const [x, y] = middle(t);
    const along = (x - cx) * dx + (y - cy) * dy;
    const aside = Math.abs((x - cx) * dy) + Math.abs((y - cy) * dx);
    if (along > 1e-6 && along + 3 * aside < least) {
      least = along + 3 * aside;
      best = t;
    }
  }
  return best;
}

export function PicturePanel({ result, tokenHead, scale, label }) {
  const { opacity } = useStore().state;
  const media = result.raw.media?.image || null;
  const values = attribution(result, tokenHead);
  const tokens = placedTokens(result);
  const [current, setCurrent] = useState(-1);
  const [said, setSaid] = useState('Point at a region, or move with the arrow keys, to read its number.');
  const [spoken, setSpoken] = useState('');
  const frame = useRef(null);
  const overlay = useRef(null);
  const width = useWidth(frame);
  const room = useRef(null);
  const beside = useWidth(room) >= ROOM_FOR_BOTH;
  useLayoutEffect(() => {
    if (width) draw(frame.current, overlay.current, { result, tokens, values, scale, opacity, current });
  });
  /** @param {number} t @param {boolean} speak */
  const show = (t, speak = false) => {
    setCurrent(t);
    if (t < 0) return;
    setSaid(tokenText(result, values, t));
    if (speak) setSpoken(tokenText(result, values, t));
  };
  const point = (e) => {
    const box = e.currentTarget.getBoundingClientRect();
    const [x, y] = [(e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height];
    const found = tokens.find((t) => {
      const [left, top, right, bottom] = spanOf(result, t);
      return x >= left && x < right && y >= top && y < bottom;
    });
    show(found ?? -1);
  };
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    /** @type {Record<string, number[]>} */
    const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
    if (!ways[e.key] || !tokens.length) return;
    e.preventDefault();
    show(current < 0 ? tokens[0] : neighbour(result, current, ways[e.key]), true);
  };
  const ratio = media ? media.width / media.height : 1;
  const size = { aspectRatio: String(ratio), maxWidth: `${Math.round(Math.min(880, 560 * ratio))}px` };
  return html`<div class="dv-stack">
   <div class="dv-beside" ref=${room}>
    <div
      ref=${frame}
      class="dv-picture-frame"
      style=${size}
    >
      ${
        media
          ? html`<img src=${media.url} alt="${label}: the explained picture" class="dv-picture ${beside ? 'dv-grey' : ''}" />`
          : html`<div class="dv-picture dv-no-picture"></div>`
      }
      <canvas
        ref=${overlay}
        class="dv-picture-overlay"
        tabindex="0"
        role="application"
        aria-roledescription="map over the picture"
        aria-label="${label}: regions coloured by how far they speak for the explained class. Arrow keys go from region to region."
        onPointerMove=${point}
        onPointerLeave=${() => show(-1)}
        onBlur=${() => show(-1)}
        onKeyDown=${key}
      ></canvas>
    </div>
    ${media && beside && html`<img src=${media.url} alt="${label}: the picture alone" class="dv-original" style=${size} />`}
    </div>
    <p class="dv-note dv-number dv-said">${said}</p>
    <div class="dv-hidden" aria-live="polite">${spoken}</div>
  </div>`;
}

/** @param {HTMLElement} frame @param {HTMLCanvasElement} overlay */
function draw(frame, overlay, { result, tokens, values, scale, opacity, current }) {
  const pixels = window.devicePixelRatio || 1;
  overlay.width = Math.round(frame.clientWidth * pixels);
  overlay.height = Math.round(frame.clientHeight * pixels);
  const pen = /** @type {CanvasRenderingContext2D} */ (overlay.getContext('2d'));
  /** @param {number} t @returns {[number, number, number, number]} */
  const box = (t) => {
    const [left, top, right, bottom] = spanOf(result, t);
    const [x, y] = [Math.round(left * overlay.width), Math.round(top * overlay.height)];
    return [x, y, Math.round(right * overlay.width) - x, Math.round(bottom * overlay.height) - y];
  };
  const most = scale.limits[1] || 1;
  for (const t of tokens) {
    // Signed colours fade towards zero, so that unimportant regions leave the picture as it is.
    pen.globalAlpha = opacity * (scale.signed ? Math.min(1, Math.abs(values[t]) / most) : 1);
    pen.fillStyle = css(scale.signed ? scale.table[values[t] < 0 ? 0 : 255] : scale.colour(values[t]));
    pen.fillRect(...box(t));
  }
  pen.globalAlpha = 1;
  if (current < 0) return;
  for (const [wide, colour] of /** @type {const} */ ([
    [4, '#000'],
    [2, '#fff'],
  ])) {
    pen.lineWidth = wide * pixels;
    pen.strokeStyle = colour;
    pen.strokeRect(...box(current));
  }
}
