// @ts-check
/** A symbol's link opens the list of words, which is folded, and goes to its entry there. */
document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a.dx-term') : null;
  const entry = link && document.getElementById((link.getAttribute('href') || '#').slice(1));
  if (!entry) return;
  event.preventDefault(); // a page with a base address would be left
  const list = entry.closest('details');
  if (list) list.open = true;
  entry.setAttribute('tabindex', '-1');
  entry.focus({ preventScroll: true });
  entry.scrollIntoView({ block: 'center' });
});
