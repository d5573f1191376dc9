/*
 * The page's own script: shows the interactive view, keeps the address in step with it, and does the
 * few things that only a browser can (theme, clipboard, download).
 *
 * window.DaamPage = {view, exact, region, markedText, download, copyLink, shown}: Gradio's own handlers
 * can only reach what is global.
 */
import { queryToState, stateToQuery } from './view/daam_view.js';
import './region.js';
import './tour.js';

(function (P) {
  const THEME = 'daam-theme';

  let shown = null; // the <daam-view>, once there is something to show
  let linkPart = ''; // what the server says is explained
  let own = false;
  let changed = false;

  // ---- the interactive view -----------------------------------------------------------------------

  P.view = function (element, props, watch, trigger, [cell, target, exact]) {
    const make = () => {
      const view = document.createElement('daam-view');
      view.options = { theme: 'class', heading: 3, serves: ['target', 'exact'] };
      view.state = queryToState(window.location.search.slice(0, 4000)); // what the address asks for
      view.addEventListener('state', address);
      view.addEventListener('cell', (event) => trigger(cell, event.detail));
      view.addEventListener('target', (event) => trigger(target, event.detail));
      view.addEventListener('exact', (event) => trigger(exact, event.detail));
      element.replaceChildren(view);
      return view;
    };
    const show = () => {
      const value = props.value;
      if (!value || !value.payload) return;
      linkPart = value.query;
      own = value.own;
      changed = value.changed;
      const begin = performance.now();
      shown = shown || make();
      // A new comparison begins with what is new; a view that was already comparing stays as it is.
      const begins = value.payload.b && !(shown.payload && shown.payload.b);
      shown.payload = value.payload;
      if (begins) shown.state = { source: 'b' };
      performance.measure('daam-show', { start: begin, end: performance.now() });
      address();
      document.documentElement.dataset.daamShown = String(value.revision);
    };
    watch('value', show);
    if (props.value && props.value.payload) show();
    else {
      const empty = document.createElement('p');
      empty.className = 'dx-empty dx-empty-view';
      empty.textContent = 'The maps of every head, the learned parameters and the way back to the input appear here.';
      element.replaceChildren(empty);
    }
  };

  P.exact = function (element, props, watch) {
    watch('value', () => {
      if (props.value && shown) shown.answer(props.value.id, props.value.array || null);
    });
  };

  P.shown = () => shown;

  // ---- address ------------------------------------------------------------------------------------

  /** The view's address: the server's part, the view's part, and Gradio's own theme choice. */
  function address() {
    if (!shown) return;
    const state = stateToQuery(shown.state);
    const kept = new URLSearchParams(window.location.search).get('__theme');
    const parts = [linkPart, state, kept === 'dark' || kept === 'light' ? `__theme=${kept}` : ''];
    window.history.replaceState(window.history.state, '', `?${parts.filter(Boolean).join('&')}`);
  }

  P.copyLink = function () {
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
    const copied = navigator.clipboard ? navigator.clipboard.writeText(link) : Promise.reject(new Error('no clipboard'));
    copied.then(() => say(`Link copied. ${about}`), () => say(`Copy the address of this page. ${about}`));
  };

  // ---- download -----------------------------------------------------------------------------------

  /** Follows the link that the server has just put into the hidden download button. */
  P.download = function () {
    const place = document.querySelector('#download');
    const link = place && (place.matches('a') ? place : place.closest('a') || place.querySelector('a'));
    if (link && link.getAttribute('href')) link.click();
    else if (place) (place.matches('button') ? place : place.querySelector('button') || place).click();
  };

  // ---- theme --------------------------------------------------------------------------------------

  function dark() {
    return document.body.classList.contains('dark');
  }

  function setTheme(name) {
    document.body.classList.toggle('dark', name === 'dark');
    const button = document.querySelector('#theme-toggle');
    if (button) button.textContent = dark() ? 'Light' : 'Dark';
  }

  function stored() {
    try {
      return window.localStorage.getItem(THEME);
    } catch (error) {
      return null; // storage may be switched off
    }
  }

  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('#theme-toggle') : null;
    if (!button) return;
    const next = dark() ? 'light' : 'dark';
    setTheme(next);
    try {
      window.localStorage.setItem(THEME, next);
    } catch (error) {
      // The choice then lasts until the page is left.
    }
  });

  const ready = new MutationObserver(begin);
  ready.observe(document.documentElement, { childList: true, subtree: true });
  begin();

  function begin() {
    if (!document.querySelector('#theme-toggle')) return;
    ready.disconnect();
    setTheme(stored() || (dark() ? 'dark' : 'light'));
  }
}(window.DaamPage = window.DaamPage || {}));
