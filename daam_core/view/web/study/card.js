// @ts-check
/** One input: its sound, words or picture with what each part contributed, and what was decided. */
import { range } from '../arrays.js';
import { css, ink, makeScale } from '../colour.js';
import * as format from '../format.js';
import { html, useLayoutEffect, useRef, useWidth } from '../html.js';
import { PlaceName, useStudy, Verdict } from './parts.js';
import { pieces } from './words.js';

/** @typedef {import('./types.js').Input} Input */

const SMALL_WORDS = 48; // in a small card

/**
 * @param {{row: number, large?: boolean, input?: Input | null, score?: string}} props input: in full, where
 *   whoever draws it asked for several at once; score: at the place that is looked at
 */
export function InputCard({ row, large = false, input = null, score = '' }) {
  const store = useStudy();
  const { columns, state } = store;
  const number = columns.number[row];
  const asked = input ? null : store.answer('inputs', { numbers: [number] });
  const shown = /** @type {Input | null} */ (input || asked?.value?.[0] || null);
  const right = columns.right[row] === 1;
  const chosen = state.input === number;
  return html`<article class="ds-card ${large ? 'ds-large' : ''} ${chosen && !large ? 'ds-on' : ''}" data-number=${number}>
    <div class="ds-card-head">
      ${score && html`<strong class="dv-number">${score}</strong>`}
      <span class="ds-verdict">
        <${Verdict}
          label=${columns.className(columns.label[row])}
          prediction=${columns.className(columns.prediction[row])}
          right=${right}
          share=${format.probability(columns.confidence[row])}
        />
      </span>
    </div>
    ${asked?.error && html`<p class="dv-note">${asked.error}</p>`}
    ${shown && html`<${Medium} input=${shown} row=${row} large=${large} />`}
    ${large && shown && html`<p class="dv-note">Colours: orange spoke for the prediction, blue against it.</p>`}
    <div class="ds-card-foot">
      <span class="dv-note ds-place" title=${columns.whereOf(row)}><${PlaceName} name=${columns.name[row]} end=${columns.end} /></span>
      ${large && html`<${Explain} number=${number} input=${shown} />`}
      ${
        !large &&
        html`<button
          type="button"
          class="dv-button dv-quiet-button"
          onClick=${() => store.show('table', { input: number })}
        >
          Show in table
        </button>`
      }
    </div>
    ${large && shown && html`<${Probabilities} input=${shown} />`}
  </article>`;
}

/** @param {{number: number, input: Input | null}} props */
function Explain({ number, input }) {
  const store = useStudy();
  const { payload } = store;
  if (!store.explain) {
    return html`<span class="dv-note">${
      payload?.explains
        ? ''
        : `To explain it, start the page with the classifier too: --model ${payload?.facts.model}.`
    }</span>`;
  }
  const gone = input && input.text === null && !input.file;
  return html`<button
    type="button"
    class="dv-button ds-primary"
    disabled=${Boolean(gone)}
    title=${gone ? 'The study does not say where its file lies' : ''}
    onClick=${() => store.explain?.(number)}
  >
    Explain this input
  </button>`;
}

/** @param {{input: Input}} props */
function Probabilities({ input }) {
  const { payload, columns } = useStudy();
  const all = payload?.facts.classes.length || 0;
  // As many as came, where these are all; else the likeliest, and what all others share.
  const shown = input.probabilities.slice(0, all <= input.probabilities.length ? all : 3);
  const rest = 1 - shown.reduce((sum, [, share]) => sum + share, 0);
  // With several labels an input each probability stands alone, and those from a half on are predicted.
  const others = columns.several
    ? `none above ${format.probability(shown[shown.length - 1]?.[1] ?? 0)}`
    : `together ${format.probability(rest)}`;
  return html`<div class="dv-probs">
    ${shown.map(
      ([name, share], i) =>
        html`<div class="dv-prob ${(columns.several ? share >= 0.5 : i === 0) ? 'dv-strong' : ''}" key=${name}>
          <span class="dv-prob-name">${name}</span>
          <span class="dv-prob-track"><span class="dv-prob-fill" style=${{ width: `${100 * share}%` }}></span></span>
          <span class="dv-number">${format.probability(share)}</span>
        </div>`,
    )}
    ${
      all > shown.length &&
      html`<p class="dv-note">
        ${format.count(all - shown.length)} other ${all - shown.length === 1 ? 'class' : 'classes'}, ${others}
      </p>`
    }
  </div>`;
}

