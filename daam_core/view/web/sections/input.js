// @ts-check
/** Section "input": importance back on the input, of one result or of two. */
import { sum } from '../arrays.js';
import { Select, Slider, useControls } from '../controls.js';
import { ColourBar, Figure, TOO_LARGE } from '../figure.js';
import * as format from '../format.js';
import { html, useEffect, useMemo, useStore } from '../html.js';
import { changeOf, tokenPairs } from './pairs.js';
import { PicturePanel } from './picture.js';
import { SoundPanel } from './sound.js';
import { attribution, spanOf, TokenTables, tokenScale } from './tokens.js';
import { ownWordValues, WordsDifference, WordsPanel, WordTables } from './words.js';

/**
 * @typedef {import('./tokens.js').Kind} Kind
 * @typedef {import('./tokens.js').Shown} Shown
 */

const ORANGE_AND_BLUE = 'orange speaks for the class, blue against it';

/** @type {Record<string, Kind>} */
const KINDS = {
  text: {
    title: 'Back to the text',
    help:
      `Share of each word in the explained class’s logit, with the gate held fixed: ${ORANGE_AND_BLUE}. It does not say ` +
      'what would happen if the word were left out; the encoder would read the rest differently.',
    Panel: WordsPanel,
    Tables: WordTables,
    Difference: WordsDifference,
    grouped: ownWordValues,
  },
  audio: {
    title: 'Back to the sound',
    help:
      `Share of each moment in the explained class’s logit, with the gate held fixed: ${ORANGE_AND_BLUE}. The encoder ` +
      'also hears what comes before and after a moment, so the borders are soft.',
    Panel: SoundPanel,
    Tables: (props) => html`<${TokenTables} place="Moment" ...${props} />`,
    grouped: (_, values) => values,
  },
  image: {
    title: 'Back to the picture',
    help:
      `Share of each region in the explained class’s logit, with the gate held fixed: ${ORANGE_AND_BLUE}. The encoder ` +
      'also sees around a region, so the borders are soft.',
    Panel: PicturePanel,
    Tables: (props) => html`<${TokenTables} place="Region" ...${props} />`,
    grouped: (_, values) => values,
  },
};

export function BackToInput() {
  const store = useStore();
  const { tokenHead, opacity } = store.state;
  const { modality } = store.result().raw;
  const kind = KINDS[modality];
  const wanted = ['token_attribution', 'token_spans', ...(tokenHead < 0 ? [] : ['head_token_attribution'])];
  const results = store.sides().map((side) => store[side]);
  const complete = results.every((result) => wanted.every((name) => result.array(name)));
  useEffect(() => {
    for (const result of results) for (const name of wanted) result.needArray(name);
  }, [...results, wanted.join()]);
  return html`<${Figure}
    title=${kind.title}
    help=${kind.help}
    controls=${[
      useControls(['side', 'tokenHead', 'tokenMode']),
      modality === 'image' &&
        html`<${Slider}
          label="Overlay"
          value=${opacity}
          onChange=${(v) => store.set({ opacity: v })}
        />`,
      store.askTarget && html`<${ClassChoice} />`,
    ]}
    table=${() => complete && html`<${Tables} kind=${kind} />`}
  >
    <div class="dv-stack">
      ${
        complete
          ? html`<${Panels} kind=${kind} />`
          : html`<p class="dv-missing">${store.load ? 'Loading these numbers …' : TOO_LARGE}</p>`
      }
    </div>
  <//>`;
}

/** Asks for another class. The newest result is the one that is explained anew. */
function ClassChoice() {
  const store = useStore();
  const { raw } = store.b || store.a;
  return html`<${Select}
    label=${store.b ? `Explained class of ${store.letter('b')}` : 'Explained class'}
    options=${raw.class_names.map((name, i) => [i, name])}
    value=${raw.explained}
    onChange=${(v) => store.askTarget?.(Number(v))}
  />`;
}

