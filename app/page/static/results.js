// @ts-check
/** The results of this visit: which of them is on screen, which one is A, and buttons to choose others. */
import { node } from './nodes.js';

/** Fills an element with the list of `props.value`; triggers `show` and `compare` with a number. */
export function results(element, props, watch, trigger, [show, compare]) {
  const draw = () => {
    const list = props.value || [];
    const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest('.dx-results button'));
    const again = focused && element.contains(focused) ? focused.dataset : null;
    element.replaceChildren(
      node(
        'ol',
        { class: 'dx-results', 'aria-label': 'Results of this visit, newest first' },
        ...list.map(row),
      ),
    );
    // Drawn anew under the keyboard: it stays where it was.
    if (again)
      element.querySelector(`[data-does="${again.does}"][data-number="${again.number}"]:enabled`)?.focus();
  };
  const row = (result) => {
    const when = new Date(1000 * result.at);
    const button = (title, does, off, label) => {
      const made = node('button', { type: 'button', class: 'dx-plain dx-small', 'aria-label': label }, title);
      Object.assign(made.dataset, { does, number: result.number });
      made.disabled = off;
      made.addEventListener('click', () =>
        trigger(does === 'show' ? show : compare, { number: result.number }),
      );
      return made;
    };
    const what = `${result.input}, ${result.model}`;
    return node(
      'li',
      {
        'data-number': result.number,
        'data-probability': result.probability,
        ...(result.b && { 'aria-current': 'true' }),
      },
      node('span', { class: 'dx-letter' }, ...(result.letter ? [node('b', {}, result.letter)] : [])),
      node(
        'span',
        { class: 'dx-what' },
        result.input,
        ' ',
        node('span', { class: 'dx-badge' }, result.model),
      ),
      node('span', { class: 'dx-says' }, node('strong', {}, result.answer), ` ${result.share}`),
      node(
        'time',
        { datetime: when.toISOString() },
        when.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }),
      ),
      node(
        'span',
        { class: 'dx-does' },
        button(result.b ? 'On screen' : 'Show', 'show', result.b, `Show ${what}`),
        button(result.a ? 'Is A' : 'Use as A', 'compare', result.a, `Compare with ${what}`),
      ),
    );
  };
  watch('value', draw);
  draw();
}
