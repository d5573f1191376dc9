// @ts-check
/**
 * A panel of the page as a drawing: texts, lines and surfaces stay what they are, canvases and pictures are
 * pixels in it. Nothing is fetched, so that it works without a network.
 */
import { painterOf } from './heatmap.js';

/**
 * @typedef {[string, ...number[]][]} Steps of a path: M, L, C and Z with absolute places
 * @typedef {{fill: string, stroke: string, thick: number, dashes: number[], opacity: number}} Look
 * @typedef {{kind: 'path', steps: Steps} & Look} Path
 * @typedef {{family: string, size: number, weight: string, style: string, colour: string}} Font
 * @typedef {{kind: 'text', text: string, x: number, y: number, width: number, anchor: string, turned: boolean}
 *   & Font} Words y is of the baseline; turned: they are read upwards
 * @typedef {{kind: 'image', canvas: HTMLCanvasElement, x: number, y: number, width: number, height: number,
 *   sharp: boolean, turned?: boolean, says?: string}} Pixels x and y are of the corner where reading begins;
 *   sharp: cells keep their edges; says: letters that are drawn so
 * @typedef {Path | Words | Pixels} Shape
 * @typedef {{title: string, width: number, height: number, mm: [number, number], shapes: Shape[]}} Drawing
 *   sizes and places in pixels of the layout, and the size in millimetres
 */

/** What belongs to the page and not to the figure: things to press, what is only read out or pointed at. */
const LEFT_OUT =
  'button:not(.dv-link, .ds-pairs *), input, audio, .dv-hidden, .dv-tip, .dv-term-tip, .dv-playhead, .dv-scroll-cue';
const EDGES = /** @type {const} */ (['Top', 'Right', 'Bottom', 'Left']);
const MARGIN = 16;
const TALLEST = 257; // mm: the height of A4 between margins of 20 …
const LEAST = 5 / 7; // … for which a figure becomes smaller, until its letters of 7 points have 5
const SHARP = 3; // pixels of a map for each one on screen

const ROUND = 0.5523; // of a quarter of a circle as a curve: how far its handles reach
const DRAWN_LETTERS = 6; // pixels of letters drawn as a picture for each one on screen

/** Whether a colour is to be seen at all. @param {string} colour */
function visible(colour) {
  return Boolean(colour) && colour !== 'transparent' && !/rgba\([^)]*, 0\)/.test(colour);
}

/**
 * @param {HTMLElement} body what is drawn
 * @param {string} title
 * @param {string} subtitle
 * @param {{width: number, mm: number}} size width of the layout in pixels, and of the drawing; what does not
 *   fit into the layout, or not onto a page, makes everything in the drawing smaller, and never the drawing wider
 * @returns {Drawing}
 */
export function panelDrawing(body, title, subtitle, { width: least, mm }) {
  const own = body.getBoundingClientRect();
  const style = getComputedStyle(body);
  const pen = new Pen();
  const [large, small] = [
    { size: 18, weight: '600', step: 24 },
    { size: 13, weight: '400', step: 18 },
  ].map((look) => ({ ...look, family: style.fontFamily, style: 'normal', colour: style.color }));
  const lines = [
    ...pen.broken(title, large, least - 2 * MARGIN).map((text) => ({ text, look: large })),
    ...pen.broken(subtitle, small, least - 2 * MARGIN).map((text) => ({ text, look: small })),
  ];
  const above = lines.reduce((sum, { look }) => sum + look.step, 0) + MARGIN / 2;
  pen.left = own.left - MARGIN;
  pen.top = own.top - MARGIN - above;
  let down = own.top - above;
  for (const { text, look } of lines) {
    pen.text(text, own.left, down + look.size, look);
    down += look.step;
  }
  walk(body, pen);
  const width = Math.max(least, Math.ceil(pen.width + MARGIN));
  const height = Math.ceil(pen.height + MARGIN);
  const fit = Math.min(1, Math.max(LEAST, (TALLEST * width) / (mm * height)));
  const [wide, high] = [mm * fit, (mm * fit * height) / width].map((size) => Number(size.toFixed(3)));
  return { title, width, height, mm: [wide, high], shapes: pen.shapes };
}

