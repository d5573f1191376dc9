// @ts-check
/** A map on a canvas, with zoom, pan, hover, selection and a cell cursor for the keyboard. */
import { range, top } from './arrays.js';
import { onlySeen } from './fields.js';
import * as format from './format.js';
import { onWidth, wheelFactor, wheelZooms } from './html.js';
import { soon } from './pieces.js';

/**
 * @typedef {import('./types.js').Field} Field
 * @typedef {import('./types.js').Zoom} Zoom
 * @typedef {{row: number, column: number}} Place a cell
 * @typedef {Place & {number: number}} Pinned a cell with the number it has in the list
 * @typedef {{x: number, y: number}} Point in CSS pixels
 *
 * @typedef {{
 *   field: Field, scale: import('./colour.js').Scale, zoom: Zoom | null, binning: 'max' | 'mean', dark: boolean,
 *   marks: {hover: Place | null, cell: Place | null, pins?: Pinned[]}, height: (rows: number, width: number) => number,
 *   rowNames?: string[], axes: string[], onHover?: (cell: Place | null) => void,
 *   onSelect?: (cell: Place) => void, onZoom?: (zoom: Zoom | null) => void,
 *   onDraw?: (map: HeatMap) => void, describe?: (row: number, column: number) => string,
 * }} Shown what a map shows and whom it tells; axes names a row and a column, describe gives the text read out
 */

const MIN_COLUMNS = 4; // as far as one can zoom in
const MIN_ROWS = 2;

/** @type {WeakMap<HTMLCanvasElement, (ratio: number) => HTMLCanvasElement>} */
const painters = new WeakMap();

/** How the map on a canvas is drawn with so many times the pixels; nothing where it holds no map. */
export function painterOf(canvas) {
  return painters.get(canvas);
}

/** First and one past the last index that pixel `i` of `n` covers on an axis from `start` to `end`. */
function span(i, n, start, end, size) {
  const step = (end - start) / n;
  const first = Math.min(size - 1, Math.max(0, Math.floor(start + i * step + 1e-9)));
  const last = Math.min(size, Math.floor(start + (i + 1) * step + 1e-9));
  return [first, Math.max(first + 1, last)];
}

function tickStep(length, room) {
  const rough = length / Math.max(1, room);
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= rough) || 1;
}

/** Keeps nothing of its own but the keyboard's cursor: everything else is what show() was given. */
export class HeatMap {
  /** @param {HTMLElement} element with the parts that maps.js puts into it */
  constructor(element) {
    const part = (name) => /** @type {any} */ (element.querySelector(`.${name}`));
    this.element = element;
    /** @type {HTMLCanvasElement} */
    this.canvas = part('dv-map-canvas');
    /** @type {HTMLCanvasElement} */
    this.overlay = part('dv-map-overlay');
    this.stage = part('dv-map-stage');
    this.live = part('dv-hidden');
    this.rowTicks = part('dv-row-ticks');
    this.columnTicks = part('dv-column-ticks');
    /** @type {any} what is shown; nothing is drawn without it */
    this.shown = null;
    /** @type {number | null} the head whose map this is */
    this.head = null;
    /** @type {Place | null} */
    this.cursor = null;
    this.work = () => this.draw();
    /** @type {(() => void) | null} how to have it left undone, while it waits to be drawn */
    this.waits = null;
    this.marked = false; // something stands on the overlay
    this.cssWidth = 0;
    this.cssHeight = 0;
    /** @type {Map<number, Point>} */
    this.pointers = new Map();
    this.moved = false;
    /** @type {Point} */
    this.start = { x: 0, y: 0 };
    painters.set(this.canvas, (ratio) => {
      const larger = document.createElement('canvas');
      larger.width = this.cssWidth * ratio;
      larger.height = this.cssHeight * ratio;
      this.paint(larger);
      return larger;
    });
    this.stopWidth = onWidth(this.stage, (width) => this.resize(width));
    this.listen();
  }

