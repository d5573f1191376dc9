// @ts-check
/** The inputs as points of a plane; those that the model sees alike lie together. */
import { bounds } from '../arrays.js';
import { css, makeScale, rgb } from '../colour.js';
import { Select } from '../controls.js';
import { ColourBar } from '../figure.js';
import * as format from '../format.js';
import { html, useEffect, useMemo, useRef, useState, useWidth } from '../html.js';
import { byFrequency } from './columns.js';
import { Keep } from './kept.js';
import { Asked, useStudy } from './parts.js';
import { frameOf, inside, nearest, placeOf, ring, square, stamped } from './scatter.js';
import { placeName } from './store.js';

const REACH = 12; // pixels from a point at which it counts as pointed at
const OWN_COLOURS = 7; // classes with a colour of their own; the eighth is grey, for all others
const REST = 7;
const MOST_ROUND = 4000; // points; more are squares, which are drawn faster and look the same so small

export function Plane() {
  const store = useStudy();
  const { state, payload } = store;
  const answer = store.answer('projection', { method: state.method });
  const scored = Boolean(store.scores());
  const controls = html`<div class="ds-colour-by">
    <${Select}
      label="Colour by"
      options=${[
        ['label', 'True class'],
        ['prediction', 'Predicted class'],
        ['right', 'Right or wrong'],
        ['confidence', 'Probability'],
        ['score', `${placeName(state.place)} (${payload?.quantities[state.quantity].name.toLowerCase()})`],
      ]}
      value=${state.colour}
      onChange=${(colour) => store.set({ colour })}
    />
    ${
      (payload?.methods.length || 0) > 1 &&
      html`<${Select}
        label="Laid out by"
        options=${[['pca', 'PCA'], ['umap', 'UMAP']]}
        value=${state.method}
        onChange=${(method) => store.set({ method })}
      />`
    }
  </div>`;
  if (state.colour === 'score' && !scored)
    store.answer('place', { ...state.place, quantity: state.quantity });
  return html`<${Asked}
    title="Inputs that the heads see alike"
    help="Click a point to choose it; drag a rectangle to keep those inside. Inputs lie close where the heads attend to the same features with the same values (density attention × values)${
      state.method === 'umap' ? '; distances between far points mean nothing.' : '.'
    }"
    controls=${controls}
    answer=${answer}
    csv=${() => planeSheet(store, answer?.value)}
  >
    ${(points) => html`<${Scatter} points=${points} />`}
  <//>`;
}

/** Where every input lies. @param {import('./store.js').StudyStore} store @param {any} points */
function planeSheet({ columns }, points) {
  return {
    columns: ['Number', 'Input', 'True class', 'Predicted', 'x', 'y'],
    rows: Array.from(points.x, (x, row) => [
      columns.number[row],
      columns.name[row],
      columns.className(columns.label[row]),
      columns.className(columns.prediction[row]),
      x,
      points.y[row],
    ]),
  };
}

/** The colour of each point, and what stands in the legend. */
function paint(store) {
  const { columns, state, payload } = store;
  const heads = payload?.colours.heads || [];
  const { colour } = state;
  if (colour === 'confidence' || colour === 'score') {
    const data = colour === 'score' ? store.scores() : columns.confidence;
    if (!data) return { colour: () => rgb(heads[REST]), legend: [], scale: null };
    const signed = colour === 'score' && Boolean(payload?.quantities[state.quantity].signed);
    let [low, high] = bounds(data);
    if (signed) [low, high] = [-Math.max(-low, high), Math.max(-low, high)];
    const scale = makeScale([low, high], store.table(signed), { signed });
    return { colour: (row) => scale.colour(data[row]), legend: [], scale };
  }
  if (colour === 'right') {
    const [wrong, right] = [heads[5], heads[4]];
    const both = [rgb(wrong), rgb(right)];
    return {
      colour: (row) => both[columns.right[row]],
      legend: [
        ['Right', right],
        ['Error', wrong],
      ],
      scale: null,
    };
  }
  const codes = colour === 'prediction' ? columns.prediction : columns.label;
  const known = byFrequency(codes); // with several labels an input each set that occurs is a kind of its own
  // The most frequent ones, in the order of the model's, as everywhere.
  const own = (known.length <= OWN_COLOURS + 1 ? [...known] : known.slice(0, OWN_COLOURS)).sort(
    (a, b) => a - b,
  );
  const at = new Map(own.map((code, i) => [code, rgb(heads[i])]));
  const other = rgb(heads[REST]);
  const rest = known.length > own.length ? [['All others', heads[REST]]] : [];
  return {
    colour: (row) => at.get(codes[row]) ?? other,
    legend: [...own.map((code) => [columns.className(code), heads[own.indexOf(code)]]), ...rest],
    scale: null,
  };
}

