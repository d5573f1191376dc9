// @ts-check
/** A guided tour of about two minutes: a small dialog that walks along the page and uses its examples. */
import { openInput } from './fold.js';
import { shownView } from './shown_view.js';

/**
 * Place, title, text, [name of a button, what it presses one after the other], tab of the view.
 * @type {any[][]}
 */
const STEPS = [
  [
    '#step-input',
    'Give it something',
    'A sound, a text or a picture. Start with a text: “Between two topics” was written so that two subjects compete.',
    ['Explain this text', '#tab-text-button', '#example-news-mixed'],
  ],
  [
    '#step-prediction',
    'The answer',
    'It stays in sight: what was explained by which model, the class, and how probable the likeliest classes are. “Change input” opens the form again.',
    null,
  ],
  [
    '#view .dv-reading',
    'What the heads let through',
    'Each map is one head: a row is a layer, a column a feature. The Importance Factor says how strongly the head lets that cell through. All heads share one scale, so a weak head looks weak. Point at a cell for its numbers, click to keep it.',
    null,
    'heads',
  ],
  [
    '#view .dv-two',
    'One cell, one curve',
    'Every head learned a bell curve for every feature. The upright line is the value in this input. Where it meets the curve, you read the gate: how much of the value the head lets through.',
    null,
    'heatmap',
  ],
  [
    '#view .dv-figure',
    'Back to the words',
    'What speaks for the answer splits exactly over the words. Orange words speak for the class, blue words against it.',
    null,
    'input',
  ],
  [
    '#step-compare',
    'Ask “what if”',
    'Change the text, cut the sound, cover a part of the picture: the original becomes A, the change B. Or mute a head, and see what the model says without it. Every result stays in a list; any two can be compared.',
    null,
  ],
  [
    '#step-save',
    'Take it along',
    'Figures for print, an interactive page that works without network, every number, a notebook, or all of it in one ZIP. A link restores the model, the example and the view, never your own input.',
    null,
  ],
];

let step = 0;
/** @type {any} */
let dialog = null;

function press(selectors) {
  selectors.slice(1).forEach((selector, i) => {
    window.setTimeout(() => {
      const found = document.querySelector(selector);
      const button = found && (found.matches('button') ? found : found.querySelector('button'));
      button?.click();
    }, i * 200);
  });
}

/** Presses what a step offers, and goes on to what comes of it. */
function use(action) {
  press(action);
  step += 1;
  show();
}

function show() {
  const [place, title, text, action, tab] = STEPS[step];
  const find = (name) => dialog.querySelector(`.dx-tour-${name}`);
  find('count').textContent = `${step + 1} of ${STEPS.length}`;
  find('title').textContent = title;
  find('text').textContent = text;
  find('back').disabled = step === 0;
  find('next').textContent = step === STEPS.length - 1 ? 'Finish' : 'Next';
  const act = find('act');
  act.hidden = !action;
  act.textContent = action ? action[0] : '';
  act.onclick = action ? () => use(action) : null;
  openInput(step === 0); // a result has folded it
  const view = shownView();
  if (tab && view) view.state = { tab };
  // What is pointed at may be drawn just now.
  requestAnimationFrame(() => requestAnimationFrame(() => mark(place)));
}

function mark(place) {
  unmark();
  const target = document.querySelector(place) || document.querySelector('#step-why');
  if (!target || !dialog.open) return;
  target.classList.add('dx-toured');
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  const behavior = calm ? 'auto' : 'smooth';
  // What sticks is in sight wherever one is, and belongs above the maps.
  if (getComputedStyle(target).position === 'sticky') window.scrollTo({ top: 0, behavior });
  else target.scrollIntoView({ behavior, block: 'start' });
}

// The answer that was asked for has come: the page is another one now.
new MutationObserver(() => {
  if (dialog?.open) mark(STEPS[step][0]);
}).observe(document.documentElement, { attributes: true, attributeFilter: ['data-daam-shown'] });

function unmark() {
  for (const old of document.querySelectorAll('.dx-toured')) old.classList.remove('dx-toured');
}

function close() {
  unmark();
  dialog.close();
  /** @type {HTMLElement | null} */ (document.querySelector('#tour-open'))?.focus();
}

document.addEventListener('click', (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  if (target.closest('#tour-open')) {
    dialog = document.querySelector('#tour');
    if (!dialog) return;
    step = 0;
    if (!dialog.open) dialog.show();
    show();
    dialog.querySelector('.dx-tour-next').focus();
  } else if (dialog && target.closest('.dx-tour-next')) {
    step += 1;
    if (step >= STEPS.length) close();
    else show();
  } else if (dialog && target.closest('.dx-tour-back')) {
    step = Math.max(0, step - 1);
    show();
  } else if (dialog && target.closest('.dx-tour-close')) close();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && dialog && dialog.open) close();
});