/** @param {{input: Input, row: number, large: boolean}} props */
function Medium({ input, row, large }) {
  const store = useStudy();
  const most = Math.max(1e-9, ...input.attribution.map(Math.abs));
  const scale = makeScale([-most, most], store.table(true), { signed: true });
  if (input.text !== null) return html`<${Words} input=${input} scale=${scale} large=${large} />`;
  if (store.payload?.facts.modality === 'image')
    return html`<${Picture} input=${input} most=${most} scale=${scale} />`;
  return html`<${Sound} input=${input} scale=${scale} row=${row} />`;
}

function Words({ input, scale, large }) {
  const parts = pieces(input.text, input.spans);
  const shown = large ? parts : parts.slice(0, SMALL_WORDS);
  return html`<p class="ds-words" dir="auto">
    ${shown.map(([text, token]) => {
      if (token < 0) return text;
      const colour = scale.colour(input.attribution[token]);
      return html`<span
        class="dv-word"
        style=${{ background: css(colour), color: ink(colour) }}
        title=${format.logits(input.attribution[token])}
        >${text}</span
      >`;
    })}${shown.length < parts.length && ' …'}
  </p>`;
}

function Picture({ input, most, scale }) {
  const store = useStudy();
  const overlay = useRef(null);
  useLayoutEffect(() => {
    const side = 144;
    const canvas = overlay.current;
    canvas.width = side;
    canvas.height = side;
    const pen = canvas.getContext('2d');
    pen.clearRect(0, 0, side, side);
    input.spans.forEach((span, token) => {
      if (!span) return;
      const [left, top, right, bottom] = span.map((share) => Math.round(side * share));
      const value = input.attribution[token];
      pen.globalAlpha = 0.6 * Math.min(1, Math.abs(value) / most);
      pen.fillStyle = css(scale.colour(value));
      pen.fillRect(left, top, right - left, bottom - top);
    });
  }, [input, store.dark]);
  return html`<div class="ds-picture">
    <img src=${store.source?.address('thumbnail', input.number)} alt="Input ${input.number}" loading="lazy" />
    <canvas ref=${overlay} aria-hidden="true"></canvas>
  </div>`;
}

function Sound({ input, scale, row }) {
  const store = useStudy();
  const strip = useRef(null);
  const width = useWidth(strip);
  const seconds = store.columns.seconds?.[row] || 0;
  useLayoutEffect(() => {
    const canvas = strip.current?.querySelector('canvas');
    if (!canvas || !width || !seconds) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = 16;
    const pen = canvas.getContext('2d');
    for (const token of range(input.spans.length)) {
      const span = input.spans[token];
      if (!span) continue;
      const from = Math.floor((span[0] / seconds) * canvas.width);
      const to = Math.ceil((span[1] / seconds) * canvas.width);
      pen.fillStyle = css(scale.colour(input.attribution[token]));
      pen.fillRect(from, 0, Math.max(1, to - from), 16);
    }
  }, [input, width, store.dark]);
  return html`<div class="ds-sound">
    <div ref=${strip} class="ds-strip" title="What each moment contributed to the prediction, over ${format.fixed(seconds, 1)} s">
      <canvas aria-hidden="true"></canvas>
    </div>
    ${
      input.file
        ? html`<audio controls preload="none" src=${store.source?.address('sound', input.number)} aria-label="Sound ${store.columns.name[row]}"></audio>`
        : html`<p class="dv-note">The study does not say where its file lies, so it cannot be played.</p>`
    }
  </div>`;
}
