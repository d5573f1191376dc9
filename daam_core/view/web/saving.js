// @ts-check
/** A panel as a file: PNG, SVG, PDF or CSV, made on the page itself. */
import { panelSvg } from './panel_svg.js';

/** @typedef {import('./store.js').Store} Store */

const DENSE = 3; // pixels of a picture for each one on screen: 288 to the inch
const MOST_PIXELS = 8000; // of a side

/**
 * What is shown: inputs, and models that are not named with them already.
 * @param {Store} store
 * @param {(side: import('./types.js').Side) => string} input
 */
function inputsAndModels(store, input) {
  const sides = store.sides();
  const inputs = sides.map(input).filter(Boolean);
  const models = new Set(sides.map((side) => store[side].raw.model));
  return [inputs, Array.from(models).filter((model) => !inputs.some((name) => name.includes(model)))];
}

/** What files of a panel are called, without the suffix: input, model and chart. @param {Store} store @param {string} title */
export function fileName(store, title) {
  const named = inputsAndModels(store, (side) => {
    const { name, letter } = store[side].raw;
    return name || (store.b ? letter : 'input');
  });
  return [...named.map((some) => some.join(' and ')), title].map(slug).filter(Boolean).join('_');
}

/** The same in words, for the drawing itself, with the explained class. @param {Store} store */
export function subtitle(store) {
  const named = inputsAndModels(store, (side) => (store.b ? store.label(side) : store[side].raw.name));
  const classes = store.sides().map((side) => `class “${store[side].explainedClass()}”`);
  return [...named.flat(), ...new Set(classes)].join(' · ');
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
  const { svg, width, height } = panelSvg(body, title, under);
  if (kind === 'svg') return [svg, 'image/svg+xml'];
  const canvas = await painted(svg, width, height);
  if (kind === 'png') {
    /** @type {Blob | null} */
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
    if (!blob) throw new Error('no picture');
    return [blob, 'image/png'];
  }
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  return [await pdfOf(data, canvas.width, canvas.height, width), 'application/pdf'];
}

/** An SVG as pixels. @param {string} svg @param {number} width @param {number} height */
async function painted(svg, width, height) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const dense = Math.min(DENSE, MOST_PIXELS / Math.max(width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * One page that holds a picture without loss.
 * @param {ArrayLike<number>} rgba
 * @param {number} columns of pixels
 * @param {number} rows
 * @param {number} width in CSS pixels, of which 96 are an inch
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
  const across = ((width * 72) / 96).toFixed(2);
  const down = ((width * 72 * rows) / (96 * columns)).toFixed(2);
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
