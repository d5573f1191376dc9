// @ts-check
/**
 * A panel as it is printed: the same view once more, out of sight, always light, and laid out for the width
 * of the figure, whatever the page looks like and however wide it is.
 */
import { panelSvg } from './panel_svg.js';

/** Widths of columns in most journals, in millimetres; as in daam_core.figures.style. */
export const WIDTHS = { single: 89, double: 183 };
/** @typedef {keyof typeof WIDTHS} Print */

let chosen = /** @type {Print} */ ('double');

/** What figures are as wide as, a choice for all panels of the page together. */
export function chosenWidth() {
  return chosen;
}

/** @param {string} print what is no width is left out */
export function chooseWidth(print) {
  if (print in WIDTHS) chosen = /** @type {Print} */ (print);
}

/** Pixels of the layout to a millimetre: letters of 14 pixels, as on the page, are then 7 points high. */
const TO_MM = (2 * 72) / 25.4;

/**
 * @param {HTMLElement} body of the panel on the page
 * @param {string} title
 * @param {string} under the title
 * @returns {Promise<{svg: string, width: number, height: number}>} sizes in millimetres
 */
export async function printed(body, title, under) {
  const mm = WIDTHS[chosen];
  const shown = /** @type {import('./daam_view.js').DaamView | null} */ (body.closest('daam-view'));
  if (!shown) return asItIs(body, mm, title, under);
  const number = Array.from(shown.querySelectorAll('.dv-body')).indexOf(body);
  const place = document.createElement('div');
  place.className = 'dv-print';
  place.inert = true;
  place.setAttribute('aria-hidden', 'true');
  const width = Math.round(mm * TO_MM);
  place.style.setProperty('--dv-width', `${width}px`);
  const copy = shown.light();
  place.append(copy);
  // Away from the view: the style sheet of the page around it may set colours of its own there.
  const root = shown.getRootNode();
  (root instanceof ShadowRoot ? root : document.body).append(place);
  try {
    const own = /** @type {HTMLElement} */ (copy.querySelectorAll('.dv-body')[number]);
    own.classList.add('dv-saving'); // nothing inside scrolls
    await settled(own);
    return panelSvg(own, title, under, { width, mm });
  } finally {
    place.remove();
  }
}

/**
 * Another kind of view, which cannot be shown once more: as it is laid out on the page, in the width asked for,
 * and light for as long as it is drawn, which nobody sees.
 * @param {HTMLElement} body
 * @param {number} mm
 * @param {string} title
 * @param {string} under
 */
function asItIs(body, mm, title, under) {
  const root = /** @type {HTMLElement} */ (body.closest('[data-theme]'));
  const { theme } = root.dataset;
  const dark = document.body.classList.contains('dark');
  document.body.classList.remove('dark');
  root.dataset.theme = 'light';
  body.classList.add('dv-saving');
  try {
    return panelSvg(body, title, under, { width: body.clientWidth, mm });
  } finally {
    body.classList.remove('dv-saving');
    root.dataset.theme = theme;
    document.body.classList.toggle('dark', dark);
  }
}

/** Until everything has its size: pictures are read, and what depends on a width was drawn for it. */
async function settled(body) {
  await Promise.all(Array.from(body.querySelectorAll('img'), (image) => image.decode().catch(() => null)));
  for (let frame = 0; frame < 3; frame += 1) await new Promise((done) => requestAnimationFrame(done));
}