  listen() {
    const { overlay } = this;
    overlay.addEventListener('pointerdown', (e) => this.pointerDown(e));
    overlay.addEventListener('pointermove', (e) => this.pointerMove(e));
    overlay.addEventListener('pointerup', (e) => this.pointerUp(e));
    overlay.addEventListener('pointercancel', (e) => this.pointerUp(e, true));
    overlay.addEventListener('pointerleave', () => this.shown?.onHover?.(null));
    overlay.addEventListener('wheel', (e) => this.wheel(e), { passive: false });
    overlay.addEventListener('dblclick', (e) => this.zoomAt(this.position(e), 0.5, 1));
    overlay.addEventListener('keydown', (e) => this.key(e));
    overlay.addEventListener('focus', () => this.drawOverlay());
    overlay.addEventListener('blur', () => {
      this.shown?.onHover?.(null);
      this.drawOverlay();
    });
  }

  destroy() {
    this.stopWidth();
    this.waits?.();
  }

  // ---- what is shown ------------------------------------------------------------------------------

  /** @returns {any} */
  get field() {
    return this.shown?.field;
  }

  /** Draws again what is not as it was. @param {Shown} next */
  show(next) {
    const before = this.shown;
    this.shown = next;
    const width = this.cssWidth;
    const sized = before?.field.rows === next.field.rows && before?.field.columns === next.field.columns;
    if (!sized) this.cursor = null;
    if (!sized || Math.round(next.height(next.field.rows, width)) !== this.cssHeight) {
      this.resize(width, true);
    } else if (
      before.field.data !== next.field.data ||
      ['scale', 'binning', 'zoom', 'dark'].some((key) => before[key] !== /** @type {any} */ (next)[key])
    ) {
      this.schedule();
    } else this.setMarks(next.marks);
  }

  /** @param {Shown['marks']} marks */
  setMarks(marks) {
    if (!this.shown) return;
    this.shown.marks = marks;
    if (!this.waits) this.drawOverlay();
  }

  view() {
    return this.shown.zoom || { x0: 0, x1: this.field.columns, y0: 0, y1: this.field.rows };
  }

  resize(width, now) {
    if (!this.field || !(width > 0)) return;
    const ratio = window.devicePixelRatio || 1;
    const height = Math.round(this.shown.height(this.field.rows, width));
    this.cssWidth = width;
    this.cssHeight = height;
    this.stage.style.height = `${height}px`;
    [this.canvas, this.overlay].forEach((canvas) => {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    });
    this.marked = false;
    if (now) this.draw();
    else this.schedule();
  }

  schedule() {
    if (this.waits || !this.field || !this.cssWidth) return;
    this.waits = soon(this.work);
  }

  draw() {
    this.waits?.();
    this.waits = null;
    const { canvas, field } = this;
    if (!field || !canvas.width || !canvas.height) return;
    this.paint(canvas);
    this.drawTicks();
    this.drawOverlay();
    this.shown.onDraw?.(this);
  }

