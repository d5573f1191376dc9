// @ts-check
/** Two pages in one: that of one input and that of a whole data set, where there is a study. */

/** @type {Set<(name: string) => void>} */
const followers = new Set();
const root = document.documentElement;

/** Whether the data set is shown, or asked for by the address. */
export function ofDataSet() {
  return root.dataset.dxPage === 'data-set';
}

/** Calls `follow` whenever the other page is shown. @param {(name: string) => void} follow */
export function onPage(follow) {
  followers.add(follow);
}

/** @param {string} name `input` or `data-set` */
export function showPage(name) {
  for (const tab of document.querySelectorAll('#pages [role=tab]')) {
    const on = /** @type {HTMLElement} */ (tab).dataset.page === name;
    tab.setAttribute('aria-selected', String(on));
    tab.setAttribute('tabindex', on ? '0' : '-1');
  }
  if ((root.dataset.dxPage || 'input') === name) return;
  root.dataset.dxPage = name;
  for (const follow of followers) follow(name);
}

/** The theme that Gradio keeps in the address, for another address of this page. */
export function themePart() {
  const kept = new URLSearchParams(window.location.search).get('__theme');
  return kept === 'dark' || kept === 'light' ? `__theme=${kept}` : '';
}

/** @param {string} name */
function go(name) {
  if ((root.dataset.dxPage || 'input') === name) return;
  window.history.pushState(window.history.state, '', window.location.search); // one can go back
  if (name === 'input') window.history.replaceState(window.history.state, '', `?${themePart()}`);
  showPage(name);
}

document.addEventListener('click', ({ target }) => {
  const tab = target instanceof Element ? target.closest('#pages [role=tab]') : null;
  if (tab instanceof HTMLElement) go(tab.dataset.page || 'input');
});

// The tour walks along the page of one input. Before its own listener, which looks for that page's parts.
document.addEventListener(
  'click',
  ({ target }) => target instanceof Element && target.closest('#tour-open') && go('input'),
  true,
);

document.addEventListener('keydown', (event) => {
  const { key, target } = event;
  const tab = target instanceof Element ? target.closest('#pages [role=tab]') : null;
  if (!(tab instanceof HTMLElement) || !['ArrowLeft', 'ArrowRight'].includes(key)) return;
  event.preventDefault();
  const other = tab.dataset.page === 'input' ? 'data-set' : 'input';
  go(other);
  document.getElementById(`page-${other}`)?.focus();
});
