// @ts-check
/** The frame around every figure, tables, names of heads, and the bar with a scale's colours. */
import { headColour } from './colour.js';
import * as format from './format.js';
import { html, useEffect, useHeading, useId, useLayoutEffect, useRef, useState, useStore } from './html.js';
import { SaveMenu } from './save_menu.js';
import { numeralText, padding } from './sheets.js';

/** Letters of help that a narrow page shows whole. */
const MUCH = 360;
export const TOO_LARGE = 'These numbers are too large to be part of this page.';

/**
 * Title, controls, body, one sentence of help, the figure's numbers as a table, and the figure as a file.
 * `table` is called while the table is open; csv, ofClass, both and head: see save_menu.js; quantity: of which there are
 * maps, and what they do not show goes with a saved figure.
 * @param {any} props
 */
export function Figure({
  title,
  help,
  controls,
  table,
  csv,
  quantity = '',
  ofClass = false,
  both = false,
  head = null,
  children,
}) {
  const store = useStore();
  const id = useId('figure');
  const heading = useHeading();
  const [open, setOpen] = useState(false);
  const body = useRef(null);
  return html`<section class="dv-figure" aria-labelledby=${id}>
    <div class="dv-figure-head">
      <${`h${heading}`} class="dv-title" id=${id}>${withTerms(title)}<//>
      ${
        table &&
        html`<button
          type="button"
          class="dv-button dv-quiet-button"
          aria-expanded=${String(open)}
          aria-controls="${id}-table"
          onClick=${() => setOpen(!open)}
        >
          ${open ? 'Hide table' : 'Show as table'}
        </button>`
      }
      ${csv && html`<${SaveMenu} title=${title} body=${body} csv=${csv} ofClass=${ofClass} both=${both} head=${head} />`}
    </div>
    ${help && html`<${Help} text=${help} />`}
    ${controls && html`<div class="dv-controls">${controls}</div>`}
    <div class="dv-body" ref=${body}>
      ${children}
      ${quantity && html`<p class="dv-caution">${store.quantities[quantity].caution}</p>`}
    </div>
    <div class="dv-table-place" id="${id}-table" hidden=${!open}>${open && table()}</div>
  </section>`;
}

/** What a figure means. On a narrow page much of it is folded. @param {{text: string}} props */
function Help({ text }) {
  const [open, setOpen] = useState(false);
  const folds = text.length > MUCH;
  return html`<div class="dv-help ${folds && !open ? 'dv-folded' : ''}">
    <p>${withTerms(text)}</p>
    ${
      folds &&
      html`<button type="button" class="dv-link dv-unfold" aria-expanded=${String(open)} onClick=${() => setOpen(!open)}
        >${open ? 'Less help' : 'More help'}</button
      >`
    }
  </div>`;
}

/**
 * A symbol with its meaning: on pointing at it, and when pressed with a link to the list of words, where
 * the page has one. What is no symbol stays as it is.
 * @param {{name: string}} props
 */
export function Term({ name }) {
  const store = useStore();
  const id = useId('term');
  const [open, setOpen] = useState(false);
  const place = useRef(null);
  const meaning = store.payload?.terms?.[name];
  useEffect(() => {
    if (!open) return undefined;
    /** @param {Event} event */
    const close = (event) => {
      const inside = event.target instanceof Node && place.current?.contains(event.target);
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !inside) setOpen(false);
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('keydown', close);
    };
  }, [open]);
  if (!meaning) return name;
  const entry = document.getElementById(`term-${name}`);
  /** @param {Event} event */
  const show = (event) => {
    event.preventDefault(); // a page with a base address would be left
    const list = entry?.closest('details');
    if (list) list.open = true;
    entry?.scrollIntoView({ block: 'center' });
    setOpen(false);
  };
  const box = open && place.current?.getBoundingClientRect();
  const widest = Math.min(280, 0.6 * window.innerWidth) + 8;
  const left = box ? Math.min(0, window.innerWidth - widest - box.left) : 0; // what is told stays on the page
  return html`<span class="dv-term-place" ref=${place}
    ><button
      type="button"
      class="dv-link dv-term"
      title=${meaning}
      aria-expanded=${String(open)}
      aria-controls=${id}
      onClick=${() => setOpen(!open)}
    >
      ${name}</button
    >${
      open &&
      html`<span class="dv-term-tip" style=${{ left: `${left}px` }} id=${id} role="note"
        >${meaning}${entry && html` <a href="#term-${name}" onClick=${show}>Words and symbols</a>`}</span
      >`
    }</span
  >`;
}

