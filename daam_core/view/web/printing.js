// @ts-check
/**
 * A panel as it is printed: the same view once more, out of sight, always light, and laid out for the width
 * of the figure, whatever the page looks like and however wide it is.
 */
import { panelSvg } from './panel_svg.js';

/** Widths of columns in most journals, in millimetres; as in daam_core.figures.style. */
export const WIDTHS = { single: 89, double: 183 };
/** Pixels of the layout to a millimetre: letters of 14 pixels, as on the page, are then 7 points high. */
const TO_MM = (2 * 72) / 25.4;

/**
 * @param {HTMLElement} body of the panel on the page
 * @param {keyof typeof WIDTHS} print
 * @param {string} title
 * @param {string} under the title
 * @returns {Promise<{svg: string, width: number, height: number}>} sizes in millimetres
 */
export async function printed(body, print, title, under) {
  const shown = /** @type {import('./daam_view.js').DaamView} */ (body.closest('daam-view'));
  const number = Array.from(shown.querySelectorAll('.dv-body')).indexOf(body);
  const place = document.createElement('div');
  place.className = 'dv-print';
  place.inert = true;
  place.setAttribute('aria-hidden', 'true');
  const width = Math.round(WIDTHS[print] * TO_MM);
  place.style.setProperty('--dv-width', `${width}px`);
  const copy = shown.light();
  place.append(copy);
  document.body.append(place);
  try {
    const own = /** @type {HTMLElement} */ (copy.querySelectorAll('.dv-body')[number]);
    own.classList.add('dv-saving'); // nothing inside scrolls
    await settled(own);
    return panelSvg(own, title, under, { width, mm: WIDTHS[print] });
  } finally {
    place.remove();
  }
}

/** Until everything has its size: pictures are read, and what depends on a width was drawn for it. */
async function settled(body) {
  await Promise.all(Array.from(body.querySelectorAll('img'), (image) => image.decode().catch(() => null)));
  for (let frame = 0; frame < 3; frame += 1) await new Promise((done) => requestAnimationFrame(done));
}
