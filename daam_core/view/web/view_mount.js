/* DaamView: mounting sections into a page, tabs, themes. */
(function (D) {
  'use strict';

  const { h } = D;
  const groups = (D.groups = D.groups || new Map());

  const TABS = [
    ['summary', 'Prediction'],
    ['input', 'Input'],
    ['heads', 'Heads'],
    ['heatmap', 'Map and cell'],
    ['layers', 'Layers'],
    ['parameters', 'Parameters'],
    ['dataset', 'Data set'],
    ['compare', 'Compare'],
  ];

  D.isDark = function (element) {
    return getComputedStyle(element).getPropertyValue('--dv-dark').trim() === '1';
  };

  /** Chooses a cell: remembers head and place, and tells whoever asked to know. */
  D.Store.prototype.select = function (cell, tab) {
    const wanted = { head: cell.head, cell: { layer: cell.layer, feature: cell.feature } };
    if (tab) wanted.tab = tab;
    this.set(wanted);
    this.selectListeners.forEach((listener) => listener(cell));
  };

  function storeOf(group) {
    let store = group ? groups.get(group) : null;
    if (!store) {
      store = new D.Store();
      store.maps = new Set();
      store.selectListeners = new Set();
      store.views = 0;
      if (group) groups.set(group, store);
    }
    return store;
  }

  /** The tab that shows a section. */
  function tabOf(section) {
    return section === 'cell' ? 'heatmap' : section;
  }

  function sectionsOf(tab) {
    return tab === 'heatmap' ? ['heatmap', 'cell'] : [tab];
  }

  /** One request at a time: the page's way to the server may drop events that come together. */
  function inTurn(load) {
    let last = Promise.resolve();
    return function (...request) {
      const answer = last.then(() => load(...request));
      last = answer.catch(() => {});
      return answer;
    };
  }

  D.mount = function (element, given, options) {
    const payload = typeof given === 'string' ? JSON.parse(given) : given;
    const o = Object.assign({ theme: null, heading: 3 }, options);
    if (o.section && !D.sections.includes(o.section)) {
      throw new Error(`DaamView has no section "${o.section}"; choose one of: ${D.sections.join(', ')}.`);
    }
    const store = storeOf(o.group);
    store.views += 1;
    if (o.load) store.loader = inTurn(o.load);
    const inGradio = Boolean(document.querySelector('gradio-app, .gradio-container'));
    const root = h('div', { class: 'dv', 'data-theme': o.theme || (inGradio ? 'class' : 'auto') });
    element.replaceChildren(root);

    let built = [];
    const clear = () => {
      built.forEach((part) => part.destroy());
      built = [];
    };
    const make = (names) => {
      const ctx = { store: store, options: o, heading: o.heading };
      built = names.map((name) => D.parts[name](ctx));
      apart = h('p', { class: 'dv-apart', role: 'note' });
      sayApart();
      return h(
        'div',
        { class: 'dv-stack dv-wide-gap' },
        apart,
        built.map((part) => part.element),
      );
    };
    /** Two models side by side: what their heads do not have in common. */
    let apart = null;
    const sayApart = () => {
      const tab = o.section || currentTab();
      const compared = store.state.source === 'difference' || tab === 'compare';
      apart.hidden = !(store.twoModels() && compared && !['summary', 'input'].includes(tab));
      apart.textContent = apart.hidden
        ? ''
        : `${store.letter('a')} and ${store.letter('b')} are two models, whose heads were trained apart: head 0 of one ` +
          'need not be like head 0 of the other, so a difference head by head may mean nothing.';
    };

    // Tabs: one panel, filled with the chosen tab's sections, so that hidden figures cost nothing.
    const panelId = D.id('panel');
    const panel = h('div', { class: 'dv-panel', id: panelId, role: o.section ? null : 'tabpanel' });
    const offered = TABS.filter(([name]) => !o.tabs || o.tabs.includes(name));
    const tabs = offered.map(([name, title]) =>
      h(
        'button',
        {
          type: 'button',
          role: 'tab',
          class: 'dv-tab',
          id: `${panelId}-${name}`,
          'aria-controls': panelId,
          onclick: () => store.set({ tab: name }),
        },
        title,
      ),
    );
    const strip = h('div', { class: 'dv-tabs', role: 'tablist', 'aria-label': 'Views' }, tabs);
    strip.addEventListener('keydown', (e) => {
      const at = tabs.indexOf(document.activeElement);
      const next = {
        ArrowRight: (at + 1) % tabs.length,
        ArrowLeft: (at + tabs.length - 1) % tabs.length,
        Home: 0,
        End: tabs.length - 1,
      }[e.key];
      if (at < 0 || next === undefined) return;
      e.preventDefault();
      tabs[next].focus();
      store.set({ tab: offered[next][0] });
    });
    const currentTab = () => {
      const wanted = tabOf(store.state.tab);
      return offered.some(([name]) => name === wanted) ? wanted : offered[0][0];
    };
    const markTabs = () => {
      const current = currentTab();
      tabs.forEach((tab, i) => {
        const chosen = offered[i][0] === current;
        tab.setAttribute('aria-selected', String(chosen));
        tab.tabIndex = chosen ? 0 : -1;
        if (!chosen) return;
        panel.setAttribute('aria-labelledby', tab.id);
        strip.scrollLeft = Math.max(0, tab.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2);
      });
    };

    const build = () => {
      const focused = root.contains(document.activeElement) && document.activeElement.closest('[data-key]');
      fill();
      const again = focused && root.querySelector(`[data-key="${CSS.escape(focused.dataset.key)}"]`);
      const target =
        again &&
        (again.matches('[tabindex]') ? again : again.querySelector('input:checked, input, select, button'));
      if (target) target.focus({ preventScroll: true });
    };
    const fill = () => {
      clear();
      if (!store.payload) {
        root.replaceChildren(h('p', { class: 'dv-empty' }, o.empty || 'Nothing to show yet.'));
        return;
      }
      const begin = performance.now();
      if (o.section) {
        root.replaceChildren(make([o.section]));
      } else {
        panel.replaceChildren();
        root.replaceChildren(strip, panel); // in the page first, so that figures know their width
        markTabs();
        panel.replaceChildren(make(sectionsOf(currentTab())));
      }
      performance.measure('daam-view-build', { start: begin, end: performance.now() });
    };

    let frame = 0;
    const tell = () => {
      if (!o.onChange || frame) return;
      frame = requestAnimationFrame(() => {
        frame = 0;
        o.onChange(view.getState());
      });
    };
    const listener = (changed) => {
      if (changed.has('payload') || (changed.has('source') && !D.alike(store.payload))) build();
      else if (!store.payload) return;
      else if (changed.has('tab') && !o.section) {
        const inside = panel.contains(document.activeElement);
        clear();
        markTabs();
        panel.replaceChildren(make(sectionsOf(currentTab())));
        // What was pressed is gone: the reader goes on at the tab that it led to.
        if (inside) tabs.find((tab) => tab.tabIndex === 0).focus({ preventScroll: true });
      } else {
        built.forEach((part) => part.update(changed));
        if (apart) sayApart();
      }
      if (!changed.has('arrays') && !changed.has('theme')) tell();
    };
    store.listeners.add(listener);
    const selected = (cell) => o.onSelect && o.onSelect(Object.assign({}, cell));
    store.selectListeners.add(selected);

    // Canvases take their colours from the page: draw again when it turns dark or light.
    let dark = null;
    const themed = () => {
      const now = D.isDark(root);
      if (now === dark) return;
      dark = now;
      store.maps.forEach((map) => map.schedule());
      built.forEach((part) => part.update(new Set(['theme'])));
    };
    const observer = new MutationObserver(themed);
    [document.documentElement, document.body].forEach((node) =>
      observer.observe(node, { attributes: true, attributeFilter: ['class', 'data-theme', 'style'] }),
    );
    const media = window.matchMedia('(prefers-color-scheme: dark)');
    media.addEventListener('change', themed);

    const view = {
      update: (next) => store.setPayload(next),
      setState: (wanted) => store.set(wanted),
      getState: () => JSON.parse(JSON.stringify(store.state)),
      locate: (cell) => {
        const maps = Array.from(store.maps).filter((map) => root.contains(map.element) && map.field);
        const map = maps.find((one) => one.head === cell.head) || maps[0];
        return map ? map.locate(cell.layer, cell.feature) : null;
      },
      destroy: () => {
        clear();
        store.listeners.delete(listener);
        store.selectListeners.delete(selected);
        observer.disconnect();
        media.removeEventListener('change', themed);
        cancelAnimationFrame(frame);
        root.remove();
        store.views -= 1;
        if (o.group && store.views === 0) groups.delete(o.group);
      },
    };
    if (o.state) {
      // Before the payload is known the state is kept as far as its form allows; setPayload fits it.
      store.state = Object.assign({}, store.state, D.validState(o.state, store.payload || payload));
    }
    if (payload) store.setPayload(payload);
    else build();
    dark = D.isDark(root);
    return view;
  };
})((window.DaamView = window.DaamView || {}));
