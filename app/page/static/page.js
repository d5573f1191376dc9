// @ts-check
/** The page's own scripts. Gradio's handlers can only reach what is global, so DaamPage is. */
import { download } from './download.js';
import './files.js';
import './lists.js';
import './pages.js';
import { markedText, region } from './region.js';
import { results } from './results.js';
import { copyLink, exact, forSaving, quantity, remark, shownView, view } from './shown_view.js';
import './terms.js';
import './theme.js';
import './tour.js';
import { encoders } from './warm.js';

/** @type {any} */ (window).DaamPage = {
  encoders,
  view,
  exact,
  remark,
  region,
  results,
  markedText,
  download,
  copyLink,
  forSaving,
  quantity,
  shownView,
  // Many modules of its own, which a page without a data set does not load.
  study: (...all) => import('./study.js').then(({ study }) => study(...all)),
};

// What was pressed before anybody listened, in the order of the presses.
for (const early of /** @type {any} */ (window).daamPressed?.() || []) {
  const button = early.isConnected ? early : document.getElementById(early.id);
  button?.click();
}
