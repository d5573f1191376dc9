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
import { html, isDark, render } from '../html.js';
import { StudyStore } from './store.js';
import { StudyView } from './view.js';

export { DEFAULTS, queryToState, stateToQuery } from './state.js';

const DEFAULT_OPTIONS = {
  theme: 'auto',
  heading: 3,
  explains: false,
  current: /** @type {((place: any, quantity: string) => number | null) | null} */ (null),
  cell: /** @type {(() => import('./types.js').Place | null) | null} */ (null),
};

export class DaamStudy extends HTMLElement {
  constructor() {
    super();
    this.store = new StudyStore((changed) => this.#changed(changed));
    this.settings = { ...DEFAULT_OPTIONS };
    /** @type {HTMLElement | null} */
    this.root = null;
    this.frame = 0;
    this.drawing = false;
    this.stale = false; // something changed while it was being drawn
    this.themed = () => this.root && this.store.setDark(isDark(this.root));
    this.observer = new MutationObserver(this.themed);
    this.system = window.matchMedia('(prefers-color-scheme: dark)');
  }

  connectedCallback() {
    this.root = document.createElement('div');
    this.root.className = 'dv ds';
    this.replaceChildren(this.root);
    for (const node of [document.documentElement, document.body]) {
      this.observer.observe(node, { attributes: true, attributeFilter: ['class', 'data-theme', 'style'] });
    }
    this.system.addEventListener('change', this.themed);
    this.root.dataset.theme = this.settings.theme;
    this.store.dark = isDark(this.root);
    this.#draw();
  }

  disconnectedCallback() {
    this.observer.disconnect();
    this.system.removeEventListener('change', this.themed);
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.root) render(null, this.root);
    this.root = null;
    this.replaceChildren();
  }

  get payload() {
    return this.store.payload;
  }

  set payload(payload) {
    this.store.setPayload(payload);
  }

  /** @returns {any} */
  get state() {
    return structuredClone(this.store.state);
  }

  set state(wanted) {
    this.store.set(wanted);
  }

  set source(source) {
    this.store.source = source;
  }

  get options() {
    return { ...this.settings };
  }

  /** @param {Partial<typeof DEFAULT_OPTIONS>} options */
  set options(options) {
    this.settings = { ...this.settings, ...options };
    const { explains, current, cell } = this.settings;
    this.store.current = current;
    this.store.cell = cell;
    this.store.explain = explains
      ? (number) => this.#tell('explain', { study: this.payload?.name, number })
      : null;
    this.#draw();
    this.themed();
  }

  /** Draws anew what depends on things outside, such as the input on screen. */
  refresh() {
    this.#draw();
  }

  /** @param {Set<string>} changed */
  #changed(changed) {
    this.#draw();
    if (['answers', 'theme', 'marked'].some((key) => changed.has(key)) || this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.#tell('state', this.state);
    });
  }

  /** @param {string} name */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #draw() {
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