/** Collects shapes; what it is given is in the window's coordinates. */
class Pen {
  constructor() {
    this.left = 0;
    this.top = 0;
    this.width = 0;
    this.height = 0;
    /** @type {Shape[]} */
    this.shapes = [];
    this.measure = /** @type {CanvasRenderingContext2D} */ (
      document.createElement('canvas').getContext('2d')
    );
  }

  /** How wide a text is. @param {string} text @param {Font} font */
  long(text, font) {
    this.measure.font = written(font);
    return this.measure.measureText(text).width;
  }

  /** A text in lines of at most so many pixels. @param {string} text @param {Font} font @param {number} width */
  broken(text, font, width) {
    /** @type {string[]} */
    const lines = [];
    for (const word of text.split(' ')) {
      const longer = `${lines.at(-1)} ${word}`;
      if (lines.length && this.long(longer, font) <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  }

  /** Makes room up to a place. @param {number} right @param {number} bottom */
  reach(right, bottom) {
    this.width = Math.max(this.width, right - this.left);
    this.height = Math.max(this.height, bottom - this.top);
  }

  /** @param {HTMLCanvasElement} canvas @param {DOMRect} box @param {boolean} sharp */
  image(canvas, { left, top, right, bottom, width, height }, sharp) {
    this.reach(right, bottom);
    this.shapes.push({ kind: 'image', canvas, x: left - this.left, y: top - this.top, width, height, sharp });
  }

  /** @param {Steps} steps @param {Partial<Look>} look */
  path(steps, look) {
    const moved = steps.map(([name, ...places]) => [
      name,
      ...places.map((place, i) => place - (i % 2 ? this.top : this.left)),
    ]);
    const plain = { fill: 'none', stroke: 'none', thick: 1, dashes: [], opacity: 1 };
    this.shapes.push({ kind: 'path', steps: /** @type {Steps} */ (moved), ...plain, ...look });
  }

  /**
   * @param {string} text
   * @param {number} x
   * @param {number} y of the baseline
   * @param {Font} font
   * @param {{anchor?: string, turned?: boolean}} [how]
   */
  text(text, x, y, { family, size, weight, style, colour }, { anchor = 'start', turned = false } = {}) {
    const font = { family, size, weight, style, colour };
    const place = { x: x - this.left, y: y - this.top, width: this.long(text, font) };
    this.shapes.push({ kind: 'text', text, ...place, ...font, anchor, turned });
  }
}

/** As a style sheet writes it. @param {Font} font */
function written({ style, weight, size, family }) {
  return `${style} ${weight} ${size}px ${family}`;
}

/** A rectangle with round corners. @returns {Steps} */
function rectangle(x, y, width, height, radius = 0) {
  const [right, bottom] = [x + width, y + height];
  const r = Math.min(radius, width / 2, height / 2);
  if (!r) return [['M', x, y], ['L', right, y], ['L', right, bottom], ['L', x, bottom], ['Z']];
  const h = r * (1 - ROUND); // from a corner to a handle
  return [
    ['M', x + r, y],
    ['L', right - r, y],
    ['C', right - h, y, right, y + h, right, y + r],
    ['L', right, bottom - r],
    ['C', right, bottom - h, right - h, bottom, right - r, bottom],
    ['L', x + r, bottom],
    ['C', x + h, bottom, x, bottom - h, x, bottom - r],
    ['L', x, y + r],
    ['C', x, y + h, x + h, y, x + r, y],
    ['Z'],
  ];
}

/** @param {Element} element @param {Pen} pen */
function walk(element, pen) {
  if (element.matches(LEFT_OUT)) return;
  const style = getComputedStyle(element);
  if (style.display === 'none' || style.visibility === 'hidden') return;
  const box = element.getBoundingClientRect();
  if (element instanceof HTMLCanvasElement) {
    if (!box.width || !box.height) return;
    const painted = painterOf(element)?.(SHARP);
    pen.image(painted || element, box, Boolean(painted));
  } else if (element instanceof HTMLImageElement) {
    if (box.width && element.naturalWidth) pen.image(inside(element), box, false);
  } else if (element instanceof SVGSVGElement) {
    pen.reach(box.right, box.bottom);
    for (const part of element.querySelectorAll('line, rect, circle, path, text')) mark(part, pen);
  } else {
    surface(element, style, pen);
    for (const child of Array.from(element.childNodes)) {
      if (child instanceof Element) walk(child, pen);
      else if (child instanceof Text && child.data.trim()) words(child, style, pen);
    }
  }
}

/** What the page already shows is not fetched again, and is as grey as it is there. @param {HTMLImageElement} image */
function inside(image) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: image.naturalWidth, height: image.naturalHeight });
  const pen = canvas.getContext('2d');
  if (pen) Object.assign(pen, { filter: getComputedStyle(image).filter }).drawImage(image, 0, 0);
  return canvas;
}

