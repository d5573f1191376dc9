// @ts-check
/** The interactive view on this page, the address that restores it, and the way back through it. */
import { foldInput } from './fold.js';
import { ofDataSet, onPage } from './pages.js';
import {
  chooseWidth,
  DaamView,
  DEFAULTS,
  queryToState,
  stateToQuery,
  unknownParts,
} from './view/daam_view.js';

// The prediction stands above them already.
const TABS = ['input', 'heads', 'heatmap', 'layers', 'parameters', 'dataset', 'compare'];

/** @type {DaamView | null} */
let shown = null; // the <daam-view>, once there is something to show
let linkPart = ''; // what the server says is explained
let restores = ''; // what a link to it restores, in words
let place = ''; // tab and cell that the address was last written for
/** @type {string | Record<string, string>} */
let said = ''; // by the check: of each map that can be shown
let returning = false; // the state comes from the history, which must not grow by it

/** Fills an element with the view of `props.value`, and hands on its events. */
export function view(element, props, watch, trigger, [cell, target, exact]) {
  const make = () => {
    const view = new DaamView();
    view.options = { theme: 'class', heading: 3, tabs: TABS, serves: ['target', 'exact'], remark: said };
    view.state = queryToState(asked()); // what the address asks for
    view.addEventListener('state', address);
    for (const [event, name] of Object.entries({ cell, target, exact })) {
      view.addEventListener(event, (told) => trigger(name, /** @type {CustomEvent} */ (told).detail));
    }
    element.replaceChildren(view);
    return view;
  };
  const show = () => {
    const value = props.value;
    if (!value?.payload) return;
    linkPart = value.query;
    restores = value.restores;
    const begin = performance.now();
    const first = !shown;
    shown = shown || make();
    // A new comparison begins with what is new; a view that was already comparing stays as it is, and a
    // link shows what it asks for.
    const begins = !first && value.payload.b && !shown.payload?.b;
    shown.payload = value.payload;
    if (begins) shown.state = { side: 'b' };
    if (first) sayUnknown(element, unknownParts(asked(), value.payload));
    // A link's cell is as much selected as one that was clicked.
    const { cell: chosen } = shown.state;
    if (chosen) trigger(cell, { head: shown.store.head, ...chosen });
    performance.measure('daam-show', { start: begin, end: performance.now() });
    foldInput();
    place = ''; // a new result is no step in the history of the view
    address();
    document.documentElement.dataset.daamShown = String(value.revision);
  };
  watch('value', show);
  if (props.value?.payload) show();
  else {
    const empty = document.createElement('p');
    empty.className = 'dx-empty dx-empty-view';
    empty.textContent = 'Here you will see which parts of the model and of your input led to the answer.';
    element.replaceChildren(empty);
  }
}

/** The address's query, as far as it can be one of this page. */
function asked() {
  return window.location.search.slice(0, 6000);
}

/** @param {Element} element @param {string[]} parts */
function sayUnknown(element, parts) {
  if (!parts.length) return;
  const said = document.createElement('p');
  said.className = 'dx-status dx-info dx-unknown';
  said.setAttribute('role', 'status');
  said.textContent = `The link asks for something that is not here: ${parts.join(', ')}. The rest is shown.`;
  element.prepend(said);
}

/** Hands exact arrays that come from the server to the view. */
export function exact(_, props, watch) {
  watch('value', () => {
    if (props.value && shown) shown.answer(props.value.id, props.value.array || null);
  });
}

/** Has the view say whether what stands out was checked. */
export function remark(_, props, watch) {
  const say = () => {
    said = props.value?.text || '';
    if (shown) shown.options = { remark: said };
  };
  watch('value', say);
  say();
}

export function shownView() {
  return shown;
}

// Beside two answers: to both maps, which are a tab of the view.
document.addEventListener('click', ({ target }) => {
  if (!shown || !(target instanceof Element && target.closest('.dx-compare-maps'))) return;
  shown.state = { tab: 'compare' };
  document.querySelector('#step-why')?.scrollIntoView({ block: 'start' });
});

// The width that is chosen for figures below is that of every panel, too.
document.addEventListener('change', ({ target }) => {
  if (target instanceof HTMLInputElement && target.closest('#save-width')) chooseWidth(target.value);
});

/** Which map is shown, for a saved figure. */
export function quantity() {
  return shown ? shown.store.quantity : '';
}

/** What a saved result takes from the view: pinned cells as JSON, which map is shown, and on which scale. */
export function forSaving() {
  const { pins, scale } = shown ? shown.state : DEFAULTS;
  return [JSON.stringify(pins), quantity(), scale];
}

/** Whether the link holds A beside what is explained: nothing of one's own and nothing muted is in a link. */
function linksBoth() {
  return new URLSearchParams(linkPart).has('a-input');
}

/**
 * The view's address: the server's part, the view's part, and Gradio's own theme choice. Going to another
 * tab or cell is a step that one can go back from.
 */
function address() {
  if (!shown || ofDataSet()) return;
  const { tab, head, cell } = shown.state;
  const ask = document.querySelector('#ask');
  // The verdict on the page is that of the map that is shown.
  if (ask instanceof HTMLElement) ask.dataset.quantity = quantity();
  const now = JSON.stringify([tab, cell && [head, cell]]);
  // Without A in the link there is one result, whichever side is on screen here.
  const linked = linksBoth() ? shown.state : { ...shown.state, side: DEFAULTS.side };
  const kept = new URLSearchParams(window.location.search).get('__theme');
  const theme = kept === 'dark' || kept === 'light' ? `__theme=${kept}` : '';
  const query = `?${[linkPart, stateToQuery(linked), theme].filter(Boolean).join('&')}`;
  if (place && place !== now && !returning) window.history.pushState(window.history.state, '', query);
  else window.history.replaceState(window.history.state, '', query);
  place = now;
  returning = false;
}

onPage(() => {
  place = ''; // back from the data set: the address is this view's again
  address();
});

window.addEventListener('popstate', () => {
  if (!shown || ofDataSet()) return;
  returning = true;
  // What was pinned since stays: steps of the history are of places, not of notes.
  const { pins, side } = shown.state;
  const kept = linksBoth() ? { pins } : { pins, side };
  shown.state = { ...DEFAULTS, ...queryToState(asked()), ...kept };
  // The result is still the newest one, whatever this step of the history was made for.
  requestAnimationFrame(() => requestAnimationFrame(address));
});

/** Copies the address, and says what it restores. */
export function copyLink() {
  const note = document.querySelector('#link-note');
  const say = (text) => {
    if (!note) return;
    const line = document.createElement('p');
    line.className = 'dx-note';
    line.setAttribute('role', 'status');
    line.textContent = text;
    note.replaceChildren(line);
  };
  address();
  const { pins } = shown?.state || { pins: [] };
  const carried = queryToState(window.location.search).pins || [];
  const cut = pins.some(({ note }, i) => note !== carried[i]?.note);
  const also = pins.length
    ? ` The pinned cells are in it${cut ? ', but not all of their notes, which are too long for a link' : ' with their notes'}.`
    : '';
  const copied = navigator.clipboard
    ? navigator.clipboard.writeText(window.location.href)
    : Promise.reject(new Error('no clipboard'));
  copied.then(
    () => say(`Link copied. ${restores}${also}`),
    () => say(`Copy the address of this page. ${restores}${also}`),
  );
}
