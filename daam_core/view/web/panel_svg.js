// @ts-check
/**
 * A panel of the page as an SVG drawing: texts, lines and surfaces stay what they are, canvases and pictures
 * become images inside it. Nothing is fetched, so that it works without a network.
 */
import { painterOf } from './heatmap.js';

/** What belongs to the page and not to the figure: things to press, what is only read out or pointed at. */
const LEFT_OUT =
  'button:not(.dv-link, .ds-pairs *), input, audio, .dv-hidden, .dv-tip, .dv-term-tip, .dv-playhead, .dv-scroll-cue';
const EDGES = /** @type {const} */ (['Top', 'Right', 'Bottom', 'Left']);
const DRAWN = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-linejoin',
  'opacity',
  'font-size',
];
const MARGIN = 16;
const SHARP = 3; // pixels of a map for each one on screen

/** @param {string} text */
function escaped(text) {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** @param {number} value */
function px(value) {
  return Number(value.toFixed(2));
}

/** Whether a colour is to be seen at all. @param {string} colour */
function visible(colour) {
  return Boolean(colour) && colour !== 'transparent' && !/rgba\([^)]*, 0\)/.test(colour);
}

/**
 * @param {HTMLElement} body what is drawn
 * @param {string} title
 * @param {string} subtitle
 * @param {{width: number, mm: number}} size width of the layout in pixels, and of the drawing; what does not
 *   fit into the layout makes everything in the drawing smaller, and never the drawing wider
 * @returns {{svg: string, width: number, height: number}} sizes in millimetres
 */
export function panelSvg(body, title, subtitle, { width: least, mm }) {
  const own = body.getBoundingClientRect();
  const style = getComputedStyle(body);
  const pen = new Pen(0, 0, style.fontFamily);
  const [large, small] = [
    { size: 18, weight: '600', step: 24 },
    { size: 13, weight: '400', step: 18 },
  ].map((look) => ({
    ...look,
    family: style.fontFamily,
    style: 'normal',
    colour: style.color,
    anchor: 'start',
  }));
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
  const high = Number(((mm * height) / width).toFixed(3));
  const page = `<rect width="${width}" height="${height}" fill="#ffffff"/>`;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${mm}mm" height="${high}mm" viewBox="0 0 ${width} ${height}">` +
    `<title>${escaped(title)}</title>${page}${pen.parts.join('')}</svg>`;
  return { svg, width: mm, height: high };
}

/** Collects parts of the drawing; what it is given is in the window's coordinates. */
class Pen {
  /** @param {number} left @param {number} top @param {string} family */
  constructor(left, top, family) {
    this.family = family;
    this.left = left;
    this.top = top;
    this.width = 0;
    this.height = 0;
    /** @type {string[]} */
    this.parts = [];
    this.measure = /** @type {CanvasRenderingContext2D} */ (
      document.createElement('canvas').getContext('2d')
    );
  }

