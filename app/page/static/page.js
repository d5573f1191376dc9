// @ts-check
/** The page's own scripts. Gradio's handlers can only reach what is global, so DaamPage is. */
import { download } from './download.js';
import './files.js';
import './lists.js';
import './pages.js';
import { markedText, region } from './region.js';
import { results } from './results.js';
import { copyLink, exact, pinsText, quantity, remark, shownView, view } from './shown_view.js';
import { study } from './study.js';
import './terms.js';
import './theme.js';
import './tour.js';

/** @type {any} */ (window).DaamPage = {
  view,
  exact,
  remark,
  region,
  results,
  markedText,
  download,
  copyLink,
  pinsText,
  quantity,
  shownView,
  study,
};
