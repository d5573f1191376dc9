// @ts-check
/** Studies of data sets on this page: which one is shown, whom it asks, and the address that restores it. */
import { ofDataSet, onPage, showPage, themePart } from './pages.js';
import { shownView } from './shown_view.js';
import { DaamStudy, DEFAULTS, ofAnother, queryToState, stateToQuery } from './view/study/daam_study.js';

/** @type {DaamStudy | null} */
let shown = null;
/** @type {string[]} */
let names = [];
let name = ''; // of the study that is shown
let place = ''; // what the address was last written for
let missing = ''; // what the link asks for and is not here
let returning = false;
/** @type {HTMLElement | null} */
let said = null;

/** Fills an element with the studies that `props.value` names. */
export function study(element, props, _watch, trigger, [explain]) {
  names = (props.value?.studies || []).map((one) => one.name);
  said = document.createElement('div');
  element.replaceChildren(...(names.length > 1 ? [chooser()] : []), said);
  const view = new DaamStudy();
  shown = view;
  view.addEventListener('state', address);
  view.addEventListener('explain', (told) => {
    trigger(explain, /** @type {CustomEvent} */ (told).detail);
    window.history.pushState(window.history.state, '', window.location.search);
    showPage('input');
    window.scrollTo({ top: 0 });
  });
  element.append(view);
  onPage(() => ofDataSet() && open());
  // Whoever pressed the tab before this script was here stays there.
  if (ofDataSet() && !new URLSearchParams(window.location.search).has('study')) open();
  else restore();
}

/** What the address asks for: a study and what of it, or none. */
function restore() {
  const query = window.location.search.slice(0, 4000);
  const wanted = new URLSearchParams(query).get('study');
  if (wanted === null) {
    showPage('input');
    return;
  }
  const known = names.includes(wanted);
  missing = known ? '' : `The link names the study “${wanted.slice(0, 40)}”, which is not here.`;
  if (known && name !== wanted) {
    name = wanted;
    if (shown) shown.payload = null;
  }
  if (shown) shown.state = { ...DEFAULTS, ...queryToState(query) };
  if (ofDataSet()) open();
  else showPage('data-set');
}

window.addEventListener('popstate', () => {
  if (!shown) return;
  returning = true;
  restore();
  returning = false;
});

/** Shows the study, once it came. */
async function open() {
  if (!shown) return;
  name = name || names[0];
  if (shown.payload?.name === name) {
    shown.refresh(); // another input may be on screen
    address();
    return;
  }
  const view = shown;
  const asked = name;
  say('Reading the study …');
  const list = document.querySelector('#study-name');
  if (list instanceof HTMLSelectElement) list.value = name;
  try {
    const payload = await ask(asked, 'payload', {});
    if (asked !== name) return;
    say(missing);
    missing = '';
    view.source = {
      ask: (question, wanted) => ask(asked, question, wanted),
      address: (kind, number) => at(asked, `${kind}/${number}`),
    };
    const explains = payload.explains;
    view.options = { theme: 'class', heading: 3, explains, current: onScreen, cell: chosenCell };
    view.payload = payload;
    place = '';
    address();
    document.documentElement.dataset.daamStudy = asked;
  } catch (error) {
    say(String(/** @type {Error} */ (error).message));
  }
}

/** @param {string} text */
function say(text) {
  if (!said) return;
  const line = document.createElement('p');
  line.className = 'dx-status dx-info';
  line.setAttribute('role', 'status');
  line.textContent = text;
  said.replaceChildren(...(text ? [line] : []));
}

/** @param {string} study @param {string} path */
function at(study, path) {
  return new URL(`studies/${encodeURIComponent(study)}/${path}`, document.baseURI).href;
}

/** Asks this page's server. @param {string} study @param {string} question @param {Record<string, any>} wanted */
async function ask(study, question, wanted) {
  const lists = ['inputs', 'slices', 'keep', 'drop', 'rename'].includes(question);
  const query = new URLSearchParams(
    Object.entries(lists ? {} : wanted).filter(([, value]) => value !== null),
  ).toString();
  const answer = await fetch(
    at(study, `${question}${query && '?'}${query}`),
    lists
      ? { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(wanted) }
      : {},
  ).catch(() => {
    throw new Error('The server does not answer; is it still running?');
  });
  const told = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(told?.error || 'The server could not answer; try again later.');
  return told;
}

/** The list of studies, where there are several. */
function chooser() {
  const box = document.createElement('p');
  box.className = 'dx-study-name';
  const label = document.createElement('label');
  label.textContent = 'Study ';
  const list = document.createElement('select');
  list.id = 'study-name';
  for (const one of names) list.add(new Option(one, one));
  list.addEventListener('change', () => {
    name = list.value;
    if (shown) {
      const begin = ofAnother(shown.state);
      shown.payload = null;
      shown.state = begin;
      shown.store.placed = false; // a place of its own
    }
    open();
  });
  label.append(list);
  box.append(label);
  return box;
}

/**
 * The number that the explained input has at a place, if it is one of the same classifier's.
 * @param {{head: number | null, layer: number | null, feature: number | null}} where
 * @param {string} quantity
 * @returns {number | null}
 */
function onScreen({ head, layer, feature }, quantity) {
  const result = shownView()?.store.result();
  if (!result || result.raw.checkpoint !== shown?.payload?.facts.checkpoint) return null;
  let [sum, count] = [0, 0];
  const heads = quantity === 'values' ? [0] : Array.from({ length: result.H }, (_, h) => h);
  for (const h of heads) {
    if (quantity !== 'values' && head !== null && h !== head) continue;
    const map = result.map(quantity, h, 'all_heads');
    if (!map) return null;
    for (let l = 0; l < result.L; l += 1) {
      if ((layer !== null && l !== layer) || (quantity !== 'values' && !result.seen(h, l))) continue;
      for (let f = 0; f < result.F; f += 1) {
        if (feature !== null && f !== feature) continue;
        sum += map[l * result.F + f];
        count += 1;
      }
    }
  }
  return count ? sum / count : null;
}

/** The cell that is chosen in the view of one input, if it is of the same classifier. */
function chosenCell() {
  const view = shownView();
  const result = view?.store.result();
  const chosen = view?.state;
  if (!chosen?.cell || result?.raw.checkpoint !== shown?.payload?.facts.checkpoint) return null;
  return { head: chosen.head, layer: chosen.cell.layer, feature: chosen.cell.feature };
}

/** Going to another tab, place or comparison is a step that one can go back from. */
function address() {
  if (!shown?.payload || !ofDataSet()) return;
  const { tab, place: where, first, second } = shown.state;
  const now = JSON.stringify([name, tab, tab === 'cells' && where, tab === 'slices' && [first, second]]);
  const own = new URLSearchParams({ study: name }).toString();
  const query = `?${[own, stateToQuery(shown.state), themePart()].filter(Boolean).join('&')}`;
  if (place && place !== now && !returning) window.history.pushState(window.history.state, '', query);
  else window.history.replaceState(window.history.state, '', query);
  place = now;
}