/** @param {{points: {x: Float32Array, y: Float32Array, explained: number[] | null}}} props */
function Scatter({ points }) {
  const store = useStudy();
  const { columns, state } = store;
  const box = useRef(null);
  const canvas = useRef(null);
  const width = useWidth(box);
  const height = Math.round(Math.min(420, Math.max(260, 0.8 * width)));
  const [hover, setHover] = useState(-1);
  const [drag, setDrag] = useState(/** @type {[number, number][] | null} */ (null));
  const fits = store.fitting();
  const shown = useMemo(() => {
    const flags = new Uint8Array(columns.count);
    for (const row of fits) flags[row] = 1;
    return flags;
  }, [fits]);
  const frame = useMemo(() => frameOf(points.x, points.y, width, height), [points, width, height]);
  const colours = paint(store);
  const key = `${state.colour} ${JSON.stringify(state.place)} ${state.quantity} ${Boolean(store.scores())} ${store.dark}`;
  const chosen = store.row();

  // After the frame that shows the table: at ten thousand points and twice as fine a screen, drawing takes
  // longer than all the rest of a filter, and while somebody types, only the last plane is looked at.
  useEffect(() => {
    if (!width) return undefined;
    const { dark } = store;
    const later = setTimeout(() =>
      draw(canvas.current, { width, height, frame, points, shown, columns, colours, dark }),
    );
    return () => clearTimeout(later);
  }, [points, width, height, shown, key]);

  /** @param {PointerEvent} e @returns {[number, number]} */
  const at = (e) => {
    const edges = box.current.getBoundingClientRect();
    return [e.clientX - edges.left, e.clientY - edges.top];
  };
  /** @param {PointerEvent} e */
  const move = (e) => {
    if (drag) setDrag([drag[0], at(e)]);
    else if (e.pointerType !== 'touch') setHover(nearest(frame, points.x, points.y, at(e), REACH, shown));
  };
  /** @param {PointerEvent} e */
  const up = (e) => {
    if (!drag) return;
    setDrag(null);
    const end = at(e);
    if (Math.hypot(end[0] - drag[0][0], end[1] - drag[0][1]) < 5) {
      const row = nearest(frame, points.x, points.y, end, REACH, shown);
      if (row >= 0) store.set({ input: columns.number[row] });
      else if (store.marked) store.mark(null);
      return;
    }
    const found = inside(frame, points.x, points.y, drag[0], end);
    store.mark(found.some(Boolean) ? found : null);
  };
  /** @param {KeyboardEvent} e */
  const keys = (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (e.key === 'Escape' && store.marked) store.mark(null);
    if (!step || !fits.length) return;
    e.preventDefault();
    const along = e.key === 'ArrowRight' || e.key === 'ArrowLeft' ? points.x : points.y;
    const order = Int32Array.from(fits).sort((a, b) => along[a] - along[b]);
    const place = order.indexOf(chosen);
    const sign = along === points.y ? -step : step;
    const next = place < 0 ? 0 : Math.min(order.length - 1, Math.max(0, place + sign));
    store.set({ input: columns.number[order[next]] });
  };
  /** @param {number} row @param {string} kind */
  const mark = (row, kind) => {
    if (row < 0 || !width) return null;
    const [x, y] = placeOf(frame, points.x[row], points.y[row]);
    return html`<span class="ds-mark ${kind}" style=${{ left: `${x}px`, top: `${y}px` }}></span>`;
  };
  const shares = points.explained;
  return html`<div class="ds-plane">
    <div
      ref=${box}
      class="ds-stage"
      style=${{ height: `${height}px` }}
      tabindex="0"
      role="application"
      aria-roledescription="plane of inputs"
      aria-label="${format.count(fits.length)} inputs as points. Arrow keys go from point to point, Escape takes marks away."
      onPointerDown=${(e) => {
        e.currentTarget.setPointerCapture(e.pointerId);
        setDrag([at(e), at(e)]);
      }}
      onPointerMove=${move}
      onPointerUp=${up}
      onPointerCancel=${() => setDrag(null)}
      onPointerLeave=${() => setHover(-1)}
      onKeyDown=${keys}
    >
      <canvas ref=${canvas} aria-hidden="true"></canvas>
      ${mark(chosen, 'ds-mark-chosen')} ${mark(hover, 'ds-mark-hover')}
      ${
        drag &&
        html`<span
          class="ds-drag"
          style=${{
            left: `${Math.min(drag[0][0], drag[1][0])}px`,
            top: `${Math.min(drag[0][1], drag[1][1])}px`,
            width: `${Math.abs(drag[0][0] - drag[1][0])}px`,
            height: `${Math.abs(drag[0][1] - drag[1][1])}px`,
          }}
        ></span>`
      }
    </div>
    ${
      store.marked &&
      html`<div class="ds-count-here" role="status">
        <span><strong>${format.count(fits.length)}</strong> of ${format.count(columns.count)} marked</span>
        <button type="button" class="dv-button dv-quiet-button" onClick=${() => store.mark(null)}>
          Take the mark away
        </button>
        <${Keep} />
      </div>`
    }
    <p class="dv-note ds-said">
      ${
        hover >= 0
          ? `${columns.name[hover]}: ${columns.className(columns.label[hover])}${
              columns.right[hover] ? '' : `, taken for ${columns.className(columns.prediction[hover])}`
            } (${format.probability(columns.confidence[hover])})`
          : shares &&
            `Across: ${format.percent(shares[0])} of the variance, upwards: ${format.percent(shares[1])}. Rings are errors.`
      }
    </p>
    ${
      colours.scale
        ? html`<${ColourBar} scale=${colours.scale}>${
            state.colour === 'score'
              ? `${placeName(state.place)}: ${store.payload?.quantities[state.quantity].meaning}`
              : 'Probability of the predicted class'
          }.<//>`
        : html`<ul class="dv-legend">
            ${colours.legend.map(
              ([name, colour]) =>
                html`<li key=${name} class="dv-head-name">
                  <span class="dv-chip" style=${{ background: colour }} aria-hidden="true"></span>${name}
                </li>`,
            )}
          </ul>`
    }
  </div>`;
}

/** Points that do not fit the filter stay as specks; errors are rings. */
function draw(canvas, { width, height, frame, points, shown, columns, colours, dark }) {
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const { x, y } = points;
  const { right } = columns;
  const size = Math.max(1.8, Math.min(4, 120 / Math.sqrt(x.length)));
  const round = x.length <= MOST_ROUND;
  // What is no circle is written as pixels: ten thousand calls of the pen would take as long as all the rest.
  const picture = pen.createImageData(wide, high);
  const pixels = { data: new Uint32Array(picture.data.buffer), width: wide, height: high, ratio };
  /** @param {number[][]} stamp @param {(row: number) => import('../colour.js').Rgb | null} colour */
  const put = (stamp, colour, opacity = 255) => stamped(pixels, frame, points, stamp, colour, opacity);
  const speck = rgb(dark ? '#3b444f' : '#d5dae1');
  put(square(1.5 * ratio), (row) => (shown[row] ? null : speck));
  if (!round) {
    put(square(2 * size * ratio), (row) => (shown[row] && right[row] ? colours.colour(row) : null), 204);
    put(ring((size + 0.5) * ratio, 1.75 * ratio), (row) =>
      shown[row] && !right[row] ? colours.colour(row) : null,
    );
  }
  pen.putImageData(picture, 0, 0);
  if (!round) return;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.lineWidth = 1.75;
  /** @param {number} row @param {number} radius */
  const circle = (row, radius) => {
    const [px, py] = placeOf(frame, x[row], y[row]);
    pen.beginPath();
    pen.arc(px, py, radius, 0, 6.283);
  };
  for (const error of [false, true]) {
    pen.globalAlpha = error ? 1 : 0.8;
    for (let row = 0; row < x.length; row += 1) {
      if (!shown[row] || error === Boolean(right[row])) continue;
      pen.fillStyle = pen.strokeStyle = css(colours.colour(row));
      circle(row, error ? size + 0.5 : size);
      if (error) pen.stroke();
      else pen.fill();
    }
  }
}
