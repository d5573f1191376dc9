// @ts-check
/** All inputs that fit the filter, one a line; only the lines in sight are in the page. */
import { range } from '../arrays.js';
import * as format from '../format.js';
import { html, useEffect, useId, useLayoutEffect, useRef, useState, useWidth } from '../html.js';
import { PlaceName, useStudy } from './parts.js';
import { placeName } from './store.js';

const LINE = 40; // pixels
const PICTURE_LINE = 56;
const NARROW = 560; // below it, a line has two rows of text
const NARROW_LINE = 68;
const SPARE = 6; // lines above and below those in sight
const MOST_HEIGHT = () => Math.max(560, Math.round(0.7 * window.innerHeight));
const NARROW_HEIGHT = 340; // what is chosen stands below it

const TITLE = 'True class ↓'.length;
const MOST_LETTERS = 28; // of a class's name
const LETTER = 0.85; // of a digit's width, on average

const OUTSIDE = 'Unlike training';

/** What a heading alone does not say. @param {import('./store.js').StudyStore} store @returns {Record<string, string>} */
function meanings({ state, payload }) {
  return {
    outside:
      'How unlike the training data: the percent of inputs known in training that lie closer to it; 95 % and more is unusual',
    score: `${payload?.quantities[state.quantity]?.name || 'Score'} of ${placeName(state.place)}`,
  };
}

/** @typedef {{key: string, title: string, down: boolean, number?: boolean}} Column */

/** @param {import('./store.js').StudyStore} store @returns {Column[]} */
function columnsOf(store) {
  const { columns } = store;
  return [
    { key: 'place', title: 'Input', down: false },
    { key: 'label', title: 'True class', down: false },
    { key: 'prediction', title: 'Predicted', down: false },
    { key: 'confidence', title: 'Probability', down: true, number: true },
    ...(columns.seconds ? [{ key: 'seconds', title: 'Seconds', down: true, number: true }] : []),
    ...(columns.outside ? [{ key: 'outside', title: OUTSIDE, down: true, number: true }] : []),
    ...(store.state.sort === 'score'
      ? [
          {
            key: 'score',
            title: store.payload?.quantities[store.state.quantity]?.name || 'Score',
            down: true,
            number: true,
          },
        ]
      : []),
  ];
}

/** Of the numbers beside the probability, a narrow line has room for one. @param {import('./store.js').StudyStore} store @param {boolean} narrow */
function fitsIn({ columns, state }, narrow) {
  const one =
    state.sort === 'score' || state.sort === 'seconds' ? state.sort : columns.outside ? 'outside' : 'seconds';
  /** @param {Column} column */
  return ({ key }) => !narrow || !['score', 'outside', 'seconds'].includes(key) || key === one;
}

