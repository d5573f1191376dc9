// @ts-check
/** Maps bound to the state, with the readouts and tables that they share. */
import { magnifiedRows } from './active_layers.js';
import { top } from './arrays.js';
import { Controls, ZoomButtons } from './controls.js';
import { FeatureSearch } from './feature_search.js';
import * as fields from './fields.js';
import { ColourBar, Numeral, Table, Term } from './figure.js';
import { HeatMap } from './heatmap.js';
import {
  html,
  useEffect,
  useHover,
  useLayoutEffect,
  useMemo,
  useRedraw,
  useRef,
  useState,
  useStore,
  useWidth,
} from './html.js';
import { MOST_PINS, pinIndex } from './pins.js';
import { numeral, numeric, told } from './sheets.js';

/**
 * @typedef {import('./store.js').Store} Store
 * @typedef {import('./types.js').Field} Field
 * @typedef {import('./types.js').Which} Which
 */

// ---- the canvas as a component ------------------------------------------------------------------

const KEYS = 'ArrowLeft ArrowRight ArrowUp ArrowDown Home End PageUp PageDown + - 0 Enter m';

/** A HeatMap of what it is given; `onMap` gets the map, and null when it is gone. */
export function MapCanvas({ label, onMap, rowTitle = 'Layer', columnTitle = 'Feature', ...shown }) {
  const { dark } = useStore();
  const place = useRef(null);
  const map = useRef(null);
  useLayoutEffect(() => {
    map.current = new HeatMap(place.current);
    onMap?.(map.current);
    return () => {
      map.current.destroy();
      onMap?.(null);
    };
  }, []);
  useLayoutEffect(() => {
    if (shown.field) map.current.show({ ...shown, dark, axes: [rowTitle, columnTitle] });
  });
  const longest = Math.max(0, ...(shown.rowNames || []).map((/** @type {string} */ name) => name.length));
  return html`<div
    ref=${place}
    class="dv-map"
    style=${{ '--dv-row-ticks': `${Math.max(24, 7 * longest + 4)}px` }}
    hidden=${!shown.field}
  >
    <div class="dv-row-title" aria-hidden="true">${rowTitle}</div>
    <div class="dv-ticks dv-row-ticks" aria-hidden="true"></div>
    <div class="dv-map-stage">
      <canvas class="dv-map-canvas" aria-hidden="true"></canvas>
      <canvas
        class="dv-map-overlay"
        tabindex="0"
        role="application"
        aria-roledescription="heat map"
        aria-label=${label}
        aria-keyshortcuts=${KEYS}
      ></canvas>
    </div>
    <div class="dv-ticks dv-column-ticks" aria-hidden="true"></div>
    <div class="dv-column-title" aria-hidden="true">${columnTitle}</div>
    <div class="dv-hidden" aria-live="polite"></div>
  </div>`;
}

/**
 * What pixels of a map show where cells share them: the text, and what to give the map as onDraw.
 * @returns {[string, (map: HeatMap) => void]}
 */
export function useBinning() {
  const [text, setText] = useState('');
  return [text, (map) => setText(map.statement())];
}

/** A sentence under one or more maps alike. */
export function BinningNote({ children }) {
  const text = [children].flat().filter(Boolean).join(' ');
  return html`<p class="dv-note dv-binning" hidden=${!text}>${text}</p>`;
}

/** Controls of a figure with maps: zoom and search among them. @param {{keys: string[], children?: any}} props */
export function MapControls({ keys, children }) {
  const store = useStore();
  const { checkpoint } = store.result().raw;
  // What was looked for in another model's maps is not looked for in this one's.
  const maps = html`<${ZoomButtons} work=${zoomMaps(store)} zoomed=${Boolean(zoomText(store))} />
    <${FeatureSearch} key=${checkpoint} />`;
  return html`<${Controls} keys=${keys} maps=${maps}>${children}<//>`;
}

/**
 * Which part of the maps is on screen, in words; nothing where that is all of them.
 * @param {Store} store
 */
