// @ts-check
/**
 * <daam-view>: the interactive view of an explanation as one element. No network, no other page needed.
 *
 *   const view = document.createElement('daam-view');
 *   view.options = { theme: 'class' };
 *   view.payload = payload;                   object or JSON, null for nothing; see types.js
 *   view.state = { tab: 'heatmap', head: 2 }; changes what is shown; what does not fit is ignored
 *   view.addEventListener('cell', (e) => …);  e.detail = {head, layer, feature}
 *
 * Properties
 *   payload   another one keeps the state where it fits
 *   state     a plain copy of what is shown, see DEFAULTS in state.js
 *   options   theme: 'auto' (the system's), 'class' (dark inside an element of class "dark"), 'light', 'dark'
 *             heading: level of the figures' headings; section: one of SECTIONS alone, without tabs;
 *             remark: a sentence said below what stands out, or one by quantity; tabs: names of those to show; serves: which of 'target' and 'exact' somebody answers
 * Events
 *   state     after every change of the state, once a frame; detail: the state
 *   cell      a cell was chosen; detail: {head, layer, feature}
 *   target    another class is asked for; detail: {index}
 *   exact     an array that the payload holds rounded or not at all is needed exactly; detail:
 *             {id, side, name, head}, to be answered with view.answer(id, encoded array or null)
 *
 * How the pieces fit. The element (element.js is what it shares with <daam-study>) owns a Store (store.js):
 * payload, state, and one Result (result.js) for each explanation, which decodes arrays when they are
 * needed. Whenever the store changes, the element draws the View (view.js), which draws the sections of the
 * chosen tab (sections/, one file each) with preact; canvases compare what they are given and draw again
 * only what changed (heatmap.js). What is computed has no DOM: arrays, format, colour, state, pins, sheets,
 * gaussians, fields, sections/pairs. A panel becomes a file by what it would show in print
 * (printing.js), drawn (panel_drawing.js) and written (svg.js, pdf.js, saving.js), or by its numbers (sheets.js).
 * The same modules serve three places: the app (as files), a saved page (as an import map of data: addresses)
 * and a notebook cell (as one text); see daam_core/view/modules.py.
 */
import { range } from './arrays.js';
import { DrawnElement } from './element.js';
import { copyWhole } from './figure.js';
import { html, render } from './html.js';
import { idle } from './pieces.js';
import { Requests } from './requests.js';
import { SECTIONS } from './state.js';
import { Store } from './store.js';
import { View } from './view.js';

export { chooseWidth } from './printing.js';
export { DEFAULTS, queryToState, stateToQuery, unknownParts } from './state.js';

const DEFAULT_OPTIONS = {
  theme: 'auto',
  heading: 3,
  section: /** @type {string | null} */ (null),
  tabs: /** @type {string[] | null} */ (null),
  serves: /** @type {string[]} */ ([]),
  /** @type {string | Record<string, string>} */
  remark: '',
};

/** @extends {DrawnElement<Store, typeof DEFAULT_OPTIONS>} */
export class DaamView extends DrawnElement {
  constructor() {
    super('dv', DEFAULT_OPTIONS, (element) => {
      const told = (cell) => element.tell('cell', cell);
      return new Store((changed) => element.changed(changed), told);
    });
    this.requests = new Requests((request) => this.tell('exact', request));
  }

  connectedCallback() {
    super.connectedCallback();
    this.root?.addEventListener('copy', copyWhole);
  }

  get options() {
    return { ...this.settings };
  }

  /** @param {Partial<typeof DEFAULT_OPTIONS>} options */
  set options(options) {
    const next = { ...this.settings, ...options };
    if (next.section && !SECTIONS.includes(next.section)) {
      throw new Error(`<daam-view> has no section "${next.section}"; choose one of: ${SECTIONS.join(', ')}.`);
    }
    Object.assign(this.settings, next);
    const ask = (side, name, head) => this.requests.ask({ side, name, head });
    this.store.setLoad(next.serves.includes('exact') ? ask : null);
    this.store.askTarget = next.serves.includes('target') ? (index) => this.tell('target', { index }) : null;
    this.draw();
    this.themed();
  }

  /**
   * Answers an event `exact`.
   * @param {number} id
   * @param {import('./types.js').Encoded | null} array
   */
  answer(id, array) {
    this.requests.answer(id, array);
  }

  /** The same view once more, light whatever is around it; it asks nobody for anything. */
  light() {
    const copy = new DaamView();
    copy.options = { ...this.settings, theme: 'light', serves: [] };
    copy.store.whole = true;
    copy.store.follow(this.store);
    return copy;
  }

  /**
   * Client coordinates of a cell on its map, or null where it is not on screen.
   * @param {import('./types.js').HeadCell} cell
   */
  locate({ head, layer, feature }) {
    const maps = Array.from(this.store.maps).filter((map) => map.field);
    const map = maps.find((one) => one.head === head) || maps[0];
    return map ? map.locate(layer, feature) : null;
  }

  /** @param {Set<string>} changed */
  changed(changed) {
    /** @type {HTMLElement | null | undefined} */
    const panel = this.root?.querySelector('.dv-panel');
    if (panel && changed.has('tab')) {
      // While the other tab's figures come one after another the page keeps its length, and the reader the place.
      panel.style.minHeight = `${panel.offsetHeight}px`;
      idle().then(() => panel.style.removeProperty('min-height'));
    }
    const inside = panel?.contains(document.activeElement);
    this.draw();
    // What was pressed is gone: the reader goes on at the tab that it led to.
    if (inside && changed.has('tab')) {
      /** @type {HTMLElement | null | undefined} */
      const tab = this.root?.querySelector('[role=tab][aria-selected=true]');
      tab?.focus({ preventScroll: true });
    }
    if (!changed.has('arrays') && !changed.has('theme')) this.tellState();
  }

  draw() {
    const { root, store, settings } = this;
    if (!root) return;
    const { theme, heading, section, tabs, remark } = settings;
    root.dataset.theme = theme;
    const colours = store.payload?.colours.heads || [];
    for (const head of range(Math.max(store.a?.H || 0, store.b?.H || 0))) {
      root.style.setProperty(`--dv-head-${head}`, colours[head % colours.length]);
    }
    render(
      html`<${View} store=${store} heading=${heading} section=${section} tabs=${tabs} remark=${remark} />`,
      root,
    );
  }
}

if (!customElements.get('daam-view')) customElements.define('daam-view', DaamView);
