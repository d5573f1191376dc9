/* DaamView: maps bound to the state, with the controls and readouts that they share. */
(function (D) {
  'use strict';

  const { h, field, modelsOf, onlySeen, scaleOf } = D;

  // ---- controls shared by all map sections --------------------------------------------------------

  const OPTIONS = {
    quantity: () => Object.entries(D.QUANTITIES).map(([key, q]) => [key, q.name]),
    scale: () => [
      ['all_heads', 'All heads'],
      ['per_head', 'Per head'],
    ],
    colours: () => [
      ['linear', 'Linear'],
      ['rank', 'Rank'],
    ],
    palette: () => [
      ['cividis', 'Cividis'],
      ['viridis', 'Viridis'],
      ['grey', 'Grey'],
    ],
    binning: () => [
      ['max', 'Maximum'],
      ['mean', 'Mean'],
    ],
    order: () => [
      ['index', 'Number'],
      ['contribution', 'Contribution'],
    ],
    source: (store) =>
      [
        ['a', store.label('a')],
        ['b', store.label('b')],
      ].concat(D.comparable(store.payload) ? [['difference', store.label('difference')]] : []),
    head: (store) => D.range(store.model().H).map((head) => [head, `Head ${head}`]),
  };
  const TITLES = {
    quantity: 'Show',
    scale: 'Scale',
    colours: 'Colours',
    palette: 'Palette',
    binning: 'Binning',
    order: 'Order by',
    source: 'Input',
    head: 'Head',
  };

  /** Controls bound to the state; call sync(changed) when the state changed. */
  D.stateControls = function (store, keys) {
    const shown = keys.filter((key) => key !== 'source' || store.b);
    const elements = shown.map((key) => {
      const make = ['quantity', 'palette', 'head', 'source'].includes(key) ? D.select : D.segments;
      const set = (value) => store.set({ [key]: key === 'head' ? Number(value) : value });
      return make(TITLES[key], OPTIONS[key](store), store.state[key], set);
    });
    return {
      elements: elements,
      sync: (changed) =>
        shown.forEach((key, i) => {
          if (changed.has(key)) elements[i].sync(store.state[key]);
        }),
    };
  };

  D.MAP_CONTROLS = ['quantity', 'source', 'scale', 'colours', 'palette', 'binning'];

  // ---- numbers of a cell --------------------------------------------------------------------------

  /** Line with the exact numbers of the cell under the pointer, or of the selected one. */
  D.readout = function (store) {
    const title = h('span', { class: 'dv-readout-title' });
    const list = h('dl', { class: 'dv-readout-list' });
    const element = h('div', { class: 'dv-readout' }, title, list);
    let timer = 0;
    // Always the same items: the box keeps its height, so that no map moves under the pointer.
    const items = (cell) => {
      const { quantity, scale, source } = store.state;
      if (source === 'difference') {
        const { short } = D.QUANTITIES[quantity];
        const of = (one) => {
          if (!cell) return '';
          const f = field(store, cell.head, { quantity: quantity, scale: scale, source: one });
          return D.fieldNumber(f, cell.layer * store.a.F + cell.feature);
        };
        return [
          [`${short}, ${store.letter('a')}`, of('a')],
          [`${short}, ${store.letter('b')}`, of('b')],
          ['Difference', of('difference')],
        ];
      }
      const facts = cell && store.model().cell(cell.head, cell.layer, cell.feature, scale);
      const number = (key) => {
        if (!facts) return '';
        if (!facts.seen && key !== 'value') return D.exact(NaN);
        return `${facts[key] === null || facts.exact[key] ? '' : '≈ '}${D.exact(facts[key])}`;
      };
      return [
        ['Value', number('value')],
        ['Gate', number('gate')],
        ['DA', number('density_attention')],
        [scale === 'all_heads' ? 'IF' : 'IF (per head)', number('importance')],
        ['Class', number('class_importance')],
      ];
    };
    const update = () => {
      clearTimeout(timer);
      const { state } = store;
      const cell = store.hover || (state.cell && Object.assign({ head: state.head }, state.cell));
      const seen = !cell || modelsOf(store, state).every((model) => model.seen(cell.head, cell.layer));
      if (!cell) title.textContent = 'Point at a cell, or use the arrow keys';
      else if (!seen) title.textContent = 'Not seen by this head';
      else title.textContent = store.hover ? 'Cell' : 'Selected cell';
      const place = ['head', 'layer', 'feature'].map((key) => [
        key[0].toUpperCase() + key.slice(1),
        cell ? cell[key] : '',
      ]);
      const rows = place.concat(items(cell));
      list.replaceChildren(
        ...rows.map(([name, value]) =>
          h('div', {}, h('dt', {}, name), h('dd', {}, value === '' ? '–' : String(value))),
        ),
      );
      if (cell) timer = setTimeout(() => D.needCell(store, cell), 80);
    };
    update();
    return { element: element, update: update, destroy: () => clearTimeout(timer) };
  };

  /** Asks for the exact arrays behind a cell's numbers, where the payload holds them rounded. */
  D.needCell = function (store, cell) {
    ['values', 'gate', 'density_attention', 'class_importance'].forEach((name) =>
      D.needExact(store, { quantity: name, source: store.state.source }, [cell.head]),
    );
  };

  /** What the keyboard cursor reads out. */
  D.describeCell = function (store, head, layer, feature) {
    const { quantity, scale, source } = store.state;
    if (!modelsOf(store, { source: source }).every((model) => model.seen(head, layer)))
      return `Head ${head}, layer ${layer}, feature ${feature}: not seen by this head.`;
    const at = layer * store.model().F + feature;
    const shown = D.fieldNumber(field(store, head, { quantity: quantity, scale: scale, source: source }), at);
    const { short } = D.QUANTITIES[quantity];
    const place = `Head ${head}, layer ${layer}, feature ${feature}:`;
    if (source === 'difference') return `${place} difference in ${short} ${shown}.`;
    const facts = store.model().cell(head, layer, feature, scale);
    return `${place} ${short} ${shown}, value ${facts.exact.value ? '' : '≈ '}${D.exact(facts.value)}.`;
  };

  /** Tables in place of a map: the strongest cells, and the first ones as they stand in the array. */
  D.cellTables = function (store, heads) {
    const model = store.model();
    const { quantity, scale, source, top } = store.state;
    const which = { quantity: quantity, scale: scale, source: source };
    const candidates = [];
    heads.forEach((head) => {
      const f = field(store, head, which);
      if (f) D.top(onlySeen(f), top, f.signed).forEach((at) => candidates.push([head, at, f.data[at], f]));
    });
    candidates.sort((a, b) => (b[3].signed ? Math.abs(b[2]) - Math.abs(a[2]) : b[2] - a[2]));
    const of = source === 'difference' ? ` (${store.letter('a')})` : '';
    const columns = ['Head', 'Layer', 'Feature']
      .concat(['Value', 'Gate', 'DA', 'IF', 'Class'].map((title) => title + of))
      .map((title) => ({ title: title, number: true }));
    if (source === 'difference') columns.push({ title: 'Difference', number: true });
    const row = (head, at, f) => {
      const layer = Math.floor(at / model.F);
      const facts = model.cell(head, layer, at % model.F, scale);
      const numbers = ['value', 'gate', 'density_attention', 'importance', 'class_importance'].map((key) => {
        if (facts[key] === null || (!facts.seen && key !== 'value')) return '–';
        return `${facts.exact[key] ? '' : '≈ '}${D.exact(facts[key])}`;
      });
      return [head, layer, at % model.F]
        .map(String)
        .concat(numbers, source === 'difference' ? [D.fieldNumber(f, at)] : []);
    };
    D.needExact(store, which, heads);
    const name = D.QUANTITIES[quantity].name;
    const first = D.range(Math.min(top, model.L * model.F)).map((at) => {
      return row(heads[0], at, field(store, heads[0], which));
    });
    return h(
      'div',
      { class: 'dv-stack' },
      D.table(
        `Top ${Math.min(top, candidates.length)} cells by ${name}`,
        columns,
        candidates.slice(0, top).map(([head, at, , f]) => row(head, at, f)),
      ),
      D.table(`First ${first.length} cells of head ${heads[0]}, in order`, columns, first),
    );
  };

  // ---- maps bound to the state --------------------------------------------------------------------

  /** A heat map of one head that follows hover, selection and zoom of its group. */
  D.headMap = function (store, head, options) {
    const o = Object.assign({ height: (rows) => Math.max(120, Math.min(420, rows * 14)) }, options);
    const missing = h('p', { class: 'dv-missing', hidden: true });
    // Where heads see groups of layers, small maps show a head's own rows only; columns stay linked.
    const rows = o.ownRows && store.model().raw.mode === 'layer_groups' ? ownRows(store.model(), head) : null;
    const wholeRows = (zoom) => {
      const { F, L } = store.model();
      return zoom && zoom.x1 - zoom.x0 < F ? { x0: zoom.x0, x1: zoom.x1, y0: 0, y1: L } : null;
    };
    const zoomShown = () => {
      const { zoom } = store.state;
      return rows ? Object.assign({ x0: 0, x1: store.model().F }, zoom, rows) : zoom;
    };
    const map = new D.HeatMap({
      label:
        `${o.title}. Arrow keys move from cell to cell, plus and minus zoom, 0 shows everything, M goes to the strongest ` +
        'cell, Enter selects.',
      axes: o.axes,
      height: (count, width) => o.height(rows ? rows.y1 - rows.y0 : count, width),
      onHover: (cell) => store.setHover(cell && { head: head, layer: cell.row, feature: cell.column }),
      onSelect: (cell) => store.select({ head: head, layer: cell.row, feature: cell.column }),
      onZoom: (zoom) => store.set({ zoom: rows ? wholeRows(zoom) : zoom }),
      onDraw: o.onDraw,
      describe: (row, column) => D.describeCell(store, head, row, column),
    });
    const marks = () => {
      const { cell } = store.state;
      const hover = store.hover;
      map.setMarks({
        hover: hover && { row: hover.layer, column: hover.feature },
        cell: cell && { row: cell.layer, column: cell.feature },
      });
    };
    const refresh = () => {
      const which = o.which();
      const f = o.field ? o.field() : field(store, head, which);
      missing.hidden = Boolean(f);
      missing.textContent = '';
      map.element.hidden = !f;
      if (!f) {
        if (which.dataset && !modelsOf(store, which).every((model) => model.hasDataset())) {
          missing.textContent = 'The checkpoint holds no averages over a data set.';
          return;
        }
        const tooLarge = 'This map is too large to be part of this page.';
        missing.textContent = store.loader ? 'Loading this map …' : tooLarge;
        D.needExact(store, which, o.heads ? o.heads() : [head]).then((came) => {
          if (!came) missing.textContent = tooLarge;
        });
        return;
      }
      map.zoom = zoomShown();
      map.binning = store.state.binning;
      map.setField(f, o.scale ? o.scale() : scaleOf(store, head, which));
    };
    const element = h('div', { class: 'dv-map-box' }, o.caption || null, map.element, missing);
    store.maps.add(map);
    map.head = head;
    refresh();
    marks();
    return {
      element: element,
      map: map,
      refresh: refresh,
      marks: marks,
      zoom: () => map.setZoom(zoomShown()),
      destroy: () => {
        store.maps.delete(map);
        map.destroy();
      },
    };
  };

  /** {y0, y1} of the consecutive layers that a head sees. */
  function ownRows(model, head) {
    const seen = D.range(model.L).filter((l) => model.seen(head, l));
    return { y0: seen[0], y1: seen[seen.length - 1] + 1 };
  }

  const REDRAW = ['quantity', 'scale', 'colours', 'palette', 'binning', 'source', 'arrays'];

  D.changedAny = function (changed, keys) {
    return keys.some((key) => changed.has(key));
  };

  D.follow = follow;

  /** Keeps some maps, their readout and bar in step with the state. Returns {update, destroy}. */
  function follow(store, parts) {
    const hover = () => {
      parts.maps().forEach((map) => map.marks());
      if (parts.readout) parts.readout.update();
    };
    store.hoverListeners.add(hover);
    return {
      update: (changed) => {
        const redraw = D.changedAny(changed, REDRAW);
        if (redraw) parts.maps().forEach((map) => map.refresh());
        else if (changed.has('zoom')) parts.maps().forEach((map) => map.zoom());
        if (changed.has('cell') || changed.has('head')) parts.maps().forEach((map) => map.marks());
        if (parts.readout && (redraw || changed.has('cell') || changed.has('head'))) parts.readout.update();
        if (parts.after) parts.after(changed, redraw);
      },
      destroy: () => {
        store.hoverListeners.delete(hover);
        parts.maps().forEach((map) => map.destroy());
        if (parts.readout) parts.readout.destroy();
      },
    };
  }

  D.zoomButtons = zoomButtons;

  function zoomButtons(maps) {
    const act = (work) => () => {
      const map = maps()[0] && maps()[0].map;
      if (map && map.field) work(map);
    };
    const middle = (map) => ({ x: map.cssWidth / 2, y: map.cssHeight / 2 });
    const all = act((map) => map.propose({ x0: 0, x1: map.field.columns, y0: 0, y1: map.field.rows }));
    return D.zoomGroup(
      act((map) => map.zoomAt(middle(map), 2, 2)),
      act((map) => map.zoomAt(middle(map), 0.5, 1)),
      D.button('All', all, { 'aria-label': 'Show everything' }),
    );
  }

  D.axisNames = function (model) {
    return `Rows are layers 0 to ${model.L - 1}, columns features 0 to ${D.count(model.F - 1)}.`;
  };
})((window.DaamView = window.DaamView || {}));
