// @ts-check
/**
 * The view as one component: tabs, the sections of the chosen one, and a word on what two models have not
 * in common.
 */
import {
  HeadingContext,
  html,
  Stages,
  StoreContext,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from './html.js';
import { measured } from './pieces.js';
import { OneCell } from './sections/cell.js';
import { Compare } from './sections/compare.js';
import { AgainstDataset } from './sections/dataset.js';
import { Heads } from './sections/heads.js';
import { BackToInput } from './sections/input.js';
import { Layers } from './sections/layers.js';
import { OneHead } from './sections/one_head.js';
import { Parameters } from './sections/parameters.js';
import { Outside, Prediction } from './sections/prediction.js';

/** @typedef {import('./store.js').Store} Store */

/** @type {Record<string, any>} */
const COMPONENTS = {
  summary: Prediction,
  heatmap: OneHead,
  heads: Heads,
  cell: OneCell,
  parameters: Parameters,
  layers: Layers,
  input: BackToInput,
  dataset: AgainstDataset,
  compare: Compare,
};
const TABS = [
  { name: 'summary', title: 'Prediction' },
  { name: 'input', title: 'Input' },
  { name: 'heads', title: 'Heads' },
  { name: 'heatmap', title: 'Map and cell' },
  { name: 'layers', title: 'Layers' },
  { name: 'parameters', title: 'Parameters' },
  { name: 'dataset', title: 'Average' },
  { name: 'compare', title: 'Compare' },
];

/**
 * @param {{
 *   store: Store, heading: number, section: string | null, tabs: string[] | null, remark?: string | Record<string, string>,
 * }} props one section alone, or those tabs; remark: said with what stands out, always or with that quantity
 */
export function View({ store, heading, section, tabs, remark = '' }) {
  const id = useId('panel');
  if (!store.payload) return html`<p class="dv-empty">Nothing to show yet.</p>`;
  const offered = TABS.filter(
    ({ name }) => (!tabs || tabs.includes(name)) && (name !== 'input' || store.a.raw.token_units !== ''),
  ).map(({ name, title }) => ({ name, title: name === 'layers' ? `${store.axes().Row}s` : title }));
  // The cell stands below the map of one head.
  const wanted = store.state.tab === 'cell' ? 'heatmap' : store.state.tab;
  const tab = offered.some(({ name }) => name === wanted) ? wanted : offered[0].name;
  const shown = section || tab;
  const sections = shown === 'heatmap' && !section ? ['heatmap', 'cell'] : [shown];
  const body = html`<div class="dv-stack dv-wide-gap" key=${shown}>
    <${Stages} figures=${true}>
      <${Apart} store=${store} shown=${shown} />
      ${sections.map((name) => html`<${COMPONENTS[name]} key=${name} />`)}
    <//>
  </div>`;
  return html`<${StoreContext.Provider} value=${store}>
    <${HeadingContext.Provider} value=${heading}>
      ${
        section
          ? html`<div class="dv-panel">${body}</div>`
          : html`${offered.some(({ name }) => name === 'summary') && html`<${Warnings} store=${store} />`}
              <${InWords} store=${store} remark=${remark} />
              <${Tabs} store=${store} offered=${offered} tab=${tab} panel=${id} />
              <div class="dv-panel" id=${id} role="tabpanel" aria-labelledby="${id}-${tab}">
                ${body}
              </div>`
      }
    <//>
  <//>`;
}

/**
 * Warnings of inputs unlike the training data, whichever tab is shown: they are to be read before anything else.
 * Where the prediction is not among the tabs, the page around shows it with its warning.
 * @param {{store: Store}} props
 */
function Warnings({ store }) {
  const warned = store.sides().filter((side) => store[side].raw.warning);
  return warned.map(
    (side) =>
      html`<${Outside} key=${side} said=${store[side].raw.warning} of=${store.b ? store.letter(side) : ''} />`,
  );
}

/**
 * What stands out, in sentences; of both results where their difference is shown. On a narrow page the first
 * sentence of each stands alone until more is asked for: the maps are in sight sooner.
 * @param {{store: Store, remark: string | Record<string, string>}} props
 */
function InWords({ store, remark }) {
  const sides = store.sides();
  const said = typeof remark === 'string' ? remark : remark[store.quantity];
  const [open, setOpen] = useState(false);
  const words = sides.map((side) => store[side].raw.in_words || []);
  const folds = words.some((sentences) => sentences.length > 1);
  return html`<div class="dv-in-words ${open ? 'dv-unfolded' : ''}">
    ${sides.map(
      (side, i) =>
        html`<p key=${side}>
          ${store.b && html`<strong>${store.letter(side)}. </strong>`}${words[i][0]}
          <span class="dv-rest"> ${words[i].slice(1).join(' ')}</span>
          ${said && side === sides.at(-1) && html` <span class="dv-quiet">${said}</span>`}
        </p>`,
    )}
    ${
      folds &&
      html`<button type="button" class="dv-link dv-unfold" aria-expanded=${String(open)} onClick=${() => setOpen(!open)}
        >${open ? 'Fewer words' : 'More words'}</button
      >`
    }
  </div>`;
}

/**
 * Two models side by side: what their heads do not have in common.
 * @param {{store: Store, shown: string}} props
 */
function Apart({ store, shown }) {
  const compared = store.isDifference() || shown === 'compare';
  const apart = store.twoModels() && compared && !['summary', 'input'].includes(shown);
  return html`<p class="dv-apart" role="note" hidden=${!apart}>
    ${
      apart &&
      `${store.letter('a')} and ${store.letter('b')} are two models, whose heads were trained apart: head 0 of one ` +
        'need not be like head 0 of the other, so a difference head by head may mean nothing.'
    }
  </p>`;
}

/** @param {{store: Store, offered: {name: string, title: string}[], tab: string, panel: string}} props */
function Tabs({ store, offered, tab, panel }) {
  const strip = useRef(null);
  useLayoutEffect(() => {
    const chosen = strip.current.querySelector('[aria-selected=true]');
    return measured(
      chosen,
      () => chosen.offsetLeft - (strip.current.clientWidth - chosen.offsetWidth) / 2,
      (left) => {
        strip.current.scrollLeft = Math.max(0, left);
      },
    );
  }, [tab]);
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    const buttons = Array.from(strip.current.children);
    const at = buttons.indexOf(/** @type {Element} */ (document.activeElement));
    /** @type {Record<string, number>} */
    const moves = {
      ArrowRight: (at + 1) % buttons.length,
      ArrowLeft: (at + buttons.length - 1) % buttons.length,
      Home: 0,
      End: buttons.length - 1,
    };
    const next = moves[e.key];
    if (at < 0 || next === undefined) return;
    e.preventDefault();
    buttons[next].focus();
    store.set({ tab: offered[next].name });
  };
  return html`<div ref=${strip} class="dv-tabs" role="tablist" aria-label="Views" onKeyDown=${key}>
    ${offered.map(
      ({ name, title }) =>
        html`<button
          type="button"
          role="tab"
          class="dv-tab"
          id="${panel}-${name}"
          aria-controls=${panel}
          aria-selected=${String(name === tab)}
          tabindex=${name === tab ? 0 : -1}
          onClick=${() => store.set({ tab: name })}
        >
          ${title}
        </button>`,
    )}
  </div>`;
}