export function InputTable() {
  const store = useStudy();
  const { columns, state, payload } = store;
  const rows = store.rows();
  const id = useId('table');
  const place = useRef(null);
  const width = useWidth(place);
  const [top, setTop] = useState(0);
  const narrow = width > 0 && width < NARROW;
  const pictures = payload?.facts.modality === 'image';
  const line = narrow ? NARROW_LINE : pictures ? PICTURE_LINE : LINE;
  const chosen = rows.indexOf(store.row());
  const height = Math.min(narrow ? NARROW_HEIGHT : MOST_HEIGHT(), Math.max(1, rows.length) * line);
  const first = Math.max(0, Math.floor(top / line) - SPARE);
  const last = Math.min(rows.length, Math.ceil((top + height) / line) + SPARE);
  const shown = columnsOf(store).filter(fitsIn(store, narrow));
  const told = meanings(store);

  /** @param {number} at */
  const reveal = (at) => {
    const box = place.current;
    if (at < 0 || !box) return;
    if (at * line < box.scrollTop) box.scrollTop = at * line;
    else if ((at + 1) * line > box.scrollTop + box.clientHeight) {
      box.scrollTop = (at + 1) * line - box.clientHeight;
    }
  };
  // Chosen elsewhere, such as on the plane: the table goes there.
  useEffect(() => reveal(chosen), [state.input, line]);
  // Another order or filter begins at its top, where the chosen input is not in it.
  useLayoutEffect(() => {
    // Asking for it costs a layout, so only where it is scrolled.
    if (top > 0 && chosen < 0) place.current.scrollTop = 0;
  }, [rows]);

  /** @param {number} at */
  const choose = (at) => {
    if (rows[at] !== undefined) store.set({ input: columns.number[rows[at]] });
  };
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    if (e.altKey || e.ctrlKey || e.metaKey) return;
    const page = Math.max(1, Math.floor(height / line) - 1);
    /** @type {Record<string, number>} */
    const moves = {
      ArrowDown: chosen + 1,
      ArrowUp: chosen < 0 ? 0 : chosen - 1,
      PageDown: chosen + page,
      PageUp: chosen - page,
      Home: 0,
      End: rows.length - 1,
    };
    if (e.key === 'Enter' && chosen >= 0 && store.explain) store.explain(store.state.input);
    else if (moves[e.key] === undefined || !rows.length) return;
    else choose(Math.min(rows.length - 1, Math.max(0, moves[e.key])));
    e.preventDefault();
  };
  /** @param {Column} column */
  const sortBy = ({ key, down }) =>
    store.set(state.sort === key ? { down: !state.down } : { sort: key, down });

  // A list is called one where there is something in it.
  const list = rows.length > 0 && {
    role: 'listbox',
    tabindex: 0,
    'aria-label': `Inputs: up and down choose one${store.explain ? ', Enter explains it' : ''}`,
  };

  return html`<div class="ds-table ${narrow ? 'ds-narrow' : ''} ${rows.length * line > height ? 'ds-scrolls' : ''} ${pictures ? 'ds-pictures' : ''}" style=${{ '--ds-columns': template(shown, pictures, columns.classes) }}>
    <div class="ds-line ds-head">
      ${pictures && html`<span></span>`}
      ${shown.map((column) => {
        const on = state.sort === column.key;
        return html`<button
          type="button"
          key=${column.key}
          class="dv-link ds-${column.key} ${column.number ? 'dv-num' : ''} ${on ? 'dv-strong' : ''}"
          aria-pressed=${String(on)}
          title=${told[column.key] || `Sort by ${column.title.toLowerCase()}`}
          onClick=${() => sortBy(column)}
        >
          ${column.title}${on && html` <span aria-hidden="true">${state.down ? '↓' : '↑'}</span>`}
        </button>`;
      })}
    </div>
    <div
      ref=${place}
      class="ds-scroll"
      style=${{ height: `${height}px` }}
      ...${list}
      aria-activedescendant=${chosen >= first && chosen < last ? `${id}-${chosen}` : undefined}
      onScroll=${(e) => setTop(e.currentTarget.scrollTop)}
      onKeyDown=${key}
    >
      ${
        rows.length === 0
          ? html`<p class="ds-none">No input fits the filter.</p>`
          : html`<div class="ds-all" style=${{ height: `${rows.length * line}px` }}>
              ${range(Math.max(0, last - first)).map((i) => {
                const at = first + i;
                return html`<${Line}
                  key=${at}
                  id="${id}-${at}"
                  row=${rows[at]}
                  at=${at}
                  count=${rows.length}
                  top=${at * line}
                  height=${line}
                  shown=${shown}
                  pictures=${pictures}
                  chosen=${at === chosen}
                  onChoose=${() => choose(at)}
                />`;
              })}
            </div>`
      }
    </div>
  </div>`;
}

/**
 * The class columns take what their longest name needs, up to a limit, and what inputs are called takes the rest.
 * @param {Column[]} shown
 * @param {boolean} pictures
 * @param {string[]} classes
 */
function template(shown, pictures, classes) {
  const longest = Math.max(TITLE, ...classes.map((name) => name.length));
  const widths = shown.map(({ key, number }) => {
    if (key === 'place') return 'minmax(160px, 1fr)';
    return number ? '76px' : `minmax(0, ${LETTER * Math.min(MOST_LETTERS, longest)}ch)`;
  });
  return [...(pictures ? ['48px'] : []), ...widths].join(' ');
}

function Line({ id, row, at, count, top, height, shown, pictures, chosen, onChoose }) {
  const store = useStudy();
  const { columns, source } = store;
  const scores = store.state.sort === 'score' ? store.scores() : null;
  const right = columns.right[row] === 1;
  /** @type {Record<string, any>} */
  const cells = {
    place: columns.text ? columns.text[row] || columns.name[row] : columns.name[row],
    label: columns.className(columns.label[row]),
    prediction: columns.className(columns.prediction[row]),
    confidence: format.probability(columns.confidence[row]),
    seconds: columns.seconds ? format.fixed(columns.seconds[row], 1) : '',
    outside:
      columns.outside && columns.outside[row] >= 0 ? `${format.fixed(columns.outside[row], 1)} %` : '–',
    score: scores ? format.short(scores[row]) : '…',
  };
  return html`<div
    id=${id}
    class="ds-line ds-row ${right ? '' : 'ds-error'}"
    role="option"
    aria-selected=${String(chosen)}
    aria-setsize=${count}
    aria-posinset=${at + 1}
    data-number=${columns.number[row]}
    style=${{ top: `${top}px`, height: `${height}px` }}
    onClick=${onChoose}
  >
    ${
      pictures &&
      html`<img
        key=${row}
        class="ds-thumb"
        src=${source?.address('thumbnail', columns.number[row])}
        alt=""
        loading="lazy"
        width="48"
        height="48"
      />`
    }
    ${shown.map(
      ({ key, number }) =>
        html`<span key=${key} class="ds-cell ds-${key} ${number ? 'dv-num' : ''}" title=${key === 'place' ? columns.whereOf(row) : number ? undefined : cells[key]}
          >${key === 'place' && !columns.text ? html`<${PlaceName} name=${cells.place} end=${columns.end} />` : cells[key]}</span
        >`,
    )}
  </div>`;
}