  /** A text in lines of at most so many pixels. @param {string} text @param {any} look @param {number} width */
  broken(text, { family, size, weight }, width) {
    this.measure.font = `${weight} ${size}px ${family}`;
    /** @type {string[]} */
    const lines = [];
    for (const word of text.split(' ')) {
      const longer = `${lines.at(-1)} ${word}`;
      if (lines.length && this.measure.measureText(longer).width <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  }

  /** Makes room up to a place. @param {number} right @param {number} bottom */
  reach(right, bottom) {
    this.width = Math.max(this.width, right - this.left);
    this.height = Math.max(this.height, bottom - this.top);
  }

  /** @param {DOMRect} box @param {string} attributes @param {string} [name] */
  box(box, attributes, name = 'rect') {
    this.reach(box.right, box.bottom);
    this.parts.push(
      `<${name} x="${px(box.left - this.left)}" y="${px(box.top - this.top)}" width="${px(box.width)}" ` +
        `height="${px(box.height)}" ${attributes}/>`,
    );
  }

  /** @param {string} href @param {DOMRect} box @param {string} [attributes] */
  image(href, box, attributes = '') {
    this.box(box, `preserveAspectRatio="none" href="${href}" ${attributes}`, 'image');
  }

  /** @param {number[]} ends x1, y1, x2, y2 @param {string} colour @param {string} width @param {string} kind */
  line([x1, y1, x2, y2], colour, width, kind) {
    this.reach(x2, y2);
    const dashes = kind === 'dashed' ? ' stroke-dasharray="4 4"' : '';
    this.parts.push(
      `<path d="M${px(x1 - this.left)} ${px(y1 - this.top)}L${px(x2 - this.left)} ${px(y2 - this.top)}" ` +
        `stroke="${colour}" stroke-width="${width}"${dashes}/>`,
    );
  }

  /** @param {string} text @param {number} x @param {number} y of the baseline @param {any} font */
  text(text, x, y, { family, size, weight, style, colour, anchor, turned = false }) {
    const [left, top] = [px(x - this.left), px(y - this.top)];
    const turn = turned ? ` transform="rotate(-90 ${left} ${top})"` : '';
    this.parts.push(
      `<text x="${left}" y="${top}" font-family="${escaped(family)}" font-size="${size}" font-weight="${weight}" ` +
        `font-style="${style}" fill="${colour}" text-anchor="${anchor}" xml:space="preserve"${turn}>${escaped(text)}</text>`,
    );
  }
}

/** @param {Element} element @param {Pen} pen */
function walk(element, pen) {
  if (element.matches(LEFT_OUT)) return;
  const style = getComputedStyle(element);
  if (style.display === 'none' || style.visibility === 'hidden') return;
  const box = element.getBoundingClientRect();
  if (element instanceof HTMLCanvasElement) {
    if (!box.width || !box.height) return;
    const painted = painterOf(element)?.(SHARP) || element;
    const kind = painted === element ? '' : 'style="image-rendering:pixelated"';
    pen.image(painted.toDataURL(), box, kind);
  } else if (element instanceof HTMLImageElement) {
    if (box.width && element.naturalWidth) pen.image(inside(element), box);
  } else if (element instanceof SVGSVGElement) chart(element, box, pen);
  else {
    surface(element, style, pen);
    for (const child of Array.from(element.childNodes)) {
      if (child instanceof Element) walk(child, pen);
      else if (child instanceof Text && child.data.trim()) words(child, style, pen);
    }
  }
}

/** A picture's address as data: what the page already shows is not fetched again. @param {HTMLImageElement} image */
function inside(image) {
  if (image.src.startsWith('data:')) return image.src;
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: image.naturalWidth, height: image.naturalHeight });
  canvas.getContext('2d')?.drawImage(image, 0, 0);
  return canvas.toDataURL();
}

/** An SVG of the page, with the look that the style sheet gives it. */
function chart(element, box, pen) {
  const copy = element.cloneNode(true);
  const [from, to] = [element, copy].map((one) => Array.from(one.querySelectorAll('*')));
  from.forEach((part, i) => {
    const style = getComputedStyle(part);
    to[i].removeAttribute('class');
    to[i].setAttribute('style', DRAWN.map((name) => `${name}:${style.getPropertyValue(name)}`).join(';'));
  });
  copy.setAttribute('x', String(px(box.left - pen.left)));
  copy.setAttribute('y', String(px(box.top - pen.top)));
  copy.setAttribute('style', `font-family:${pen.family.replace(/"/g, "'")}`);
  pen.reach(box.right, box.bottom);
  pen.parts.push(new XMLSerializer().serializeToString(copy));
}

/** Background and borders. @param {Element} element @param {CSSStyleDeclaration} style @param {Pen} pen */
function surface(element, style, pen) {
  for (const box of element.getClientRects()) {
    if (visible(style.backgroundColor) && box.width && box.height) {
      pen.box(box, `rx="${parseFloat(style.borderTopLeftRadius) || 0}" fill="${style.backgroundColor}"`);
    }
    const { left, top, right, bottom } = box;
    const lines = { Top: [left, top, right, top], Right: [right, top, right, bottom] };
    const ends = { ...lines, Bottom: [left, bottom, right, bottom], Left: [left, top, left, bottom] };
    for (const edge of EDGES) {
      const [width, kind] = [style[`border${edge}Width`], style[`border${edge}Style`]];
      const colour = style[`border${edge}Color`];
      if (parseFloat(width) && kind !== 'none' && visible(colour)) pen.line(ends[edge], colour, width, kind);
    }
  }
}

/** A text, one element for each line that it is broken into. @param {Text} node @param {Pen} pen */
function words(node, style, pen) {
  const turned = style.writingMode === 'vertical-rl';
  const size = parseFloat(style.fontSize);
  const look = { family: style.fontFamily, size, weight: style.fontWeight, style: style.fontStyle };
  const font = { ...look, colour: style.color, anchor: 'start' };
  const range = document.createRange();
  range.selectNodeContents(node);
  if (turned) {
    const box = range.getBoundingClientRect();
    const middle = { ...font, anchor: 'middle', turned };
    pen.text(node.data.trim(), (box.left + box.right) / 2 + size / 3, (box.top + box.bottom) / 2, middle);
    return;
  }
  pen.measure.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
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