/** A part of a chart, with the look that the style sheet gives it. @param {any} part @param {Pen} pen */
function mark(part, pen) {
  const style = getComputedStyle(part);
  const m = part.getScreenCTM();
  /** @param {number} x @param {number} y */
  const at = (x, y) => [m.a * x + m.c * y + m.e, m.b * x + m.d * y + m.f];
  /** @param {string[]} names */
  const own = (...names) => names.map((name) => Number(part.getAttribute(name)) || 0);
  if (part.localName === 'text') {
    const { fontFamily: family, fontWeight: weight, fontStyle } = style;
    const font = { family, size: parseFloat(style.fontSize), weight, style: fontStyle, colour: style.fill };
    const how = { anchor: style.textAnchor, turned: m.b < 0 };
    const [x, y] = own('x', 'y');
    const [left, top] = at(x, y);
    pen.text(part.textContent.trim(), left, top, font, how);
    return;
  }
  /** @type {Record<string, () => Steps>} */
  const steps = {
    line: () => [
      ['M', ...own('x1', 'y1')],
      ['L', ...own('x2', 'y2')],
    ],
    rect: () => {
      const [x, y, width, height, radius] = own('x', 'y', 'width', 'height', 'rx');
      return rectangle(x, y, width, height, radius);
    },
    circle: () => {
      const [x, y, r] = own('cx', 'cy', 'r');
      return rectangle(x - r, y - r, 2 * r, 2 * r, r);
    },
    path: () =>
      Array.from(part.getAttribute('d').matchAll(/([MLZ])([^MLZ]*)/g), ([, name, places]) => [
        name,
        ...(places.match(/-?[\d.]+(?:e-?\d+)?/g) || []).map(Number),
      ]),
  };
  const placed = steps[part.localName]().map(([name, ...places]) => [
    name,
    ...places.flatMap((x, i) => (i % 2 ? [] : at(x, places[i + 1]))),
  ]);
  pen.path(/** @type {Steps} */ (placed), {
    fill: style.fill,
    stroke: style.stroke,
    thick: parseFloat(style.strokeWidth),
    dashes: (style.strokeDasharray.match(/[\d.]+/g) || []).map(Number),
    opacity: Number(style.opacity),
  });
}

/** Background and borders. @param {Element} element @param {CSSStyleDeclaration} style @param {Pen} pen */
function surface(element, style, pen) {
  for (const { left, top, right, bottom, width, height } of element.getClientRects()) {
    if (visible(style.backgroundColor) && width && height) {
      pen.reach(right, bottom);
      const radius = parseFloat(style.borderTopLeftRadius) || 0;
      pen.path(rectangle(left, top, width, height, radius), { fill: style.backgroundColor });
    }
    const lines = { Top: [left, top, right, top], Right: [right, top, right, bottom] };
    const ends = { ...lines, Bottom: [left, bottom, right, bottom], Left: [left, top, left, bottom] };
    for (const edge of EDGES) {
      const [thick, kind] = [parseFloat(style[`border${edge}Width`]), style[`border${edge}Style`]];
      const stroke = style[`border${edge}Color`];
      if (!thick || kind === 'none' || !visible(stroke)) continue;
      const [x1, y1, x2, y2] = ends[edge];
      pen.reach(x2, y2);
      const line = /** @type {Steps} */ ([
        ['M', x1, y1],
        ['L', x2, y2],
      ]);
      pen.path(line, { stroke, thick, dashes: kind === 'dashed' ? [4, 4] : [] });
    }
  }
}