export function zoomText(store) {
  const { zoom } = store.state;
  const { L, F } = store.result();
  const { rows, columns } = store.axes();
  /** @type {(name: string, from: number, to: number, size: number) => string[]} */
  const part = (name, from, to, size) =>
    from > 0 || to < size ? [`${name} ${Math.floor(from)}–${Math.ceil(to) - 1} of ${size}`] : [];
  const parts = zoom && [...part(rows, zoom.y0, zoom.y1, L), ...part(columns, zoom.x0, zoom.x1, F)];
  return parts?.length ? `Zoomed in: ${parts.join(', ')}.` : '';
}

/** Says that maps are zoomed, and leaves that. */
export function ZoomNote() {
  const store = useStore();
  const text = zoomText(store);
  return html`<p class="dv-zoomed" hidden=${!text}>
    ${text} <button type="button" class="dv-button" onClick=${() => store.set({ zoom: null })}>Show the whole map</button>
  </p>`;
}

/** Zooms the first of some maps about its middle; the others follow. @param {Store} store */
function zoomMaps(store) {
  /** @param {'out' | 'in' | 'all'} how */
  return (how) => {
    const map = Array.from(store.maps).find((one) => one.field);
    if (!map) return;
    const middle = { x: map.cssWidth / 2, y: map.cssHeight / 2 };
    if (how === 'all') store.set({ zoom: null, layers: 'all' });
    else map.zoomAt(middle, how === 'in' ? 0.5 : 2, how === 'in' ? 1 : 2);
  };
}

// ---- the map of one head ------------------------------------------------------------------------

/** {y0, y1} of the consecutive layers that a head sees. @param {number} head */
function ownRows(result, head) {
  const seen = result.layersOf(head);
  return { y0: seen[0], y1: seen[seen.length - 1] + 1 };
}

/**
 * A heat map of one head that follows hover, selection and zoom of its view.
 * which: what is shown; `field` and `scale` replace the map and the colours that it names, `heads` the
 * heads that these need; `onlyOwnRows`: where heads see groups of layers, a head's own rows only, while
 * columns stay linked. `together`: fields of the maps that show the same rows as this one, where that is
 * not this one alone. `children` stand below the map.
 * @param {any} props
 */
