// @ts-check
/** Beside the choice of a model: whether its encoder is loaded, or still warming up. */

const SAID = {
  ready: 'Model ready.',
  loading: 'Model loading: what you explain now waits for it.',
  missing: 'This model cannot be loaded; “Explain” says why.',
};
const ASK_EVERY = 1000; // milliseconds, while one is loading

/** @type {Record<string, keyof typeof SAID>} */
let states = {};
let again = true;

/** Into every place there is. */
function say() {
  for (const place of document.querySelectorAll('[data-encoder-of]')) {
    const state = states[place.getAttribute('data-encoder-of') || ''];
    const text = state ? SAID[state] : '';
    if (place.textContent !== text) place.textContent = text;
    if (state) place.setAttribute('data-state', state);
  }
}

async function ask() {
  try {
    const answer = await fetch(new URL('encoders', document.baseURI));
    states = answer.ok ? await answer.json() : {};
    again = Object.values(states).includes('loading');
  } catch (_error) {
    // The server is not to be reached: nothing new is known.
  }
  say();
  if (again) setTimeout(ask, ASK_EVERY);
}

/** For what is said of a model: that of another comes with the choice of it. */
export function encoders(watch) {
  watch('value', () => requestAnimationFrame(say));
  say();
}

ask();
