// @ts-check
/** A drawing as SVG. */

/** @typedef {import('./panel_drawing.js').Drawing} Drawing */

/** @param {string} text */
function escaped(text) {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** @param {number} value */
function px(value) {
  return Number(value.toFixed(2));
}

/** @param {Drawing} drawing @returns {string} */
export function svgOf({ title, width, height, mm: [wide, high], shapes }) {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}mm" height="${high}mm" viewBox="0 0 ${width} ${height}">` +
    `<title>${escaped(title)}</title><rect width="${width}" height="${height}" fill="#ffffff"/>` +
    `${shapes.map((shape) => written[shape.kind](/** @type {any} */ (shape))).join('')}</svg>`
  );
}

const written = {
  /** @param {import('./panel_drawing.js').Path} path */
  path({ steps, fill, stroke, thick, dashes, opacity }) {
    const d = steps.map(([name, ...places]) => name + places.map(px).join(' ')).join('');
    const line =
      stroke === 'none'
        ? ''
        : ` stroke="${stroke}" stroke-width="${thick}" stroke-linejoin="round"` +
          (dashes.length ? ` stroke-dasharray="${dashes.join(' ')}"` : '');
    return `<path d="${d}" fill="${fill}"${line}${opacity < 1 ? ` opacity="${opacity}"` : ''}/>`;
  },

  /** @param {import('./panel_drawing.js').Words} words */
  text({ text, x, y, family, size, weight, style, colour, anchor, turned }) {
    const [left, top] = [px(x), px(y)];
    const turn = turned ? ` transform="rotate(-90 ${left} ${top})"` : '';
    return (
      `<text x="${left}" y="${top}" font-family="${escaped(family)}" font-size="${size}" font-weight="${weight}" ` +
      `font-style="${style}" fill="${colour}" text-anchor="${anchor}" xml:space="preserve"${turn}>${escaped(text)}</text>`
    );
  },

  /** @param {import('./panel_drawing.js').Pixels} pixels */
  image({ canvas, x, y, width, height, sharp }) {
    return (
      `<image x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" preserveAspectRatio="none" ` +
      `href="${canvas.toDataURL()}"${sharp ? ' style="image-rendering:pixelated"' : ''}/>`
    );
  },
};