/** A figure that has nothing to show, and says why. */
export function EmptyFigure({ title, children }) {
  return html`<${Figure} title=${title}><p class="dv-empty">${children}</p><//>`;
}

/**
 * A number of an array as people read it, four digits of it; pointing at it or copying it gives all of
 * them. `known`: whether the array behind it is exact.
 * @param {{value: number | null, known?: boolean, text?: string}} props
 */
export function Numeral({ value, known = true, text }) {
  const whole = format.exact(value);
  if (value === null || Number.isNaN(value)) return whole;
  const read = numeralText(value, known, text);
  return html`<data class="dv-numeral" value=${whole} title=${known ? whole : `${read}: known only rounded`}
    >${read}</data
  >`;
}

/**
 * A sentence whose numbers are in full where they are pointed at or copied; as text: told() in sheets.js.
 * @param {{parts: Parameters<typeof import('./sheets.js').told>[0]}} props
 */
export function Told({ parts }) {
  return parts.map((part) => (typeof part === 'string' ? part : html`<${Numeral} ...${part} />`));
}

/**
 * Puts numbers that are selected into the clipboard with all their digits.
 * @param {ClipboardEvent} event
 */
export function copyWhole(event) {
  const selection = document.getSelection();
  if (!selection?.rangeCount || !event.clipboardData) return;
  const range = selection.getRangeAt(0);
  // A number that is only partly selected, as after a double click, counts as selected.
  const inside = /** @type {Element | null} */ (
    range.commonAncestorContainer.parentElement?.closest('data.dv-numeral')
  );
  const copied = document.createElement('div');
  copied.append(inside ? inside.cloneNode(true) : range.cloneContents());
  const numbers = copied.querySelectorAll('data.dv-numeral');
  if (!numbers.length) return;
  for (const number of numbers) number.textContent = number.getAttribute('value');
  // Laid out as on the page, so that what stands apart there stays apart.
  for (const part of copied.querySelectorAll('dt, dd, td, th')) part.append(' ');
  event.clipboardData.setData('text/plain', (copied.textContent || '').trim().replace(/\s+/g, ' '));
  event.preventDefault();
}

/** Cells are text, numbers (sheets.js), heads as {head}, or elements. @param {import('./sheets.js').Listed} props */
export function Table({ caption, columns, rows }) {
  const titles = columns.map((c) => (typeof c === 'string' ? { title: c } : c));
  /** @param {number} i */
  const kind = (i) => (titles[i].number ? 'dv-num' : undefined);
  const paddings = titles.map((c, i) => (c.number ? padding(rows.map((row) => row[i])) : []));
  /** @param {any} content @param {number} i @param {number} r */
  const cell = (content, i, r) => {
    let shown = content;
    if (content && typeof content === 'object') {
      if ('known' in content) shown = html`<${Numeral} ...${content} />`;
      else if ('head' in content) shown = html`<${HeadName} head=${content.head} />`;
    }
    return [shown, paddings[i][r] || ''];
  };
  return html`<${TableFrame} caption=${caption}>
    <thead>
      <tr>
        ${titles.map((c, i) => html`<th scope="col" class=${kind(i)}>${c.number ? heading(c.title) : withTerms(c.title)}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ([first, ...rest], r) =>
          html`<tr>
            <th scope="row" class=${kind(0)}>${cell(first, 0, r)}</th>
            ${rest.map((content, i) => html`<td class=${kind(i + 1)}>${cell(content, i + 1, r)}</td>`)}
          </tr>`,
      )}
    </tbody>
  <//>`;
}

