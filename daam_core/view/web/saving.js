// @ts-check
/** A panel as a file: PNG, SVG, PDF or CSV, made on the page itself. */
import { lettersDrawn } from './panel_drawing.js';
import { pdfOf } from './pdf.js';
import { printed } from './printing.js';
import { svgOf } from './svg.js';

/** @typedef {import('./store.js').Store} Store */

const DENSE = 400; // pixels of a picture to the inch …
const MOST_PIXELS = 8000; // … and of a side
const INCH = 25.4; // mm
const PRINT_FAMILY = 'DAAM-Print';

/** @typedef {import('./types.js').Side} Side */

/**
 * What files of a panel are called, without the suffix: classifier, input or study, panel, head.
 * @param {Store} store
 * @param {string} title
 * @param {boolean} [both] results are drawn, whichever of them is shown elsewhere
 * @param {number | null} [head] where the panel is of one alone
 */
export function fileName(store, title, both = false, head = null) {
  if ('names' in store) {
    const { model, study } = /** @type {any} */ (store).names();
    return [model, study, title].map(slug).join('_');
  }
  const sides = sidesOf(store, both).map((side) => store[side].raw);
  const models = Array.from(new Set(sides.map(({ model }) => model)));
  // The app's names of results say which classifier it was.
  const inputs = sides.map(({ name, model, letter }) => {
    const alone = name.replace(` · ${model}`, '');
    return alone || (store.b ? letter : 'input');
  });
  const of = head === null ? [] : [[`head ${head}`]];
  return [models, inputs, [title], ...of].map((some) => slug(some.join(' and '))).join('_');
}

/** @param {Store} store @param {boolean} both @returns {Side[]} */
function sidesOf(store, both) {
  return both && store.b ? ['a', 'b'] : store.sides();
}

/**
 * The same in words, for the drawing itself: inputs, and models that are not named with them already.
 * @param {Store} store
 * @param {{ofClass?: boolean, both?: boolean, head?: number | null}} [drawn] ofClass: with the explained class
 */
export function subtitle(store, { ofClass = false, both = false, head = null } = {}) {
  if ('names' in store) return /** @type {any} */ (store).names().line;
  const sides = sidesOf(store, both);
  // A letter says something only beside the other one.
  const inputs = sides.map((side) => (sides.length > 1 ? store.label(side) : store[side].raw.name));
  const models = Array.from(new Set(sides.map((side) => store[side].raw.model)));
  const apart = models.filter((model) => !inputs.some((name) => name.includes(model)));
  const classes = ofClass ? sides.map((side) => `class “${store[side].explainedClass()}”`) : [];
  const heads = head === null ? [] : [`head ${head}`];
  return [...inputs.filter(Boolean), ...apart, ...new Set(classes), ...heads].join(' · ');
}

/** @param {string} text */
function slug(text) {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '');
}

/** Hands a file to the reader. @param {string} name @param {BlobPart} content @param {string} type */
export function hand(name, content, type) {
  const link = document.createElement('a');
  link.download = name;
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * @param {'png' | 'svg' | 'pdf'} kind
 * @param {HTMLElement} body of the panel
 * @param {string} title
 * @param {string} under the title
 * @returns {Promise<[BlobPart, string]>} content and media type
 */
export async function pictureOf(kind, body, title, under) {
  if (kind === 'pdf') return [await pdfFile(body, title, under), 'application/pdf'];
  const drawing = await printed(body, title, under);
  const svg = svgOf(drawing);
  if (kind === 'svg') return [svg, 'image/svg+xml'];
  const canvas = await painted(svg, ...drawing.mm);
  /** @type {Blob | null} */
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
  if (!blob) throw new Error('no picture');
  return [sizedPng(new Uint8Array(await blob.arrayBuffer()), canvas.width / drawing.mm[0]), 'image/png'];
}

/** Laid out in the letters that the file will carry, which are only loaded where they are needed. */
async function pdfFile(body, title, under) {
  const { FONTS } = await import('./vendor/print_font.js');
  await Promise.all([faceLoaded(FONTS.regular.packed, '400'), faceLoaded(FONTS.bold.packed, '600')]);
  const family = [PRINT_FAMILY, getComputedStyle(body).fontFamily].join(', ');
  const drawing = await printed(body, title, under, family);
  const letters = new Set(FONTS.regular.letters);
  return pdfOf(
    lettersDrawn(drawing, (letter) => letters.has(letter)),
    FONTS,
  );
}

/** Has the page know one of the fonts, once. @param {string} packed @param {string} weight */
async function faceLoaded(packed, weight) {
  for (const face of document.fonts) if (face.family === PRINT_FAMILY && face.weight === weight) return;
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  const face = new FontFace(PRINT_FAMILY, await new Response(stream).arrayBuffer(), { weight });
  document.fonts.add(await face.load());
}

/** An SVG as pixels. @param {string} svg @param {number} width in millimetres @param {number} height */
async function painted(svg, width, height) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const dense = Math.min(DENSE / INCH, MOST_PIXELS / Math.max(width, height)); // to a millimetre
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * A PNG that says how large it is, so that programs place it with the width that was asked for.
 * @param {Uint8Array<ArrayBuffer>} png
 * @param {number} dense pixels to a millimetre
 */
export function sizedPng(png, dense) {
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, 9);
  chunk.set(new TextEncoder().encode('pHYs'), 4);
  for (const at of [8, 12]) view.setUint32(at, Math.round(1000 * dense)); // to a metre, both ways
  chunk[16] = 1;
  let sum = 0xffffffff; // CRC-32 of type and data
  for (const byte of chunk.subarray(4, 17)) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  view.setUint32(17, ~sum);
  const head = 33; // signature and first chunk, behind which it belongs
  return new Blob([png.subarray(0, head), chunk, png.subarray(head)], { type: 'image/png' });
}