  /** @param {HTMLCanvasElement} canvas */
  paint(canvas) {
    const { width, height } = canvas;
    const { field, scale, dark } = this.shown;
    const pen = /** @type {any} */ (canvas.getContext('2d'));
    const picture = pen.createImageData(width, height);
    const pixels = new Uint32Array(picture.data.buffer);
    const colours = new Uint32Array(
      scale.table.map(([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0),
    );
    const blank = dark ? [0xff2a2724, 0xff3a3632] : [0xfff4f2f0, 0xffe2dfdb]; // stripes: no cell here
    const view = this.view();
    const ends = new Int32Array(2 * width);
    for (let i = 0; i < width; i += 1) ends.set(span(i, width, view.x0, view.x1, field.columns), 2 * i);
    let [before0, before1, holes] = [-1, -1, false];
    for (let j = 0; j < height; j += 1) {
      const [r0, r1] = span(j, height, view.y0, view.y1, field.rows);
      const start = j * width;
      if (r0 === before0 && r1 === before1) {
        pixels.copyWithin(start, start - width, start);
        continue;
      }
      [before0, before1] = [r0, r1];
      const values = this.bins(ends, r0, r1);
      for (let i = 0; i < width; i += 1) {
        if (Number.isNaN(values[i])) holes = true;
        else pixels[start + i] = colours[scale.index(values[i])];
      }
    }
    for (let at = 0; holes && at < pixels.length; at += 1) {
      if (pixels[at] === 0) pixels[at] = blank[((at % width) + Math.floor(at / width)) % 12 < 6 ? 0 : 1];
    }
    pen.putImageData(picture, 0, 0);
  }

  /**
   * Values shown for blocks of cells: largest (by size where signed), or mean. NaN where there is none.
   * @param {ArrayLike<number>} ends of each block: its first column, and one past its last
   * @param {number} r0 the first row of all of them
   * @param {number} r1 one past the last
   */
  bins(ends, r0, r1) {
    const { data, columns, signed, seen } = this.field;
    const mean = this.shown.binning === 'mean';
    const { weights } = this.shown.scale;
    const rows = range(r1 - r0)
      .map((i) => r0 + i)
      .filter(seen);
    const values = new Float64Array(ends.length / 2);
    for (let i = 0; i < values.length; i += 1) {
      let [best, size, sum, n] = [NaN, -Infinity, 0, 0];
      for (const row of rows) {
        const weight = weights ? weights[row] : 1;
        const end = row * columns + ends[2 * i + 1];
        for (let at = row * columns + ends[2 * i]; at < end; at += 1) {
          const value = data[at] * weight;
          if (Number.isNaN(value)) continue; // no cell
          if (mean) {
            sum += value;
            n += 1;
          } else {
            const score = signed ? Math.abs(value) : value;
            if (score > size) {
              size = score;
              best = value;
            }
          }
        }
      }
      values[i] = mean ? sum / n : best;
    }
    return values;
  }

  /** What the pixels show, when cells share them; empty when every cell has a pixel of its own. */
  statement() {
    if (!this.field || !this.cssWidth) return '';
    const view = this.view();
    const perPixel = (view.x1 - view.x0) / this.canvas.width;
    const perRow = (view.y1 - view.y0) / this.canvas.height;
    if (perPixel <= 1 && perRow <= 1) return '';
    const how =
      this.shown.binning === 'mean' ? 'mean' : this.field.signed ? 'largest, whatever its sign,' : 'maximum';
    const shown = format.count(Math.round(view.x1 - view.x0));
    const [row, column] = this.shown.axes.map((/** @type {string} */ name) => `${name.toLowerCase()}s`);
    const rows = perRow > 1 ? ` and ${Math.ceil(perRow)} ${row}` : '';
    return (
      `${shown} ${column} on ${format.count(this.canvas.width)} pixels: each pixel shows the ${how} of up to ` +
      `${Math.ceil(perPixel)} ${column}${rows}.`
    );
  }

  drawTicks() {
    const view = this.view();
    const place = (box, start, end, pixels, gap, property, names) => {
      const step = Math.max(1, tickStep(end - start, pixels / gap));
      const marks = [];
      for (let v = Math.ceil((start - 0.5) / step) * step; v < end; v += step) {
        const at = ((v + 0.5 - start) / (end - start)) * pixels;
        if (v < 0 || v > end || at < 0 || at > pixels) continue;
        const text = names ? names[v] : format.count(v);
        // Numbers along the width stay inside it: 6.5 px a digit, half of it on either side.
        const half = property === 'left' ? 3.5 * text.length : 0;
        const kept = Math.max(half, Math.min(pixels - half, at));
        const mark = document.createElement('span');
        mark.style.setProperty(property, `${kept.toFixed(1)}px`);
        mark.textContent = text;
        marks.push(mark);
      }
      box.replaceChildren(...marks);
    };
    place(this.rowTicks, view.y0, view.y1, this.cssHeight, 16, 'top', this.shown.rowNames);
    place(this.columnTicks, view.x0, view.x1, this.cssWidth, 56, 'left', null);
  }

  drawOverlay() {
    const { overlay, field } = this;
    if (!field || !overlay.width) return;
    const { hover, cell: chosen, pins = [] } = this.shown.marks;
    const cursor = document.activeElement === overlay ? this.cursor : null;
    const marked = Boolean(hover || chosen || pins.length || cursor);
    if (!marked && !this.marked) return; // nor is there anything to wipe off
    this.marked = marked;
    const ratio = overlay.width / this.cssWidth;
    const pen = /** @type {any} */ (overlay.getContext('2d'));
    pen.clearRect(0, 0, overlay.width, overlay.height);
    pen.save();
    pen.scale(ratio, ratio);
    const box = (cell, least) => {
      const view = this.view();
      const w = this.cssWidth / (view.x1 - view.x0);
      const t = this.cssHeight / (view.y1 - view.y0);
      const x = (cell.column - view.x0) * w;
      const y = (cell.row - view.y0) * t;
      const bw = Math.max(w, least);
      const bh = Math.max(t, least);
      return [x + w / 2 - bw / 2, y + t / 2 - bh / 2, bw, bh];
    };
    const outline = (cell, least, inner) => {
      const [left, top, w, t] = box(cell, least);
      // At an edge of the map the frame stays whole, a little aside.
      const x = Math.min(Math.max(left, 2), this.cssWidth - w - 2);
      const y = Math.min(Math.max(top, 2), this.cssHeight - t - 2);
      pen.lineWidth = 3;
      pen.strokeStyle = '#000';
      pen.strokeRect(x - 0.5, y - 0.5, w + 1, t + 1);
      pen.lineWidth = 1.5;
      pen.strokeStyle = inner;
      pen.strokeRect(x - 0.5, y - 0.5, w + 1, t + 1);
    };
    const lines = (cell) => {
      const [x, y, w, t] = box(cell, 1);
      pen.fillStyle = 'rgba(255,255,255,0.35)';
      pen.fillRect(x + w / 2 - 0.5, 0, 1, this.cssHeight);
      pen.fillRect(0, y + t / 2 - 0.5, this.cssWidth, 1);
      pen.fillStyle = 'rgba(0,0,0,0.35)';
      pen.fillRect(x + w / 2 + 0.5, 0, 1, this.cssHeight);
      pen.fillRect(0, y + t / 2 + 0.5, this.cssWidth, 1);
    };
    /** @param {Pinned} pinned */
    const pin = (pinned) => {
      const [left, top, w, t] = box(pinned, 0);
      const [x, y] = [left + w / 2, top + t / 2];
      // Beside the cell, which is to be seen: above it where there is room.
      const gap = Math.min(t / 2, 12) + 11;
      const at = y > gap + 8 ? y - gap : y + gap;
      pen.fillStyle = '#000';
      pen.fillRect(x - 1, Math.min(at, y), 2, Math.abs(at - y));
      pen.beginPath();
      pen.arc(x, at, 7.5, 0, 2 * Math.PI);
      pen.fillStyle = '#fff';
      pen.fill();
      pen.lineWidth = 1.5;
      pen.strokeStyle = '#000';
      pen.stroke();
      pen.fillStyle = '#000';
      pen.font = '600 10px system-ui, sans-serif';
      pen.textAlign = 'center';
      pen.textBaseline = 'middle';
      pen.fillText(String(pinned.number), x, at + 0.5);
    };
    const view = this.view();
    /** @param {Place} at */
    const inSight = ({ row, column }) =>
      row + 1 > view.y0 && row < view.y1 && column + 1 > view.x0 && column < view.x1;
    if (hover) lines(hover);
    if (chosen && inSight(chosen)) outline(chosen, 7, '#ff4fd8');
    for (const pinned of pins.filter(inSight)) pin(pinned);
    if (cursor) outline(cursor, 9, '#fff');
    pen.restore();
  }

  // ---- places -------------------------------------------------------------------------------------

  position(event) {
    const box = this.overlay.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** The cell at a place. Where several share a pixel, the one whose value the pixel shows. */
  cellAt(place) {
    const { canvas, field } = this;
    const i = Math.floor((place.x / this.cssWidth) * canvas.width);
    const j = Math.floor((place.y / this.cssHeight) * canvas.height);
    if (i < 0 || j < 0 || i >= canvas.width || j >= canvas.height) return null;
    const view = this.view();
    const [c0, c1] = span(i, canvas.width, view.x0, view.x1, field.columns);
    const [r0, r1] = span(j, canvas.height, view.y0, view.y1, field.rows);
    if (this.shown.binning === 'mean' || (c1 - c0 === 1 && r1 - r0 === 1)) {
      return { row: (r0 + r1 - 1) >> 1, column: (c0 + c1 - 1) >> 1 };
    }
    const [shown] = this.bins([c0, c1], r0, r1);
    for (let row = r0; row < r1; row += 1) {
      for (let column = c0; column < c1; column += 1) {
        const weight = this.shown.scale.weights?.[row] ?? 1;
        if (field.data[row * field.columns + column] * weight === shown) return { row: row, column: column };
      }
    }
    return { row: r0, column: c0 };
  }

  /** Client coordinates of the middle of a cell, or null when it is outside the part shown. */
  locate(row, column) {
    const view = this.view();
    if (column < Math.floor(view.x0) || column >= view.x1 || row < Math.floor(view.y0) || row >= view.y1)
      return null;
    const box = this.overlay.getBoundingClientRect();
    return {
      x: box.left + ((column + 0.5 - view.x0) / (view.x1 - view.x0)) * box.width,
      y: box.top + ((row + 0.5 - view.y0) / (view.y1 - view.y0)) * box.height,
      canvas: this.canvas,
    };
  }

  // ---- zoom and pan -------------------------------------------------------------------------------

  propose(view) {
    const { columns, rows } = this.field;
    const fit = (start, size, least, whole) => {
      const length = Math.min(whole, Math.max(Math.min(least, whole), size));
      const from = Math.min(whole - length, Math.max(0, start));
      return [from, from + length];
    };
    const [x0, x1] = fit(view.x0, view.x1 - view.x0, MIN_COLUMNS, columns);
    const now = this.view();
    const [y0, y1] = fit(view.y0, view.y1 - view.y0, Math.min(MIN_ROWS, now.y1 - now.y0), rows);
    const whole = x1 - x0 >= columns && y1 - y0 >= rows;
    this.shown.onZoom?.(whole ? null : { x0: x0, x1: x1, y0: y0, y1: y1 });
  }

  /** Scales the part shown about a place; factors below 1 zoom in. */
  zoomAt(place, factorX, factorY) {
    const view = this.view();
    const cx = view.x0 + (place.x / this.cssWidth) * (view.x1 - view.x0);
    const cy = view.y0 + (place.y / this.cssHeight) * (view.y1 - view.y0);
    this.propose({
      x0: cx - (cx - view.x0) * factorX,
      x1: cx + (view.x1 - cx) * factorX,
      y0: cy - (cy - view.y0) * factorY,
      y1: cy + (view.y1 - cy) * factorY,
    });
  }

  panBy(dx, dy) {
    const view = this.view();
    const x = (-dx / this.cssWidth) * (view.x1 - view.x0);
    const y = (-dy / this.cssHeight) * (view.y1 - view.y0);
    this.propose({ x0: view.x0 + x, x1: view.x1 + x, y0: view.y0 + y, y1: view.y1 + y });
  }

  wheel(event) {
    if (!this.field || !this.shown.onZoom) return;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      if (!this.shown.zoom) return;
      event.preventDefault();
      this.panBy(-event.deltaX, 0);
      return;
    }
    // The page goes on scrolling over maps that nobody has turned to.
    if (!wheelZooms(event, this.overlay)) return;
    if (!this.shown.zoom && event.deltaY > 0) return; // nothing left to zoom out of: the page scrolls
    event.preventDefault();
    const factor = wheelFactor(event);
    this.zoomAt(this.position(event), event.shiftKey ? 1 : factor, event.shiftKey ? factor : 1);
  }

  pointerDown(event) {
    this.overlay.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.position(event));
    this.moved = this.pointers.size > 1;
    this.start = this.position(event);
  }

  pointerMove(event) {
    if (!this.field) return;
    const place = this.position(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.shown.onHover?.(this.cellAt(place));
      return;
    }
    if (this.pointers.size === 2) {
      const [, other] = Array.from(this.pointers).find(([id]) => id !== event.pointerId) || [0, before];
      const spread = (a, b, least) => Math.max(least, Math.abs(a - b));
      const centre = { x: (place.x + other.x) / 2, y: (place.y + other.y) / 2 };
      const fx = spread(before.x, other.x, 24) / spread(place.x, other.x, 24);
      const fy = spread(before.y, other.y, 24) / spread(place.y, other.y, 24);
      this.moved = true;
      this.zoomAt(centre, fx, fy);
    } else if (this.moved || Math.hypot(place.x - this.start.x, place.y - this.start.y) > 4) {
      this.moved = true;
      if (this.shown.zoom) this.panBy(place.x - before.x, place.y - before.y);
    }
    this.pointers.set(event.pointerId, place);
  }

  pointerUp(event, cancelled) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (!this.moved && !cancelled && this.pointers.size === 0 && this.field) {
      const cell = this.cellAt(this.position(event));
      if (cell) this.choose(cell);
    }
  }