/** A text in which symbols explain themselves, each where it stands first. @param {any} text */
export function withTerms(text) {
  if (typeof text !== 'string') return text;
  const told = new Set();
  return text.split(/(\bDA\b|\bIF\b|[δξλ])/).map((part, i) => {
    if (i % 2 === 0 || told.has(part)) return part;
    told.add(part);
    return html`<${Term} name=${part} />`;
  });
}

/** A title that may begin with a symbol, such as `δ max`. @param {string} title */
function heading(title) {
  const [, symbol, rest = ''] = title.match(/^([^\s,]+)(.*)$/s) || ['', title];
  return html`<${Term} name=${symbol} />${rest}`;
}

/** A table that scrolls sideways in a frame of its own. */
export function TableFrame({ caption, kind = '', children }) {
  const frame = useRef(null);
  const [more, setMore] = useState(false);
  // A table that goes on beyond its frame fades out there, and says which way to scroll.
  const look = () => {
    const { scrollLeft, clientWidth, scrollWidth } = frame.current;
    setMore(scrollLeft + clientWidth < scrollWidth - 2);
  };
  // Told of sizes once they are known: to ask for them after each change would lay the page out for each table.
  useLayoutEffect(() => {
    const observer = new ResizeObserver(look);
    for (const part of [frame.current, frame.current.firstElementChild]) observer.observe(part);
    return () => observer.disconnect();
  }, []);
  return html`<div
    ref=${frame}
    class="dv-table-wrap ${more ? 'dv-more' : ''}"
    tabindex="0"
    role="region"
    aria-label=${caption}
    onScroll=${look}
  >
    <table class="dv-table ${kind}">
      <caption>
        <span class="dv-caption">${caption}${more && html`<span class="dv-scroll-cue">Scroll sideways for more →</span>`}</span>
      </caption>
      ${children}
    </table>
  </div>`;
}

/** Coloured mark and name of a head, with more behind it; `short` leaves the number only. */
export function HeadName({ head, more, short = false }) {
  return html`<span class="dv-head-name"
    ><span class="dv-chip" style=${{ background: headColour(head) }} aria-hidden="true"></span
    >${short ? String(head) : `Head ${head}`}${more && html`<span class="dv-quiet"> ${more}</span>`}</span
  >`;
}

/** Legend of heads; `more(head)` adds a number behind a name. */
export function Legend({ heads, more }) {
  return html`<ul class="dv-legend">
    ${heads.map((head) => html`<li><${HeadName} head=${head} more=${more?.(head)} /></li>`)}
  </ul>`;
}

/**
 * Bar with the colours of a scale, its numbers and what they mean.
 * @param {{scale: import('./colour.js').Scale, children: any, ends?: string[]}} props ends: words for its ends
 */
export function ColourBar({ scale, children, ends = [] }) {
  const canvas = useRef(null);
  useLayoutEffect(() => {
    const pen = canvas.current.getContext('2d');
    const picture = pen.createImageData(256, 1);
    scale.table.forEach((colour, i) => {
      picture.data.set([...colour, 255], 4 * i);
    });
    pen.putImageData(picture, 0, 0);
  }, [scale]);
  const [low, high] = scale.limits;
  const middle = scale.thresholds ? scale.thresholds[127] : (low + high) / 2;
  const numbers = scale.constant ? [low] : [low, scale.signed ? 0 : middle, high];
  const own = scale.signed ? ['−largest', '0', 'largest'] : ['0', 'largest'];
  const words = scale.weights ? own : ends;
  return html`<div class="dv-bar">
    <div class="dv-bar-colours">
      <canvas ref=${canvas} width="256" height="1" class="dv-bar-canvas" aria-hidden="true"></canvas>
      <div class="dv-bar-numbers">${(words.length ? words : numbers.map((v) => format.short(v, 4))).map((text) => html`<span>${text}</span>`)}</div>
    </div>
    <div class="dv-bar-text">
      ${scale.constant && `Constant map: every cell is ${format.short(low, 4)}. `}${children}
    </div>
  </div>`;
}
