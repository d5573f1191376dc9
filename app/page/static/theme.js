// @ts-check
/** Light or dark, as the reader chose. */

const THEME = 'daam-theme';

function dark() {
  return document.body.classList.contains('dark');
}

function setTheme(name) {
  document.body.classList.toggle('dark', name === 'dark');
  nameButton();
}

/** The button offers the other one. */
function nameButton() {
  const button = document.querySelector('#theme-toggle');
  if (button) button.textContent = dark() ? 'Light' : 'Dark';
}

function stored() {
  try {
    return window.localStorage.getItem(THEME);
  } catch (_error) {
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
  } catch (_error) {
    // The choice then lasts until the page is left.
  }
});

const ready = new MutationObserver(begin);
ready.observe(document.documentElement, { childList: true, subtree: true });
begin();

function begin() {
  if (!document.querySelector('#theme-toggle')) return;
  ready.disconnect();
  // The page may turn dark by itself, after the system's setting, once the button is there.
  new MutationObserver(nameButton).observe(document.body, { attributes: true, attributeFilter: ['class'] });
  setTheme(stored() || (dark() ? 'dark' : 'light'));
}