  choose(cell) {
    this.cursor = cell;
    this.shown.onSelect?.(cell);
    this.drawOverlay();
    // On a narrow page the numbers of the cell appear at the lower edge: the map goes above them.
    if (window.matchMedia('(max-width: 640px)').matches) this.overlay.scrollIntoView({ block: 'nearest' });
  }

  // ---- keyboard -----------------------------------------------------------------------------------

  strongest() {
    const [at = 0] = top(onlySeen(this.field), 1, this.field.signed);
    return { row: Math.floor(at / this.field.columns), column: at % this.field.columns };
  }

  key(event) {
    if (!this.field || event.altKey || event.metaKey) return;
    const { rows, columns } = this.field;
    const view = this.view();
    const at = this.cursor ||
      this.shown.marks.cell || { row: Math.floor(view.y0), column: Math.floor(view.x0) };
    const first = !this.cursor && !this.shown.marks.cell;
    const step = event.shiftKey ? 10 : 1;
    const middle = { x: this.cssWidth / 2, y: this.cssHeight / 2 };
    const zooms = { '+': [0.5, 1], '=': [0.5, 1], '-': [2, 2], ']': [1, 0.5], '[': [1, 2] };
    const moves = {
      ArrowLeft: [0, -step],
      ArrowRight: [0, step],
      ArrowUp: [-step, 0],
      ArrowDown: [step, 0],
      PageUp: [0, -Math.ceil(columns / 16)],
      PageDown: [0, Math.ceil(columns / 16)],
      Home: event.ctrlKey ? [-rows, -columns] : [0, -columns],
      End: event.ctrlKey ? [rows, columns] : [0, columns],
    };
    if (moves[event.key]) {
      const [dr, dc] = first && !/^(Home|End)$/.test(event.key) ? [0, 0] : moves[event.key];
      this.moveTo({
        row: Math.min(rows - 1, Math.max(0, at.row + dr)),
        column: Math.min(columns - 1, Math.max(0, at.column + dc)),
      });
    } else if (event.ctrlKey) return;
    else if (zooms[event.key]) {
      const [x, y] = zooms[event.key];
      this.zoomAt(this.cursor ? this.centre(this.cursor) : middle, x, y);
    } else if (event.key === '0') this.propose({ x0: 0, x1: columns, y0: 0, y1: rows });
    else if (event.key === 'm') this.moveTo(this.strongest());
    else if (event.key === 'Enter' || event.key === ' ') this.choose(at);
    else return;
    event.preventDefault();
  }

  centre(cell) {
    const view = this.view();
    return {
      x: ((cell.column + 0.5 - view.x0) / (view.x1 - view.x0)) * this.cssWidth,
      y: ((cell.row + 0.5 - view.y0) / (view.y1 - view.y0)) * this.cssHeight,
    };
  }

  moveTo(cell) {
    this.cursor = cell;
    const view = this.view();
    const inside =
      cell.column >= view.x0 && cell.column + 1 <= view.x1 && cell.row >= view.y0 && cell.row + 1 <= view.y1;
    if (!inside) {
      const w = (view.x1 - view.x0) / 2;
      const t = (view.y1 - view.y0) / 2;
      this.propose({
        x0: cell.column + 0.5 - w,
        x1: cell.column + 0.5 + w,
        y0: cell.row + 0.5 - t,
        y1: cell.row + 0.5 + t,
      });
    }
    this.shown.onHover?.(cell);
    this.drawOverlay();
    this.live.textContent = this.shown.describe?.(cell.row, cell.column) ?? '';
  }
}