/** A text, one for each line that it is broken into. @param {Text} node @param {Pen} pen */
function words(node, style, pen) {
  const size = parseFloat(style.fontSize);
  const look = { family: style.fontFamily, size, weight: style.fontWeight, style: style.fontStyle };
  const font = { ...look, colour: style.color };
  const range = document.createRange();
  range.selectNodeContents(node);
  if (style.writingMode === 'vertical-rl') {
    const box = range.getBoundingClientRect();
    const middle = { anchor: 'middle', turned: true };
    pen.text(
      node.data.trim(),
      (box.left + box.right) / 2 + size / 3,
      (box.top + box.bottom) / 2,
      font,
      middle,
    );
    return;
  }
  pen.measure.font = written(font);
  const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = pen.measure.measureText('x');
  /** @type {{text: string, box: DOMRect} | null} */
  let line = null;
  const end = () => {
    if (!line?.text.trim()) return;
    const baseline = line.box.top + (line.box.height * up) / (up + down);
    pen.text(line.text.trimEnd(), line.box.left, baseline, font);
  };
  for (const { 0: part, index } of node.data.matchAll(/\s+|\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + part.length);
    const box = range.getBoundingClientRect();
    const shown = style.whiteSpace.startsWith('pre') ? part : part.replace(/\s+/, ' ');
    if (!box.width) continue;
    pen.reach(box.right, box.bottom);
    if (line && Math.abs(line.box.top - box.top) < 2) line.text += shown;
    else {
      end();
      line = part.trim() ? { text: shown, box } : null;
    }
  }
  end();
}

/**
 * The same drawing for a font that has not every letter: what it lacks becomes a picture that says the letters.
 * @param {Drawing} drawing
 * @param {(letter: string) => boolean} has
 * @returns {Drawing}
 */
export function lettersDrawn(drawing, has) {
  const pen = new Pen();
  const shapes = drawing.shapes.flatMap((shape) =>
    shape.kind === 'text' && Array.from(shape.text).some((letter) => !has(letter))
      ? pieces(shape, pen, has)
      : [shape],
  );
  return { ...drawing, shapes };
}

/**
 * A text in runs of letters that the font has, and pictures of the others.
 * @param {Words} words
 * @param {Pen} pen
 * @param {(letter: string) => boolean} has
 * @returns {Shape[]}
 */
function pieces(words, pen, has) {
  const { anchor, turned, size, width: whole } = words;
  /** @type {{text: string, known: boolean}[]} */
  const runs = [];
  for (const { segment } of new Intl.Segmenter().segment(words.text)) {
    const known = Array.from(segment).every(has);
    const before = runs.at(-1);
    if (before?.known === known) before.text += segment;
    else runs.push({ text: segment, known });
  }
  let along = { start: 0, middle: -whole / 2, end: -whole }[anchor] ?? 0;
  /** @type {(run: {text: string, known: boolean}) => Shape[]} */
  const drawn = ({ text, known }) => {
    const width = pen.long(text, words);
    const [x, y] = turned ? [words.x, words.y - along] : [words.x + along, words.y];
    along += width;
    if (known) return [{ ...words, text, x, y, width, anchor: 'start' }];
    if (!text.trim()) return []; // wider or narrower spaces
    const canvas = document.createElement('canvas');
    canvas.width = Math.ceil(width * DRAWN_LETTERS);
    canvas.height = Math.ceil(1.5 * size * DRAWN_LETTERS);
    const ink = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    ink.scale(DRAWN_LETTERS, DRAWN_LETTERS);
    ink.font = written(words);
    ink.fillStyle = words.colour;
    ink.fillText(text, 0, 1.1 * size);
    const corner = turned ? { x: x - 1.1 * size, y } : { x, y: y - 1.1 * size };
    const place = { ...corner, width: canvas.width / DRAWN_LETTERS, height: canvas.height / DRAWN_LETTERS };
    return [{ kind: 'image', canvas, ...place, turned, says: text, sharp: false }];
  };
  return runs.flatMap(drawn);
}