export function HeadMap({ head, which, title, caption, children, onlyOwnRows, onHover, ...o }) {
  const store = useStore();
  const result = store.result();
  const map = useRef(null);
  const owner = o.field === undefined ? head : null; // a difference of heads is of no single head
  if (map.current) map.current.head = owner;
  const shown = o.field === undefined ? fields.field(store, head, which) : o.field;
  const scale = shown && (o.scale || fields.scaleOf(store, head, which));
  const own = onlyOwnRows && result.raw.mode === 'layer_groups' ? ownRows(result, head) : null;
  const magnified = own ? null : magnifiedRows(store, head, o.together || [shown]);
  const rows = own || magnified;
  const { zoom } = store.state;
  const zoomShown = useMemo(
    () => (rows ? { x0: 0, x1: result.F, ...zoom, ...rows } : zoom),
    [zoom, result, head, rows?.y0, rows?.y1],
  );
  const marks = () => {
    const { hover } = store;
    const { cell } = store.state;
    return {
      hover: hover && { row: hover.layer, column: hover.feature },
      cell: cell && { row: cell.layer, column: cell.feature },
      pins: store
        .pins()
        .map((pin, i) => ({ head: pin.head, row: pin.layer, column: pin.feature, number: i + 1 }))
        .filter((pin) => (o.heads || [head]).includes(pin.head)),
    };
  };
  useHover(store, () => map.current?.setMarks(marks()));
  /** @param {any} wanted the whole of a head's own rows is the whole of the map */
  const onZoom = (wanted) => {
    if (magnified && !(wanted && wanted.y0 >= magnified.y0 && wanted.y1 <= magnified.y1)) {
      const columns = wanted && wanted.x1 - wanted.x0 < result.F;
      store.set({ layers: 'all', zoom: columns ? { ...wanted, y0: 0, y1: result.L } : null });
    } else if (magnified && wanted && wanted.y1 - wanted.y0 < magnified.y1 - magnified.y0) {
      store.set({ zoom: wanted });
    } else if (rows && wanted) {
      store.set({
        zoom: wanted.x1 - wanted.x0 < result.F ? { ...wanted, y0: 0, y1: result.L } : null,
      });
    } else store.set({ zoom: wanted });
  };
  const height = magnified
    ? (n) => 40 + 24 * n
    : o.height || ((/** @type {number} */ n) => Math.max(120, Math.min(420, n * 14)));
  const at = (cell) => cell && { head, layer: cell.row, feature: cell.column };
  return html`<div class="dv-map-box">
    ${caption}
    <${MapCanvas}
      rowTitle=${store.axes().Row}
      rowNames=${result.rowNames()}
      columnTitle=${store.axes().Column}
      label=${`${title}. Arrow keys move from cell to cell, plus and minus zoom, 0 shows everything, M goes to the strongest cell, Enter selects.`}
      field=${shown}
      scale=${scale}
      zoom=${zoomShown}
      binning=${store.state.binning}
      marks=${marks()}
      height=${(n, width) => height(rows ? rows.y1 - rows.y0 : n, width)}
      onHover=${(cell) => {
        store.setHover(at(cell));
        onHover?.(cell);
      }}
      onSelect=${(cell) => store.select(/** @type {any} */ (at(cell)))}
      onZoom=${onZoom}
      onDraw=${o.onDraw}
      describe=${o.describe || ((row, column) => describeCell(store, { head, layer: row, feature: column }))}
      onMap=${(one) => {
        if (map.current) store.maps.delete(map.current);
        map.current = one;
        if (!one) return;
        one.head = owner;
        store.maps.add(one);
      }}
    />
    <${Missing} which=${which} heads=${o.heads || [head]} missing=${!shown} />
    ${children}
  </div>`;
}

/**
 * The same with a bar of its colours, and a word on what its pixels show; text: what the colours mean.
 * @param {any} props
 */
export function BarredMap({ text, ...shown }) {
  const store = useStore();
  const [binning, onDraw] = useBinning();
  const { head, which } = shown;
  const drawn = shown.field === undefined ? fields.field(store, head, which) : shown.field;
  const scale = drawn && (shown.scale || fields.scaleOf(store, head, which));
  const flat = shown.field === undefined && !shown.scale && fields.flatText(store, head, which);
  const drawnFlat = which.quantity === 'importance' ? '' : ', drawn in one colour';
  return html`<${HeadMap} onDraw=${onDraw} ...${shown}>
    ${scale && html`<div><${ColourBar} scale=${scale}>${text || [flat && `Head ${head}: ${flat}${drawnFlat}. `, fields.scaleText(store, which)]}<//></div>`}
    <${BinningNote}>${binning}<//>
    <${ZoomNote} />
  <//>`;
}

/** Asks for maps that are not here, and says so until they come. */
export function Missing({ which, heads, missing }) {
  const store = useStore();
  const [failed, setFailed] = useState(false);
  const known = !which.dataset || fields.resultsOf(store, which).every((result) => result.hasDataset());
  useEffect(() => {
    setFailed(false);
    if (missing && known) fields.needExact(store, which, heads).then((came) => setFailed(!came));
  }, [missing, known, JSON.stringify(which), heads.join(), store.payload]);
  let text = store.load && !failed ? 'Loading this map …' : 'This map is too large to be part of this page.';
  if (!known) text = 'The checkpoint holds no averages over a data set.';
  return missing && html`<p class="dv-missing">${text}</p>`;
}

// ---- numbers of a cell --------------------------------------------------------------------------

/** @type {[string, string][]} */
const FACTS = [
  ['Value', 'value'],
  ['Gate', 'gate'],
  ['DA', 'density_attention'],
  ['IF', 'importance'],
  ['Class', 'class_importance'],
];
/** @param {Store} store @returns {[string, string][]} */
const factsShown = (store) => (store.quantities.evidence ? [...FACTS, ['Evid.', 'evidence']] : FACTS);