/** @param {{kind: Kind}} props */
function Panels({ kind }) {
  const store = useStore();
  const { state } = store;
  const { modality } = store.result().raw;
  const results = store.sides().map((side) => store[side]);
  const shares = results.map((result) => attribution(result, state.tokenHead));
  const scale = useMemo(
    () => tokenScale(store, results, kind, state.tokenHead),
    [store.payload, ...shares, state.scale, state.tokenMode, state.palette, results.length, store.dark],
  );
  // Pictures stand beside each other; sounds and texts need the whole width.
  return [
    html`<div class=${modality === 'image' ? 'dv-pictures' : 'dv-stack'}>
      ${store.sides().map((side, i) => {
        const name = `lass “${results[i].explainedClass()}”`;
        return html`<div class="dv-stack" key=${`${side} ${store.serial}`}>
          <${Caption}
            title=${store.b ? `${store.label(side)}, c${name}` : `C${name}`}
            total=${sum(shares[i])}
          />
          <${kind.Panel}
            result=${results[i]}
            tokenHead=${state.tokenHead}
            scale=${scale}
            label=${store.b ? store.label(side) : 'Input'}
          />
        </div>`;
      })}
      ${results.length === 2 && html`<${Difference} key=${store.serial} kind=${kind} />`}
    </div>`,
    html`<div>
      <${ColourBar} scale=${scale}>
        ${
          state.tokenMode === 'absolute'
            ? 'Size of the share, in logits.'
            : 'Share in the explained class’s logit, in logits; 0 is neutral.'
        }
      <//>
    </div>`,
  ];
}

/** @param {{title: string, total: number | null}} props */
function Caption({ title, total }) {
  return html`<p class="dv-map-caption">
    <strong>${title}</strong>${
      total !== null &&
      html`<span class="dv-quiet dv-number">${`sum ${format.signed(total, 4)} logits`}</span>`
    }
  </p>`;
}

/** The change B − A over tokens in the same places; its pairs are null where there are none. */
function useChange() {
  const store = useStore();
  const { tokenHead } = store.state;
  return useMemo(() => {
    const pairs = tokenPairs(store.a, store.b);
    return { pairs, change: pairs && changeOf(store.a, store.b, tokenHead, pairs) };
  }, [store.payload, tokenHead]);
}

/**
 * B − A: over tokens that stand in the same places, or over words that both texts have.
 * @param {{kind: Kind}} props
 */
function Difference({ kind }) {
  const store = useStore();
  const { state } = store;
  const { pairs, change } = useChange();
  const scale = useMemo(
    () => change && tokenScale(store, [change], kind, -1),
    [change, state.tokenMode, state.palette, store.dark],
  );
  const title = store.label('difference');
  const classes = store.classesApart();
  const note = classes && html`<p class="dv-note">${classes}</p>`;
  if (!pairs || !change || !scale) {
    return html`<div class="dv-stack">
      <${Caption} title=${title} total=${null} />
      ${
        kind.Difference
          ? html`<${kind.Difference}
              results=${[store.a, store.b]}
              tokenHead=${state.tokenHead}
              rows=${state.top}
              names=${[store.letter('a'), store.letter('b'), title]}
            />`
          : html`<p class="dv-note"
              >The two inputs are cut into different parts, so their shares cannot be subtracted part by part.</p
            >`
      }
      ${kind.Difference && note}
    </div>`;
  }
  return html`<div class="dv-stack">
    <${Caption} title=${title} total=${sum(attribution(change, -1))} />
    <${kind.Panel} result=${change} tokenHead=${-1} scale=${scale} label=${title} />
    <${ColourBar} scale=${scale}>${`Change of the share, in logits${common(store.b, pairs)}.`}<//>
    ${note}
  </div>`;
}

/**
 * How much of B has a counterpart in A, where that is not all of it.
 * @param {Shown} other
 * @param {number[][]} pairs
 */
function common(other, pairs) {
  if (pairs.length === other.raw.token_labels.length) return '';
  const seconds = sum(pairs.map(([, j]) => spanOf(other, j)[1] - spanOf(other, j)[0]));
  return `, over the ${format.fixed(seconds, 2)} s that both sounds have`;
}

/** @param {{kind: Kind}} props */
function Tables({ kind }) {
  const store = useStore();
  const { tokenHead, top } = store.state;
  return html`<div class="dv-stack">
    ${store.sides().map(
      (side) =>
        html`<${kind.Tables}
          result=${store[side]}
          tokenHead=${tokenHead}
          rows=${top}
          label=${store.b ? `${store.label(side)}. ` : ''}
        />`,
    )}
    ${store.isDifference() && html`<${ChangeTables} kind=${kind} />`}
  </div>`;
}

/** @param {{kind: Kind}} props */
function ChangeTables({ kind }) {
  const store = useStore();
  const { change } = useChange();
  return (
    change &&
    html`<${kind.Tables}
      result=${change}
      tokenHead=${-1}
      rows=${store.state.top}
      label=${`${store.label('difference')}. `}
    />`
  );
}
