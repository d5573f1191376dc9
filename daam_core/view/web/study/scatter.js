// @ts-check
/** Points of a plane: where they lie on a drawing, which is nearest, which lie inside. Without the page. */

/**
 * @typedef {{left: number, top: number, width: number, height: number, low: [number, number], high: [number, number]}} Frame
 *   a drawing in pixels, and the numbers at its lower left and upper right corner
 */

const MARGIN = 10; // pixels around the outermost points

/**
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 * @param {number} width
 * @param {number} height
 * @returns {Frame}
 */
export function frameOf(x, y, width, height) {
  /** @param {ArrayLike<number>} data @returns {[number, number]} */
  const ends = (data) => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = 0; i < data.length; i += 1) {
      if (data[i] < low) low = data[i];
      if (data[i] > high) high = data[i];
    }
    return low < high ? [low, high] : [low - 1, high + 1];
  };
  const [[x0, x1], [y0, y1]] = [ends(x), ends(y)];
  return {
    left: MARGIN,
    top: MARGIN,
    width: Math.max(1, width - 2 * MARGIN),
    height: Math.max(1, height - 2 * MARGIN),
    low: [x0, y0],
    high: [x1, y1],
  };
}

/** Where a point lies, in pixels. @param {Frame} frame @param {number} x @param {number} y */
export function placeOf(frame, x, y) {
  return [
    frame.left + ((x - frame.low[0]) / (frame.high[0] - frame.low[0])) * frame.width,
    frame.top + (1 - (y - frame.low[1]) / (frame.high[1] - frame.low[1])) * frame.height,
  ];
}

/**
 * The point nearest to a place, −1 where none is within reach; of several, the one drawn last.
 * @param {Frame} frame
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 * @param {[number, number]} at in pixels
 * @param {number} reach in pixels
 * @param {ArrayLike<number>} shown 1 for points that can be met
 */
export function nearest(frame, x, y, at, reach, shown) {
  let [best, least] = [-1, reach * reach];
  for (let i = 0; i < x.length; i += 1) {
    if (!shown[i]) continue;
    const [px, py] = placeOf(frame, x[i], y[i]);
    const distance = (px - at[0]) ** 2 + (py - at[1]) ** 2;
    if (distance <= least) [best, least] = [i, distance];
  }
  return best;
}

/**
 * 1 for each point inside a rectangle between two corners in pixels.
 * @param {Frame} frame
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 * @param {[number, number]} one
 * @param {[number, number]} other
 */
export function inside(frame, x, y, one, other) {
  const found = new Uint8Array(x.length);
  const [x0, x1] = [Math.min(one[0], other[0]), Math.max(one[0], other[0])];
  const [y0, y1] = [Math.min(one[1], other[1]), Math.max(one[1], other[1])];
  for (let i = 0; i < x.length; i += 1) {
    const [px, py] = placeOf(frame, x[i], y[i]);
    found[i] = Number(px >= x0 && px <= x1 && py >= y0 && py <= y1);
  }
  return found;
}

/**
 * The pixels of a filled square, as steps from its middle.
 * @param {number} side in pixels
 * @returns {number[][]} `[[across, down], …]`
 */
export function square(side) {
  const size = Math.max(1, Math.round(side));
  const first = -Math.round(size / 2);
  const steps = Array.from({ length: size }, (_, i) => first + i);
  return steps.flatMap((v) => steps.map((u) => [u, v]));
}

/**
 * The pixels of a ring, as steps from its middle.
 * @param {number} radius in pixels, of the middle of its line
 * @param {number} thick in pixels
 * @returns {number[][]} `[[across, down], …]`
 */
export function ring(radius, thick) {
  return square(2 * Math.ceil(radius + thick) + 1).filter(([u, v]) => {
    const away = Math.hypot(u, v) - radius;
    return Math.abs(away) <= Math.max(0.5, thick / 2);
  });
}

/**
 * Writes a mark for each point into the pixels of a drawing; where two lie, the last, and more of it.
 * @param {{data: Uint32Array, width: number, height: number, ratio: number}} pixels ratio: of them to a CSS pixel
 * @param {Frame} frame
 * @param {{x: ArrayLike<number>, y: ArrayLike<number>}} points
 * @param {number[][]} stamp the mark's pixels, as steps from its middle
 * @param {(i: number) => import('../colour.js').Rgb | null} colour null: no mark
 * @param {number} opacity to 255
 */
export function stamped({ data, width, height, ratio }, frame, { x, y }, stamp, colour, opacity) {
  for (let i = 0; i < x.length; i += 1) {
    const own = colour(i);
    if (!own) continue;
    const solid = (own[2] << 16) | (own[1] << 8) | own[0];
    const [px, py] = placeOf(frame, x[i], y[i]);
    const [left, top] = [Math.round(px * ratio), Math.round(py * ratio)];
    for (let k = 0; k < stamp.length; k += 1) {
      const [u, v] = [left + stamp[k][0], top + stamp[k][1]];
      if (u < 0 || v < 0 || u >= width || v >= height) continue;
      const at = v * width + u;
      data[at] = solid | ((data[at] ? 255 : opacity) << 24);
    }
  }
}
