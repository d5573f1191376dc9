/* DaamView: maps of layers × features, of one head and of all. */
(function (D) {
  'use strict';

  const {
    h,
    field,
    minus,
    extent,
    modelsOf,
    scaleOf,
    scaleText,
    follow,
    zoomButtons,
    axisNames,
    MAP_CONTROLS,
  } = D;
  D.parts = D.parts || {};

  // ---- one head -----------------------------------------------------------------------------------

  D.parts.heatmap = function (ctx) {
    const { store } = ctx;
    const controls = D.stateControls(store, ['head'].concat(MAP_CONTROLS));
    const readout = D.readout(store);
    const note = D.binningNote(() => axisNames(store.model()));
    const bar = h('div', {});
    const place = h('div', {});
    const which = () => ({
      quantity: store.state.quantity,
      scale: store.state.scale,
      source: store.state.source,
    });
    let map = null;
    const say = () => {
      const present = field(store, store.state.head, which());
      const scale = present && scaleOf(store, store.state.head, which());
      bar.replaceChildren(...(present ? [D.colourBar(scale, scaleText(store, which()))] : []));
    };
    const build = () => {
      if (map) map.destroy();
      map = D.headMap(store, store.state.head, {
        title: `Map of head ${store.state.head}`,
        which: which,
        onDraw: note.show,
      });
      place.replaceChildren(map.element);
      say();
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'One head: layers × features',
      help:
        'Shows how strongly the chosen head weighs every feature in every layer. It does not show which class a cell ' +
        'speaks for; class importance does.',
      controls: controls.elements.concat([zoomButtons(() => [map])]),
      body: h('div', { class: 'dv-stack' }, readout.element, place, bar, note.element),
      table: () => D.cellTables(store, [store.state.head]),
    });
    build();
    const following = follow(store, {
      maps: () => [map],
      readout: readout,
      after: (changed, redraw) => {
        controls.sync(changed);
        if (changed.has('head')) build();
        else if (redraw) say();
        if (redraw || changed.has('head')) figure.refresh();
      },
    });
    return { element: figure.element, update: following.update, destroy: following.destroy };
  };

  // ---- all heads ----------------------------------------------------------------------------------

  function headChooser(store) {
    const boxes = D.range(store.model().H).map((head) =>
      h('input', {
        type: 'checkbox',
        checked: store.shownHeads().includes(head),
        onchange: () => {
          const chosen = D.range(store.model().H).filter((one) => boxes[one].checked);
          if (!chosen.length || chosen.length > 8) boxes[head].checked = !boxes[head].checked;
          else store.set({ heads: chosen });
        },
      }),
    );
    const element = h(
      'fieldset',
      { class: 'dv-control dv-heads' },
      h('legend', { class: 'dv-label' }, 'Heads side by side (up to 8)'),
      h(
        'div',
        { class: 'dv-row' },
        boxes.map((box, head) => h('label', { class: 'dv-check' }, box, D.headName(head))),
      ),
    );
    return {
      element: element,
      sync: () =>
        boxes.forEach((box, head) => {
          box.checked = store.shownHeads().includes(head);
        }),
    };
  }

  D.parts.heads = function (ctx) {
    const { store } = ctx;
    const many = multiples(ctx);
    const several = store.model().H > 1;
    const one = several ? pairMap(ctx) : null;
    const two = several ? similarity(ctx) : null;
    const parts = [many, one, two].filter(Boolean);
    return D.stackedParts(parts);
  };

  function multiples(ctx) {
    const { store } = ctx;
    const controls = D.stateControls(store, MAP_CONTROLS.concat(['order']));
    const chooser = headChooser(store);
    const readout = D.readout(store);
    const grid = h('div', { class: 'dv-multiples' });
    const bar = h('div', {});
    const note = D.binningNote(() => axisNames(store.model()));
    const which = () => ({
      quantity: store.state.quantity,
      scale: store.state.scale,
      source: store.state.source,
    });
    let maps = [];
    const say = () => {
      const own = store.state.scale === 'per_head' && store.state.quantity !== 'importance';
      const first = maps[0] ? maps[0].map.head : 0;
      bar.replaceChildren(
        own
          ? h('p', { class: 'dv-bar-text' }, `${scaleText(store, which())} The range stands above each map.`)
          : D.colourBar(scaleOf(store, first, which()), scaleText(store, which())),
      );
      maps.forEach((map) => {
        const f = field(store, map.map.head, which());
        const [low, high] = f ? extent([f]) : [NaN, NaN];
        map.caption.lastChild.textContent =
          low === high ? `constant, ${D.short(low, 4)}` : `${D.short(low, 4)} to ${D.short(high, 4)}`;
      });
    };
    const build = () => {
      maps.forEach((map) => map.destroy());
      maps = store.shownHeads().map((head, i) => {
        const caption = h(
          'div',
          { class: 'dv-map-caption' },
          h(
            'button',
            { type: 'button', class: 'dv-link', onclick: () => store.set({ head: head, tab: 'heatmap' }) },
            D.headName(head, D.shareText(store, head)),
          ),
          h('span', { class: 'dv-quiet dv-number' }),
        );
        const map = D.headMap(store, head, {
          title: `Map of head ${head}`,
          which: which,
          caption: caption,
          ownRows: true,
          onDraw: i === 0 ? note.show : null,
          height: (rows, width) => Math.max(Math.min(96, rows * 20), Math.min(200, rows * 12, width)),
        });
        map.caption = caption;
        return map;
      });
      grid.replaceChildren(...maps.map((map) => map.element));
      say();
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'All heads',
      help:
        'Heads side by side on one scale, so that a weak head looks weak; zoom, pointer and selection are linked. The ' +
        'percentage is a head’s share of all density attention, not its share in the decision.',
      controls: controls.elements.concat([
        zoomButtons(() => maps),
        store.model().H > 1 ? chooser.element : null,
      ]),
      body: h('div', { class: 'dv-stack' }, readout.element, grid, bar, note.element),
      table: () => D.cellTables(store, store.shownHeads()),
    });
    build();
    const following = follow(store, {
      maps: () => maps,
      readout: readout,
      after: (changed, redraw) => {
        controls.sync(changed);
        if (D.changedAny(changed, ['heads', 'order', 'source'])) {
          chooser.sync();
          build();
        } else if (redraw) say();
        if (redraw || D.changedAny(changed, ['heads', 'order'])) figure.refresh();
      },
    });
    return { element: figure.element, update: following.update, destroy: following.destroy };
  }

  function pairMap(ctx) {
    const { store } = ctx;
    const pair = () => store.state.pair || [0, 1];
    const names = D.range(store.model().H).map((head) => [head, `Head ${head}`]);
    const pick = [0, 1].map((i) =>
      D.select(i ? 'minus' : 'Head', names, pair()[i], (value) => {
        const next = pair().slice();
        next[i] = Number(value);
        store.set({ pair: next });
      }),
    );
    const readout = h('p', { class: 'dv-note dv-number' });
    const note = D.binningNote();
    const bar = h('div', {});
    const which = () => ({
      quantity: store.state.quantity,
      scale: store.state.scale,
      source: store.state.source,
    });
    const both = () => pair().map((head) => field(store, head, which()));
    const difference = () => {
      const [one, other] = both();
      if (!one || !other) return null;
      return Object.assign({}, one, {
        data: minus(one.data, other.data),
        signed: true,
        exact: one.exact && other.exact,
        seen: (row) => one.seen(row) && other.seen(row),
      });
    };
    let current = null;
    const scale = () =>
      D.colourScale([current], { colours: store.state.colours, palette: store.state.palette });
    const map = D.headMap(store, store.state.head, {
      title: 'Difference of two heads',
      which: which,
      field: () => {
        current = difference();
        return current;
      },
      scale: scale,
      heads: pair,
      onDraw: note.show,
      height: (rows) => Math.max(96, Math.min(260, rows * 12)),
    });
    map.map.head = null; // of no single head
    map.map.options.onHover = (cell) => {
      store.setHover(cell && { head: pair()[0], layer: cell.row, feature: cell.column });
      tell(cell);
    };
    map.map.options.onSelect = (cell) =>
      store.select({ head: pair()[0], layer: cell.row, feature: cell.column });
    map.map.options.describe = (row, column) => sentence(row, column);
    const sentence = (row, column) => {
      const at = row * store.model().F + column;
      const [one, other] = both();
      const { short } = D.QUANTITIES[store.state.quantity];
      if (!current || !current.seen(row)) return `Layer ${row}, feature ${column}: not seen by both heads.`;
      D.needExact(store, which(), pair());
      const numbers = [one, other, current].map((f) => D.fieldNumber(f, at));
      return `Layer ${row}, feature ${column}: ${short} ${numbers[0]} − ${numbers[1]} = ${numbers[2]}`;
    };
    const of = () => (store.b ? ` of ${store.letter(store.state.source)}` : '');
    const tell = (cell) => {
      const range = current ? extent([current]) : [NaN, NaN];
      readout.textContent = cell
        ? sentence(cell.row, cell.column)
        : `The differences go from ${D.short(range[0], 4)} to ${D.short(range[1], 4)}.`;
    };
    const say = () => {
      const [one, other] = pair();
      const model = store.model();
      const apart = !D.range(model.L).some((l) => model.seen(one, l) && model.seen(other, l));
      [map.element, bar, note.element].forEach((node) => {
        node.hidden = apart;
      });
      if (apart) {
        readout.textContent = `Heads ${one} and ${other} see no layer in common, so there is nothing to subtract.`;
        return;
      }
      bar.replaceChildren(
        current
          ? D.colourBar(
              scale(),
              `${D.QUANTITIES[store.state.quantity].name}${of()}, head ${one} minus head ${other}.`,
            )
          : '',
      );
      tell(null);
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'One head minus another',
      help:
        'Orange cells have more of what is shown (or, between two inputs, gain more) in the first head, blue ones in the ' +
        'second; equal heads leave the map white. It does not tell which of them the decision uses.',
      controls: pick,
      body: h('div', { class: 'dv-stack' }, map.element, bar, note.element, readout),
      table: () => {
        const names = pair().map((head) => `Head ${head}`);
        if (current) D.needExact(store, which(), pair());
        return D.differenceTable(store, names.join(' and '), names, both().concat([current]));
      },
    });
    say();
    const following = follow(store, {
      maps: () => [map],
      after: (changed, redraw) => {
        if (changed.has('pair')) {
          pick.forEach((element, i) => element.sync(pair()[i]));
          map.refresh();
        }
        if (redraw || changed.has('pair')) {
          say();
          figure.refresh();
        }
      },
    });
    return { element: figure.element, update: following.update, destroy: following.destroy };
  }

  function similarity(ctx) {
    const { store } = ctx;
    const meets = (model) =>
      D.range(model.L).some((l) => D.range(model.H).filter((head) => model.seen(head, l)).length > 1);
    const meet = modelsOf(store, store.state).some(meets);
    if (!meet) {
      return D.emptyPart(
        ctx,
        'How alike the heads are',
        'Every head sees layers of its own, so no two gates can be compared cell by cell.',
      );
    }
    const place = h('div', { class: 'dv-matrices' });
    place.style.setProperty('--dv-least', `${96 + 52 * store.model().H}px`); // what a matrix needs
    const matrix = (numbers, caption, most) => {
      const scale = D.scale([-most, most], 'diverging');
      const heads = D.range(numbers.length);
      const cell = (r) => {
        const colour = r === null ? null : scale.table[scale.index(r)];
        return h(
          'td',
          {
            class: 'dv-matrix-cell',
            style: colour ? { background: D.css(colour), color: D.ink(colour) } : {},
          },
          r === null ? '–' : D.fixed(r, 2),
        );
      };
      return h(
        'div',
        { class: 'dv-table-wrap', tabindex: '0', role: 'region', 'aria-label': caption },
        h(
          'table',
          { class: 'dv-table dv-matrix' },
          h('caption', {}, h('span', { class: 'dv-caption' }, caption)),
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('td', {}),
              heads.map((head) =>
                h('th', { scope: 'col', 'aria-label': `Head ${head}` }, D.headName(head, null, true)),
              ),
            ),
          ),
          h(
            'tbody',
            {},
            heads.map((one) =>
              h('tr', {}, h('th', { scope: 'row' }, D.headName(one)), numbers[one].map(cell)),
            ),
          ),
        ),
      );
    };
    const build = () => {
      const caption = 'Correlation of the gates';
      const { source } = store.state;
      const shown = source === 'difference' ? ['a', 'b'] : [source];
      const found = shown.map((one) => store[one].raw.similarity);
      const tables = found.map((numbers, i) =>
        matrix(numbers, store.b ? `${caption}, ${store.letter(shown[i])}` : caption, 1),
      );
      if (source === 'difference') {
        const change = found[1].map((row, i) =>
          row.map((r, j) => (r === null || found[0][i][j] === null ? null : r - found[0][i][j])),
        );
        const sizes = change.flat().filter((v) => v !== null);
        const most = Math.max(0.25, ...sizes.map(Math.abs)); // a change of nothing stays pale
        tables.push(matrix(change, `Change of the correlation, ${store.label('difference')}`, most));
      }
      place.replaceChildren(...tables);
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'How alike the heads are',
      help:
        'Correlation of the gates of two heads over the cells that both see (– where there are none): 1 means that they gate ' +
        'every cell alike, 0 that they have nothing in common. Alike gates can still be used differently by the classifier.',
      body: place,
    });
    build();
    return {
      element: figure.element,
      update: (changed) => {
        if (changed.has('source')) build();
      },
      destroy: () => {},
    };
  }
})((window.DaamView = window.DaamView || {}));
