// @ts-check
/** Section "input": importance back on the input, of one result or of two. */
import { sum, top } from '../arrays.js';
import { Controls, Select } from '../controls.js';
import { ColourBar, EmptyFigure, Figure, Table, TOO_LARGE } from '../figure.js';
import * as format from '../format.js';
import { html, useEffect, useMemo, useStore } from '../html.js';
import { ROUNDED, sheetOf } from '../sheets.js';
import { rival } from './one_head.js';
import { changeOf, tokenPairs } from './pairs.js';
import { PicturePanel } from './picture.js';
import { SoundPanel } from './sound.js';
import { attribution, partTable, spanOf, tokenParts, tokenScale } from './tokens.js';
import { ownWordValues, WordsDifference, WordsPanel, wordParts } from './words.js';

/**
 * @typedef {import('./tokens.js').Kind} Kind
 * @typedef {import('./tokens.js').Shown} Shown
 */

const ORANGE_AND_BLUE = 'orange speaks for the class, blue against it';

/** @type {Record<string, Kind>} */
const KINDS = {
  text: {
    title: 'Back to the text',
    borders:
      'It does not say what would happen if the word were left out; the encoder would read the rest differently.',
    Panel: WordsPanel,
    part: 'Word',
    more: ['Pieces'],
    parts: wordParts,
    Difference: WordsDifference,
    grouped: ownWordValues,
  },
  audio: {
    title: 'Back to the sound',
    borders: 'The encoder also hears what comes before and after a moment, so the borders are soft.',
    Panel: SoundPanel,
    part: 'Moment',
    more: ['Start, s', 'End, s'],
    parts: tokenParts,
    grouped: (_, values) => values,
  },
  image: {
    title: 'Back to the picture',
    borders: 'The encoder also sees around a region, so the borders are soft.',
    Panel: PicturePanel,
    part: 'Region',
    more: ['Left', 'Top', 'Right', 'Bottom'],
    parts: tokenParts,
    grouped: (_, values) => values,
  },
};

export function BackToInput() {
  const store = useStore();
  const { modality } = store.result().raw;
  const kind = KINDS[modality];
  if (!kind) {
    return html`<${EmptyFigure} title="Back to the input">Nothing is known of this input’s parts.<//>`;
  }
  return html`<${OfParts} kind=${kind} />`;
}

/** @param {{kind: Kind}} props */
function OfParts({ kind }) {
  const store = useStore();
  const { tokenHead } = store.state;
  const { modality } = store.result().raw;
  const wanted = ['token_attribution', 'token_spans', ...(tokenHead < 0 ? [] : ['head_token_attribution'])];
  const results = store.sides().map((side) => store[side]);
  const complete = results.every((result) => wanted.every((name) => result.array(name)));
  const need = () => results.flatMap((result) => wanted.map((name) => result.needArray(name)));
  useEffect(() => {
    need();
  }, [...results, wanted.join()]);
  const csv = async () => {
    await Promise.all(need());
    return results.every((one) => wanted.every((name) => one.array(name)))
      ? sheetOf(...partsOf(store, kind).map(([label, parts]) => partTable(kind, label, parts)))
      : ROUNDED;
  };
  return html`<${Figure}
    title=${kind.title}
    help=${`${meaning(store, kind)} with the gate held fixed: ${ORANGE_AND_BLUE}. ${kind.borders}`}
    ofClass
    controls=${[
      store.askTarget && html`<${ClassChoice} />`,
      html`<${Controls} keys=${['side', 'tokenHead', 'tokenMode', 'top', ...(modality === 'image' ? ['opacity'] : [])]} />`,
    ]}
    csv=${csv}
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

/** What a part's number is: of joint gates its share in the evidence, else in the logit. @param {import('../store.js').Store} store @param {Kind} kind */
function meaning(store, kind) {
  const part = kind.part.toLowerCase();
  return store.quantities.evidence
    ? `How far each ${part} speaks for the explained class and against ${rival(store)},`
    : `Share of each ${part} in the explained class’s logit,`;
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
            : `Share in the ${store.quantities.evidence ? 'evidence' : 'explained class’s logit'}; 0 is neutral.`
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
  return useMemo(() => changeBetween(store), [store.payload, store.state.tokenHead]);
}

/** @param {import('../store.js').Store} store */
function changeBetween({ a, b, state }) {
  const pairs = tokenPairs(a, b);
  return { pairs, change: pairs && changeOf(a, b, state.tokenHead, pairs) };
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

/**
 * The parts of each input shown, and of their difference where they are cut alike.
 * @param {import('../store.js').Store} store
 * @param {Kind} kind
 * @returns {[string, import('./tokens.js').Part[]][]} with what stands before their captions
 */
function partsOf(store, kind) {
  const { tokenHead } = store.state;
  /** @type {[string, import('./tokens.js').Part[]][]} */
  const found = store.sides().map((side) => {
    const result = store[side];
    const label = store.b ? store.label(side) : '';
    return [label, kind.parts(result, attribution(result, tokenHead))];
  });
  const change = store.isDifference() && changeBetween(store).change;
  if (change) found.push([store.label('difference'), kind.parts(change, attribution(change, -1))]);
  return found;
}

/** Parts by size and in order. @param {{kind: Kind}} props */
function Tables({ kind }) {
  const store = useStore();
  return partsOf(store, kind).map(([label, parts]) => {
    const values = parts.map(({ value }) => value);
    const largest = top(values, store.state.top, true).map((i) => parts[i]);
    const first = parts.slice(0, 25);
    const before = label && `${label}. `;
    const titles = [
      `${before}The ${largest.length} of largest size`,
      `${before}First ${first.length} of ${format.count(parts.length)}`,
    ];
    return html`<div class="dv-two">
      ${[largest, first].map((some, i) => html`<${Table} ...${partTable(kind, titles[i], some)} />`)}
    </div>`;
  });
}
