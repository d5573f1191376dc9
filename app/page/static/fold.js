// @ts-check
/**
 * The input's form is folded away while its result is read, and the answer stays in sight above the maps. The
 * style sheet does the folding, by whether there is a result and whether `#ask` has data-open.
 */

let given = false; // the newest result may be of something that was given in the form

/** @param {string} selector @returns {HTMLElement | null} */
const find = (selector) => document.querySelector(selector);

/** Opens or folds the form. @param {boolean} open */
export function openInput(open) {
  find('#ask')?.toggleAttribute('data-open', open);
  find('#change-given')?.setAttribute('aria-expanded', String(open));
}

/** A result has come: the form makes room for it, and whoever was in it goes on at its button. */
export function foldInput() {
  const ask = find('#ask');
  const first = !ask?.hasAttribute('data-answered');
  const open = first || ask?.hasAttribute('data-open');
  ask?.setAttribute('data-answered', '');
  openInput(false);
  if (!open) return;
  if (given) window.scrollTo({ top: 0 });
  const goesOn = given;
  given = false;
  // Once the answer is there, and the form has gone.
  const settle = (tries) => {
    const button = find('#change-given');
    if (!button && tries) {
      requestAnimationFrame(() => settle(tries - 1));
      return;
    }
    follow();
    if (goesOn) button?.focus({ preventScroll: true });
  };
  requestAnimationFrame(() => settle(60));
}

let followed = /** @type {Element | null} */ (null);
const heights = new ResizeObserver(([entry]) => {
  const height = find('#ask')?.hasAttribute('data-answered')
    ? entry.target.getBoundingClientRect().height
    : 0;
  document.documentElement.style.setProperty('--daam-top', `${Math.ceil(height)}px`);
});

/** What sticks below the answer knows its height. */
function follow() {
  const strip = find('#step-prediction');
  if (!strip || strip === followed) return;
  if (followed) heights.unobserve(followed);
  heights.observe(strip);
  followed = strip;
}

// What was wrong with one kind of input says nothing of another: it goes with its tab.
document.addEventListener('click', ({ target }) => {
  const tab = target instanceof Element ? target.closest('#give-tabs [role="tab"]') : null;
  const status = find('#status');
  const ask = find('#ask');
  if (!tab || !ask || !status?.querySelector('.dx-error')) return;
  ask.setAttribute('data-elsewhere', '');
  const told = new MutationObserver(() => {
    ask.removeAttribute('data-elsewhere');
    told.disconnect();
  });
  told.observe(status, { childList: true, subtree: true, characterData: true });
});

document.addEventListener('focusin', ({ target }) => {
  given = target instanceof Element && Boolean(target.closest('#step-input'));
});
document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('#change-given') : null;
  if (button) openInput(button.getAttribute('aria-expanded') !== 'true');
  // A list of classes closes when one goes on elsewhere.
  for (const list of document.querySelectorAll('.dx-all[open]'))
    if (target instanceof Node && !list.contains(target)) list.removeAttribute('open');
});
// On a phone the warning is one line, and its reasons are asked for.
document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('.dx-unfold') : null;
  button?.setAttribute('aria-expanded', String(button.getAttribute('aria-expanded') !== 'true'));
});
document.addEventListener('keydown', ({ key, target }) => {
  const list = key === 'Escape' && target instanceof Element ? target.closest('.dx-all[open]') : null;
  list?.removeAttribute('open');
  list?.querySelector('summary')?.focus();
});
