// @ts-check
/** A panel as a file: PNG, SVG, PDF or CSV, made on the page itself. */
import { printed } from './printing.js';

/** @typedef {import('./store.js').Store} Store */

const DENSE = 400; // pixels of a picture to the inch …
const MOST_PIXELS = 8000; // … and of a side
const INCH = 25.4; // mm

/** @typedef {import('./types.js').Side} Side */

/**
 * What files of a panel are called, without the suffix: classifier, input or study, panel.
 * @param {Store} store
 * @param {string} title
 * @param {boolean} [both] results are drawn, whichever of them is shown elsewhere
 */
export function fileName(store, title, both = false) {
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
  return [models, inputs, [title]].map((some) => slug(some.join(' and '))).join('_');
}

/** @param {Store} store @param {boolean} both @returns {Side[]} */
function sidesOf(store, both) {
  return both && store.b ? ['a', 'b'] : store.sides();
}

/**
 * The same in words, for the drawing itself: inputs, and models that are not named with them already.
 * @param {Store} store
 * @param {{ofClass?: boolean, both?: boolean}} [drawn] ofClass: with the explained class
 */
export function subtitle(store, { ofClass = false, both = false } = {}) {
  if ('names' in store) return /** @type {any} */ (store).names().line;
  const sides = sidesOf(store, both);
  // A letter says something only beside the other one.
  const inputs = sides.map((side) => (sides.length > 1 ? store.label(side) : store[side].raw.name));
  const models = Array.from(new Set(sides.map((side) => store[side].raw.model)));
  const apart = models.filter((model) => !inputs.some((name) => name.includes(model)));
  const classes = ofClass ? sides.map((side) => `class “${store[side].explainedClass()}”`) : [];
  return [...inputs.filter(Boolean), ...apart, ...new Set(classes)].join(' · ');
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
  const { svg, width, height } = await printed(body, title, under);
  if (kind === 'svg') return [svg, 'image/svg+xml'];
  const canvas = await painted(svg, width, height);
  if (kind === 'png') {
    /** @type {Blob | null} */
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
    if (!blob) throw new Error('no picture');
    return [sizedPng(new Uint8Array(await blob.arrayBuffer()), canvas.width / width), 'image/png'];
  }
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  return [await pdfOf(data, canvas.width, canvas.height, width), 'application/pdf'];
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

/**
 * One page that holds a picture without loss.
 * @param {ArrayLike<number>} rgba
 * @param {number} columns of pixels
 * @param {number} rows
 * @param {number} width in millimetres
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function pdfOf(rgba, columns, rows, width) {
  const rgb = new Uint8Array(columns * rows * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    for (let i = 0; i < 3; i += 1) rgb[to + i] = rgba[from + i];
  }
  const packed = await new Response(
    new Blob([rgb]).stream().pipeThrough(new CompressionStream('deflate')),
  ).arrayBuffer();
  const across = ((width * 72) / INCH).toFixed(2);
  const down = ((width * 72 * rows) / (INCH * columns)).toFixed(2);
  const drawn = `q ${across} 0 0 ${down} 0 0 cm /P Do Q`;
  const image = `/Type /XObject /Subtype /Image /Width ${columns} /Height ${rows} /ColorSpace /DeviceRGB`;
  /** @type {[string, (string | ArrayBuffer)?][]} dictionary and stream of each object */
  const objects = [
    ['/Type /Catalog /Pages 2 0 R'],
    ['/Type /Pages /Kids [3 0 R] /Count 1'],
    [
      `/Type /Page /Parent 2 0 R /MediaBox [0 0 ${across} ${down}] /Contents 4 0 R ` +
        '/Resources << /XObject << /P 5 0 R >> >>',
    ],
    [`/Length ${drawn.length}`, drawn],
    [`${image} /BitsPerComponent 8 /Filter /FlateDecode /Length ${packed.byteLength}`, packed],
  ];
  /** @type {(string | ArrayBuffer)[]} */
  const parts = ['%PDF-1.4\n'];
  let at = 9; // bytes so far
  /** @param {(string | ArrayBuffer)[]} more */
  const add = (...more) => {
    for (const part of more) at += typeof part === 'string' ? part.length : part.byteLength;
    parts.push(...more);
  };
  const places = objects.map(([dictionary, stream], i) => {
    const place = at;
    add(`${i + 1} 0 obj\n<< ${dictionary} >>\n`);
    if (stream !== undefined) add('stream\n', stream, '\nendstream\n');
    add('endobj\n');
    return `${String(place).padStart(10, '0')} 00000 n \n`;
  });
  const table = `xref\n0 6\n0000000000 65535 f \n${places.join('')}`;
  add(`${table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${at}\n%%EOF\n`);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