/**
 * The numbers of a cell: a number (NaN where the head does not see the cell), and whether it is exact.
 * @param {Store} store
 * @param {import('./types.js').HeadCell} cell
 */
function factsOf(store, cell) {
  const facts = store.result().cell(cell, store.state.scale);
  return factsShown(store).map(([, key]) =>
    numeral(facts.seen || key === 'value' ? facts.numbers[key] : NaN, facts.exact[key]),
  );
}

/** How a readout is laid out: where there is room, all in one row; its own width counts, the window's does not. @param {number} width */
function formOf(width) {
  if (width >= 1080) return 'dv-one-row dv-apart-columns';
  return width >= 880 ? 'dv-one-row' : '';
}

/** The numbers of the cell under the pointer, or of the selected one; in full when hovered or copied. */
export function Readout() {
  const store = useStore();
  const place = useRef(null);
  const width = useWidth(place);
  useHover(store, useRedraw());
  const { state, hover } = store;
  const cell = hover || (state.cell && { head: store.head, ...state.cell });
  useEffect(() => {
    const timer = setTimeout(() => cell && fields.needCell(store, cell.head), 80);
    return () => clearTimeout(timer);
  }, [cell?.head, cell?.layer, cell?.feature, state.side, store.payload]);
  const seen =
    !cell || fields.resultsOf(store, fields.whichOf(store)).every((one) => one.seen(cell.head, cell.layer));
  let title = hover ? 'Cell' : 'Selected cell';
  if (!cell) title = 'Point at a cell, or use the arrow keys';
  else if (!seen) title = 'Not seen by this head';
  // Always the same items: the box keeps its height, so that no map moves under the pointer.
  const { Row, Column } = store.axes();
  const items = [
    ['Head', cell ? cell.head : '–'],
    [Row, cell ? store.result().rowName(cell.layer) : '–'],
    [Column, cell ? cell.feature : '–'],
    ...cellItems(store, cell),
  ];
  return html`<div ref=${place} class="dv-readout ${cell ? '' : 'dv-nothing'} ${formOf(width)}">
    <div class="dv-readout-head"><span class="dv-readout-title"
        >${cell && !hover && seen && html`<span class="dv-selected-mark" aria-hidden="true"></span>`}${title}</span
      ><${PinButton} /></div>
    <dl class="dv-readout-list">
      ${items.map(
        ([name, value]) =>
          html`<div>
            <dt><${Term} name=${name} /></dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </div>`;
}

/** Pins the selected cell, or takes it off the list. */
function PinButton() {
  const store = useStore();
  const { cell, pins } = store.state;
  const chosen = cell && { head: store.head, ...cell };
  const pinned = chosen && pinIndex(pins, chosen) >= 0;
  let reason = '';
  if (!chosen) reason = 'Select a cell first';
  else if (store.pins() !== pins) reason = `Pins belong to the maps of ${store.letter('a')}`;
  else if (!pinned && pins.length >= MOST_PINS) reason = `${MOST_PINS} cells are pinned, which is the most`;
  return html`<button
    type="button"
    class="dv-button dv-quiet-button dv-pin"
    disabled=${Boolean(reason)}
    title=${reason || 'Keeps the selected cell in a list, with room for a note'}
    onClick=${() => chosen && store.pin(chosen, pinned ? null : '')}
  >
    ${pinned ? 'Unpin this cell' : 'Pin this cell'}
  </button>`;
}

/** @param {Store} store @param {import('./types.js').HeadCell | null} cell */
function cellItems(store, cell) {
  const { quantity } = store;
  const { scale } = store.state;
  if (store.isDifference()) {
    const { short } = store.quantities[quantity];
    return /** @type {const} */ (['a', 'b', 'difference']).map((side) => {
      const name = side === 'difference' ? 'Difference' : `${short}, ${store.letter(side)}`;
      if (!cell) return [name, '–'];
      const shown = fields.field(store, cell.head, { quantity, scale, side });
      const value = shown?.seen(cell.layer) ? shown.data[cell.layer * store.a.F + cell.feature] : NaN;
      return [name, html`<${Numeral} value=${value} known=${shown?.exact} />`];
    });
  }
  const facts = cell ? factsOf(store, cell) : [];
  return factsShown(store).map(([name, key], i) => [
    key === 'importance' && scale !== 'all_heads' ? 'IF (per head)' : name,
    facts[i] ? html`<${Numeral} ...${facts[i]} />` : '–',
  ]);
}

/** What the keyboard cursor reads out. @param {Store} store @param {import('./types.js').HeadCell} cell */
function describeCell(store, cell) {
  const { head, layer, feature } = cell;
  const which = fields.whichOf(store);
  const { row, column } = store.axes();
  const place = `Head ${head}, ${row} ${store.result().rowName(layer)}, ${column} ${feature}:`;
  if (!fields.resultsOf(store, which).every((one) => one.seen(head, layer))) {
    return `${place} not seen by this head.`;
  }
  const shown = fields.fieldNumeral(fields.field(store, head, which), layer * store.result().F + feature);
  const { short } = store.quantities[store.quantity];
  if (store.isDifference()) return told([`${place} difference in ${short} `, shown, '.']);
  return told([`${place} ${short} `, shown, ', value ', factsOf(store, cell)[0], '.']);
}

/**
 * In place of a map: the strongest cells.
 * @param {{heads: number[]}} props
 */
export function CellTables({ heads }) {
  const store = useStore();
  const which = fields.whichOf(store);
  const { F } = store.result();
  const rows = store.state.top;
  useEffect(() => {
    fields.needExact(store, which, heads);
  }, [JSON.stringify(which), heads.join(), store.payload]);
  /** @type {{head: number, at: number, size: number}[]} */
  const candidates = [];
  for (const head of heads) {
    const f = fields.field(store, head, which);
    if (!f) continue;
    for (const at of top(fields.onlySeen(f), rows, f.signed)) {
      candidates.push({ head, at, size: f.signed ? Math.abs(f.data[at]) : f.data[at] });
    }
  }
  candidates.sort((a, b) => b.size - a.size);
  const difference = store.isDifference();
  const of = difference ? ` (${store.letter('a')})` : '';
  const columns = numeric(
    'Head',
    store.axes().Row,
    store.axes().Column,
    ...FACTS.map(([name]) => name + of),
    ...(difference ? ['Difference'] : []),
  );
  /** @param {{head: number, at: number}} cell */
  const row = ({ head, at }) => {
    const cell = { head, layer: Math.floor(at / F), feature: at % F };
    const change = difference ? [fields.fieldNumeral(fields.field(store, head, which), at)] : [];
    return [head, cell.layer, cell.feature, ...factsOf(store, cell), ...change];
  };
  const { name } = store.quantities[which.quantity];
  return html`<${Table}
    caption="Top ${Math.min(rows, candidates.length)} cells by ${name}"
    columns=${columns}
    rows=${candidates.slice(0, rows).map(row)}
  />`;
}

/**
 * The largest differences of two maps, with both numbers: maps are [one, other, difference], need asks for
 * them exactly.
 * @param {{what: string, sides: string[], maps: (Field | null)[], need: () => void}} props
 */
export function DifferenceTable({ what, sides, maps, need }) {
  const store = useStore();
  useEffect(need, [what, sides.join(), JSON.stringify(fields.whichOf(store)), store.payload]);
  const difference = maps[2];
  const rows = difference
    ? top(fields.onlySeen(difference), store.state.top, true).map((at) => [
        Math.floor(at / difference.columns),
        at % difference.columns,
        ...maps.map((f) => fields.fieldNumeral(f, at)),
      ])
    : [];
  return html`<${Table}
    caption="${what}: the ${rows.length} largest differences"
    columns=${numeric(store.axes().Row, store.axes().Column, ...sides, 'Difference')}
    rows=${rows}
  />`;
}
