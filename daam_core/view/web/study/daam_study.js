// @ts-check
/**
 * <daam-study>: a study of a whole data set as one element: its inputs as a table, a confusion matrix and a
 * plane; what cells answer to; how groups of inputs differ.
 *
 *   const study = document.createElement('daam-study');
 *   study.source = { ask, address };    whoever answers questions, see types.js
 *   study.payload = payload;            object, null for nothing; see types.js
 *   study.state = { tab: 'cells' };     changes what is shown; what does not fit is ignored
 *
 * Properties
 *   payload   another one keeps the state where it fits
 *   state     a plain copy of what is shown, see DEFAULTS in state.js
 *   source    asked for what the payload does not hold
 *   options   theme: as of <daam-view>; heading: level of the figures' headings; explains: whether somebody
 *             answers the event 'explain'; current: (place, quantity) => the number that the input on
 *             screen has there, or null; cell: () => the cell that is chosen in its view, or null
 * Events
 *   state     after every change of the state, once a frame; detail: the state
 *   explain   an input is to be explained; detail: {study, number}
 *
 * How the pieces fit: like <daam-view>, whose modules it shares (palettes, maps, charts, figures). The
 * element owns a StudyStore (store.js) and draws StudyView (view.js). What is computed has no DOM:
 * columns, selecting, state, scatter.
 */
import { DrawnElement } from '../element.js';
import { html, render } from '../html.js';
import { StudyStore } from './store.js';
import { StudyView } from './view.js';

export { DEFAULTS, ofAnother, queryToState, stateToQuery } from './state.js';

const DEFAULT_OPTIONS = {
  theme: 'auto',
  heading: 3,
  explains: false,
  current: /** @type {((place: any, quantity: string) => number | null) | null} */ (null),
  cell: /** @type {(() => import('./types.js').Place | null) | null} */ (null),
};

const UNTOLD = ['answers', 'theme', 'marked']; // changes of what is no part of the state

/** @extends {DrawnElement<StudyStore, typeof DEFAULT_OPTIONS>} */
export class DaamStudy extends DrawnElement {
  constructor() {
    super('dv ds', DEFAULT_OPTIONS, (element) => new StudyStore((changed) => element.changed(changed)));
    this.drawing = false;
    this.stale = false; // something changed while it was being drawn
  }

  set source(source) {
    this.store.source = source;
  }

  get options() {
    return { ...this.settings };
  }

  /** @param {Partial<typeof DEFAULT_OPTIONS>} options */
  set options(options) {
    Object.assign(this.settings, options);
    const { explains, current, cell } = this.settings;
    this.store.current = current;
    this.store.cell = cell;
    this.store.explain = explains
      ? (number) => this.tell('explain', { study: this.payload?.name, number })
      : null;
    this.draw();
    this.themed();
  }

  /** Draws anew what depends on things outside, such as the input on screen. */
  refresh() {
    this.draw();
  }

  /** @param {Set<string>} changed */
  changed(changed) {
    this.draw();
    if (Array.from(changed).some((key) => !UNTOLD.includes(key))) this.tellState();
  }

  draw() {
    const { root, store, settings } = this;
    if (!root) return;
    // What an effect changes while the view is being drawn is drawn after it, never inside.
    this.stale = true;
    if (this.drawing) return;
    this.drawing = true;
    root.dataset.theme = settings.theme;
    (store.payload?.colours.heads || []).forEach((colour, head) => {
      root.style.setProperty(`--dv-head-${head}`, colour);
    });
    while (this.stale) {
      this.stale = false;
      render(html`<${StudyView} store=${store} heading=${settings.heading} />`, root);
    }
    this.drawing = false;
  }
}

if (!customElements.get('daam-study')) customElements.define('daam-study', DaamStudy);
