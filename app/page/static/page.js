/*
 * The page's own script: mounts the interactive view, keeps the address in step with it, and does the
 * few things that only a browser can (theme, clipboard, download).
 *
 * window.DaamPage = {view, exact, load, region, query, download, copyLink, shown}
 */
(function (P) {
  'use strict';

  const THEME = 'daam-theme';
  const PATIENCE = 20000; // milliseconds that an exact array may take

  let mounted = null; // what DaamView.mount returned
  let linkPart = ''; // what the server says is explained
  let firstState = null; // what the address asked the view to show
  let own = false;
  let changed = false;
  let comparing = false;
  const waiting = new Map();
  let asked = 0;

  // ---- the interactive view -----------------------------------------------------------------------

  P.view = function (element, props, watch, trigger, events) {
    firstState = DaamView.queryToState(P.query());
    const [cell, target, exact] = events;
    P.load = (source, name, head) => new Promise((resolve, reject) => {
      asked += 1;
      const id = asked;
      waiting.set(id, resolve);
      setTimeout(() => {
        if (waiting.delete(id)) reject(new Error('The exact values did not arrive.'));
      }, PATIENCE);
      trigger(exact, { id: id, source: source, name: name, head: head });
    });
    const show = () => {
      const value = props.value;
      if (!value || !value.payload) return;
      linkPart = value.query;
      own = value.own;
      changed = value.changed;
      const begin = performance.now();
      // A new comparison begins with what is new; a view that was already comparing stays as it is.
      const begins = Boolean(value.payload.b) && !comparing;
      comparing = Boolean(value.payload.b);
      const state = begins ? { source: 'b' } : {};
      if (mounted) {
        mounted.update(value.payload);
        mounted.setState(state);
      } else {
        mounted = DaamView.mount(element, value.payload, {
          theme: 'class',
          heading: 3,
          state: Object.assign({}, state, firstState),
          onChange: address,
          onSelect: (chosen) => trigger(cell, chosen),
          onClass: (index) => trigger(target, { index: index }),
          load: P.load,
        });
      }
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
      const answer = props.value;
      const resolve = answer && waiting.get(answer.id);
      if (!resolve) return;
      waiting.delete(answer.id);
      resolve(answer.array || null);
    });
  };

  P.shown = () => mounted;

  // ---- address ------------------------------------------------------------------------------------

  P.query = () => window.location.search.slice(0, 4000);

  /** The view's address: the server's part, the view's part, and Gradio's own theme choice. */
  function address() {
    if (!mounted) return;
    const state = DaamView.stateToQuery(mounted.getState());
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

  const ready = new MutationObserver(() => {
    if (!document.querySelector('#theme-toggle')) return;
    ready.disconnect();
    setTheme(stored() || (dark() ? 'dark' : 'light'));
    if (P.ready) P.ready();
  });
  ready.observe(document.documentElement, { childList: true, subtree: true });
}(window.DaamPage = window.DaamPage || {}));
