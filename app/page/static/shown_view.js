// @ts-check
/** The interactive view on this page, and the address that restores it. */
import { DaamView, queryToState, stateToQuery } from './view/daam_view.js';

/** @type {DaamView | null} */
let shown = null; // the <daam-view>, once there is something to show
let linkPart = ''; // what the server says is explained
let own = false;
let changed = false;

/** Fills an element with the view of `props.value`, and hands on its events. */
export function view(element, props, watch, trigger, [cell, target, exact]) {
  const make = () => {
    const view = new DaamView();
    view.options = { theme: 'class', heading: 3, serves: ['target', 'exact'] };
    view.state = queryToState(window.location.search.slice(0, 4000)); // what the address asks for
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
    own = value.own;
    changed = value.changed;
    const begin = performance.now();
    shown = shown || make();
    // A new comparison begins with what is new; a view that was already comparing stays as it is.
    const begins = value.payload.b && !shown.payload?.b;
    shown.payload = value.payload;
    if (begins) shown.state = { side: 'b' };
    performance.measure('daam-show', { start: begin, end: performance.now() });
    address();
    document.documentElement.dataset.daamShown = String(value.revision);
  };
  watch('value', show);
  if (props.value?.payload) show();
  else {
    const empty = document.createElement('p');
    empty.className = 'dx-empty dx-empty-view';
    empty.textContent =
      'The maps of every head, the learned parameters and the way back to the input appear here.';
    element.replaceChildren(empty);
  }
}

/** Hands exact arrays that come from the server to the view. */
export function exact(_, props, watch) {
  watch('value', () => {
    if (props.value && shown) shown.answer(props.value.id, props.value.array || null);
  });
}

export function shownView() {
  return shown;
}

/** The view's address: the server's part, the view's part, and Gradio's own theme choice. */
function address() {
  if (!shown) return;
  const state = stateToQuery(shown.state);
  const kept = new URLSearchParams(window.location.search).get('__theme');
  const parts = [linkPart, state, kept === 'dark' || kept === 'light' ? `__theme=${kept}` : ''];
  window.history.replaceState(window.history.state, '', `?${parts.filter(Boolean).join('&')}`);
}

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
  const link = window.location.href;
  const about = own
    ? 'It restores model and view. Your input is not in it: whoever opens it must give the file or text again.'
    : changed
      ? 'It restores the model, the example and the view, without changes, muted parts or a second result.'
      : 'It restores the model, the example and the view.';
  const copied = navigator.clipboard
    ? navigator.clipboard.writeText(link)
    : Promise.reject(new Error('no clipboard'));
  copied.then(
    () => say(`Link copied. ${about}`),
    () => say(`Copy the address of this page. ${about}`),
  );
}
