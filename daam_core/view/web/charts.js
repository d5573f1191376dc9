// @ts-check
/** Small vector charts. Colours of lines and text come from the style sheet. */
import * as format from './format.js';
import { html, useRef, useWidth } from './html.js';

const MARGIN = { left: 52, right: 12, top: 10, bottom: 34 };

/**
 * @typedef {{
 *   left: number, right: number, top: number, bottom: number,
 *   x: (value: number) => number, y: (value: number) => number,
 * }} Pen the edges of the drawing, and where numbers lie in it
 */

/**
 * @param {[number, number]} domain
 * @param {number} from
 * @param {number} to
 */
function linear([low, high], from, to) {
  return (v) => from + ((v - low) / (high - low || 1)) * (to - from);
}

/**
 * A chart with axes that is as wide as its place. x and y: [low, high]; draw(pen) gives what is inside.
 * @param {{
 *   label: string, height: number, x: [number, number], y: [number, number], xLabel: string,
 *   yLabel: string, xTicks?: number[], yTicks?: number[],
 *   xText?: (value: number) => string, draw: (pen: Pen) => any,
 * }} props
 */
export function Chart(props) {
  const place = useRef(null);
  const width = useWidth(place);
  return html`<div class="dv-chart" ref=${place}>${width > 0 && drawing(props, width)}</div>`;
}

/**
 * @param {any} props
 * @param {number} width
 */
function drawing({ label, height, x, y, xLabel, yLabel, xTicks, yTicks, xText, draw }, width) {
  const rows = yTicks || format.ticks(y[0], y[1], Math.max(2, (height - 44) / 30));
  // Room for the longest number and, left of it, the name of the axis.
  const widest = Math.max(0, ...rows.map((v) => format.short(v).length));
  const left = Math.max(MARGIN.left, 26 + 7 * widest);
  const [right, top, bottom] = [width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  const pen = { left, right, top, bottom, x: linear(x, left, right), y: linear(y, bottom, top) };
  const columns = xTicks || format.ticks(x[0], x[1], Math.max(2, (right - left) / 60));
  return html`<svg width=${width} height=${height} viewBox="0 0 ${width} ${height}" role="img" aria-label=${label}>
    ${rows.map(
      (v) => html`
        <line class="dv-grid" x1=${left} x2=${right} y1=${pen.y(v)} y2=${pen.y(v)} />
        <text class="dv-tick" x=${left - 6} y=${pen.y(v) + 4} text-anchor="end">${format.short(v)}</text>
      `,
    )}
    ${columns.map(
      (v) => html`
        <line class="dv-axis" x1=${pen.x(v)} x2=${pen.x(v)} y1=${bottom} y2=${bottom + 4} />
        <text class="dv-tick" x=${pen.x(v)} y=${bottom + 16} text-anchor="middle">${(xText || format.short)(v)}</text>
      `,
    )}
    <line class="dv-axis" x1=${left} x2=${right} y1=${bottom} y2=${bottom} />
    <text class="dv-axis-label" x=${(left + right) / 2} y=${height - 4} text-anchor="middle">${xLabel}</text>
    <text
      class="dv-axis-label"
      text-anchor="middle"
      transform="translate(12 ${(top + bottom) / 2}) rotate(-90)"
    >
      ${yLabel}
    </text>
    ${draw(pen)}
  </svg>`;
}

/**
 * Description of an SVG path through points [[x, y], …] given in numbers of the chart.
 * @param {Pen} pen
 * @param {number[][]} points
 */
export function line(pen, points) {
  return points.map(([x, y], i) => `${i ? 'L' : 'M'}${pen.x(x).toFixed(2)} ${pen.y(y).toFixed(2)}`).join('');
}

/**
 * A bar of one layer from one number to another. `children` is read out.
 * @param {{pen: Pen, layers: number, layer: number, from: number, to: number, fill: string, children?: any}} props
 */
export function LayerBar({ pen, layers, layer, from, to, fill, children }) {
  const width = Math.max(1, Math.min(64, ((pen.right - pen.left) / layers) * 0.8));
  const [one, other] = [pen.y(from), pen.y(to)];
  return html`<rect
    x=${pen.x(layer) - width / 2}
    width=${width}
    y=${Math.min(one, other)}
    height=${Math.abs(other - one)}
    style=${{ fill }}
  >
    ${children && html`<title>${children}</title>`}
  </rect>`;
}

/** The line at zero. @param {{pen: Pen}} props */
export function ZeroLine({ pen }) {
  return html`<line class="dv-axis" x1=${pen.left} x2=${pen.right} y1=${pen.y(0)} y2=${pen.y(0)} />`;
}
