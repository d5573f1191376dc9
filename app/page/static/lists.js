// @ts-check
/** Gradio's lists of options stay open when one goes on with the tab key; here they close. */

document.addEventListener('keydown', ({ key, target }) => {
  if (key !== 'Tab' || !(target instanceof HTMLInputElement)) return;
  if (target.getAttribute('aria-expanded') !== 'true') return;
  // Once the list's own listener, which opens it at any key, is done.
  setTimeout(() => target.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true })));
});
