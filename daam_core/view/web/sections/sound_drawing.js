// @ts-check
/** How a sound is drawn: waveform on colours, mel spectrogram, and the curve of the shares. */
import { bounds, bytes } from '../arrays.js';
import { css, palette } from '../colour.js';

/**
 * @typedef {{
 *   sound: {media: any, tokens: {start: number, end: number, value: number}[]},
 *   scale: import('../colour.js').Scale, from: number, to: number, width: number, dark: boolean,
 * }} Shown `from` and `to` in seconds
 */

/** Decoded pictures and envelopes by their media. @type {WeakMap<object, any>} */
const decoded = new WeakMap();

/** @template T @param {object} media @param {() => T} compute @returns {T} */
function once(media, compute) {
  if (!decoded.has(media)) decoded.set(media, compute());
  return decoded.get(media);
}

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height in CSS pixels */
function prepared(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
}

/**
 * Value of largest size among the tokens under each column of pixels, NaN where there is none.
 * @param {Shown} shown
 * @param {number} columns
 */
function columnValues({ sound, from, to }, columns) {
  const out = new Float32Array(columns).fill(NaN);
  const column = (s) => Math.floor(((s - from) / (to - from)) * columns);
  for (const { start, end, value } of sound.tokens) {
    if (end <= from || start >= to) continue;
    const first = Math.max(0, column(start));
    const last = Math.min(columns, Math.max(first + 1, column(end)));
    for (let i = first; i < last; i += 1) if (!(Math.abs(out[i]) >= Math.abs(value))) out[i] = value;
  }
  return out;
}

/** @param {HTMLCanvasElement} canvas @param {Shown} shown */
export function drawWave(canvas, shown) {
  const { media } = shown.sound;
  const pen = prepared(canvas, shown.width, media ? 88 : 40);
  columnValues(shown, canvas.width).forEach((value, i) => {
    if (Number.isNaN(value)) return;
    pen.fillStyle = css(shown.scale.colour(value));
    pen.fillRect(i, 0, 1, canvas.height);
  });
  if (!media?.envelope) return;
  const { count, peak } = media.envelope;
  const raw = once(media.envelope, () => new Int8Array(bytes(media.envelope.data).buffer));
  const middle = canvas.height / 2;
  const gain = peak > 0 ? (middle * 0.92) / 127 : 0;
  const perSecond = count / media.duration;
  const begin = shown.from * perSecond;
  const factor = ((shown.to - shown.from) * perSecond) / canvas.width;
  pen.fillStyle = shown.dark ? 'rgba(236, 239, 243, 0.8)' : 'rgba(20, 20, 24, 0.72)';
  for (let i = 0; i < canvas.width; i += 1) {
    const first = Math.floor(begin + i * factor);
    const last = Math.max(first + 1, Math.floor(begin + (i + 1) * factor));
    let [low, high] = [127, -127];
    for (let n = first; n < last && n < count; n += 1) {
      low = Math.min(low, raw[2 * n]);
      high = Math.max(high, raw[2 * n + 1]);
    }
    if (low <= high) pen.fillRect(i, middle - high * gain, 1, Math.max(1, (high - low) * gain));
  }
}

/**
 * The mel spectrogram on a canvas of one pixel per frame and band; silence is like the page, light or dark.
 * @param {{bands: number, frames: number, data: any}} mel
 * @param {boolean} dark
 */
function melPicture({ bands, frames, data }, dark) {
  const raw = bytes(data);
  const table = palette('grey');
  const canvas = document.createElement('canvas');
  canvas.width = frames;
  canvas.height = bands;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const picture = pen.createImageData(frames, bands);
  for (let b = 0; b < bands; b += 1) {
    for (let f = 0; f < frames; f += 1) {
      const loud = raw[b * frames + f];
      picture.data.set([...table[dark ? loud : 255 - loud], 255], 4 * ((bands - 1 - b) * frames + f));
    }
  }
  pen.putImageData(picture, 0, 0);
  return canvas;
}

/** @param {HTMLCanvasElement} canvas @param {Shown} shown */
export function drawMel(canvas, { sound, from, to, width, dark }) {
  const { mel, duration } = sound.media;
  const pen = prepared(canvas, width, 112);
  pen.imageSmoothingEnabled = true;
  const x = (s) => ((s - from) / (to - from)) * canvas.width;
  const pictures = once(mel, () => new Map());
  if (!pictures.has(dark)) pictures.set(dark, melPicture(mel, dark));
  // From the middles of the outermost frames and bands: beyond them smoothing would fade into nothing.
  const { width: frames, height: bands } = pictures.get(dark);
  const inner = /** @type {const} */ ([0.5, 0.5, frames - 1, bands - 1]);
  pen.drawImage(pictures.get(dark), ...inner, x(0), 0, x(duration) - x(0), canvas.height);
}

/**
 * Lowest and highest number of the curve, which always shows 0.
 * @param {{value: number}[]} tokens
 * @param {boolean} absolute
 */
export function curveBounds(tokens, absolute) {
  return bounds([0, ...tokens.map(({ value }) => (absolute ? Math.abs(value) : value))]);
}

/** @param {HTMLCanvasElement} canvas @param {Shown & {absolute: boolean}} shown */
export function drawCurve(canvas, { sound, from, to, width, absolute }) {
  const pen = prepared(canvas, width, 96);
  const style = getComputedStyle(canvas);
  const points = sound.tokens.map(({ start, end, value }) => ({
    start,
    end,
    value: absolute ? Math.abs(value) : value,
  }));
  const [low, high] = curveBounds(sound.tokens, absolute);
  const x = (s) => ((s - from) / (to - from)) * canvas.width;
  const y = (v) => canvas.height - 2 - ((v - low) / (high - low || 1)) * (canvas.height - 4);
  pen.strokeStyle = style.getPropertyValue('--dv-line');
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(0, y(0));
  pen.lineTo(canvas.width, y(0));
  pen.stroke();
  pen.strokeStyle = style.getPropertyValue('--dv-text');
  pen.lineWidth = 1.25 * (window.devicePixelRatio || 1);
  pen.beginPath();
  points.forEach(({ start, end, value }, i) => {
    if (i) pen.lineTo(x(start), y(value));
    else pen.moveTo(x(start), y(value));
    pen.lineTo(x(end), y(value));
  });
  pen.stroke();
}
