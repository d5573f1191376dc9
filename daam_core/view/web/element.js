// @ts-check
/**
 * What <daam-view> and <daam-study> share: a root that is drawn into, the theme that it follows, the
 * properties `payload` and `state`, and the event `state`, once a frame.
 */
import { isDark, render } from './html.js';
import { flush, idle } from './pieces.js';

/**
 * @template {{ payload: any, state: any, dark: boolean, whole: boolean, setPayload: (payload: any) => void,
 *   set: (wanted: any) => void, setDark: (dark: boolean) => void }} S
 * @template {{ theme: string }} O
 */
export class DrawnElement extends HTMLElement {
  /**
   * @param {string} classes of the root
   * @param {O} options
   * @param {(element: any) => S} store made for this element
   */
  constructor(classes, options, store) {
    super();
    this.classes = classes;
    this.settings = { ...options };
    this.store = store(this);
    /** @type {HTMLElement | null} */
    this.root = null;
    this.frame = 0;
    this.themed = () => this.root && this.store.setDark(isDark(this.root));
    this.beforePrint = () => this.all();
    this.observer = new MutationObserver(this.themed);
    this.system = window.matchMedia('(prefers-color-scheme: dark)');
  }

  connectedCallback() {
    this.root = document.createElement('div');
    this.root.className = this.classes;
    this.replaceChildren(this.root);
    for (const node of [document.documentElement, document.body]) {
      this.observer.observe(node, { attributes: true, attributeFilter: ['class', 'data-theme', 'style'] });
    }
    this.system.addEventListener('change', this.themed);
    window.addEventListener('beforeprint', this.beforePrint);
    this.root.dataset.theme = this.settings.theme;
    this.store.dark = isDark(this.root); // known before canvases are drawn
    this.draw();
  }

  disconnectedCallback() {
    this.observer.disconnect();
    this.system.removeEventListener('change', this.themed);
    window.removeEventListener('beforeprint', this.beforePrint);
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.root) render(null, this.root);
    this.root = null;
    this.replaceChildren();
  }

  get payload() {
    return this.store.payload;
  }

  set payload(payload) {
    this.store.setPayload(payload);
  }

  /** @returns {any} */
  get state() {
    return structuredClone(this.store.state);
  }

  set state(wanted) {
    this.store.set(wanted);
  }

  /** Into the root, where there is one. */
  draw() {}

  /** Draws now what would be drawn a little later, piece by piece, and from now on everything at once. */
  all() {
    this.store.whole = true;
    this.draw();
    flush();
  }

  /** Resolves once everything is drawn. */
  drawn() {
    return idle();
  }

  /** @param {string} name */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** The event `state`, with the next frame. */
  tellState() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.tell('state', this.state);
    });
  }
}
