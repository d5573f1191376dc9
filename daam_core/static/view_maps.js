/* DaamView: maps of layers × features, of one head and of all. */
(function (D) {
  'use strict';

  const { h } = D;
  D.parts = D.parts || {};

  // ---- what a map shows ---------------------------------------------------------------------------

  /**
   * The map of one head, or null when it is not in the payload.
   * which: {quantity, scale, source: 'a' | 'b' | 'difference', dataset: 'only' | 'difference' | undefined};
   * a difference to the data set can itself be taken between two inputs.
   */
  function field(store, head, which) {
    const model = which.source === 'b' && store.b ? store.b : store.a;
    const { quantity, scale } = which;
    const part = (changes) => {
      const f = field(store, head, Object.assign({}, which, changes));
      return f && f.data;
    };
    let pair = null;
    if (which.source === 'difference') pair = [part({ source: 'b' }), part({ source: 'a' })];
    else if (which.dataset === 'difference') pair = [part({ dataset: undefined }), part({ dataset: 'only' })];
    let data = null;
    if (!pair) data = model.map(quantity, head, scale, which.dataset === 'only');
    else if (pair[0] && pair[1])
      data = model.cached(`difference ${JSON.stringify(which)} ${head}`, () => minus(pair[0], pair[1]));
    if (!data) return null;
    const shown = modelsOf(store, which);
    return {
      data: data,
      rows: model.L,
      columns: model.F,
      seen: (row) => shown.every((one) => one.seen(head, row)),
      signed: Boolean(pair) || Boolean(D.QUANTITIES[quantity].signed),
      exact: shown.every((one) => partsOf(which).every((dataset) => one.isExact(quantity, head, dataset))),
    };
  }

  /** The models whose arrays are behind what `which` names. */
  function modelsOf(store, which) {
    return which.source === 'difference' ? [store.a, store.b] : [store[which.source]];
  }

  /** Whether the input's arrays (false), the data set's (true), or both are behind it. */
  function partsOf(which) {
    return { only: [true], difference: [false, true] }[which.dataset] || [false];
  }

  /** Asks for every array behind some heads' maps that is not here exactly; resolves to whether any came. */
  D.needExact = function (store, which, heads) {
    const jobs = modelsOf(store, which).flatMap((model) =>
      partsOf(which).flatMap((dataset) => heads.map((head) => model.need(which.quantity, head, dataset))),
    );
    return Promise.all(jobs).then((came) => came.some(Boolean));
  };

  /** A number of a field (or none) for reading; rounded ones are marked. */
  D.fieldNumber = function (f, at) {
    if (!f || !f.seen(Math.floor(at / f.columns))) return D.exact(NaN);
    return `${f.exact ? '' : '≈ '}${D.exact(f.data[at])}`;
  };

  D.field = field;

  function minus(one, other) {
    const out = new Float32Array(one.length);
    for (let i = 0; i < out.length; i += 1) out[i] = one[i] - other[i];
    return out;
  }

  D.minus = minus;

  /** The largest differences of two maps, with both numbers. fields: [one, other, difference], as of D.field. */
  D.differenceTable = function (store, what, sides, fields) {
    const [one, other, difference] = fields;
    const { columns: F } = difference || { columns: 1 };
    const rows = difference
      ? D.top(onlySeen(difference), store.state.top, true).map((at) => [
          String(Math.floor(at / F)),
          String(at % F),
          ...[one, other, difference].map((f) => D.fieldNumber(f, at)),
        ])
      : [];
    return D.table(
      `${what}: the ${rows.length} largest differences`,
      ['Layer', 'Feature', sides[0], sides[1], 'Difference'].map((title) => ({ title: title, number: true })),
      rows,
    );
  };

  /** The numbers of a field, NaN where there is no cell. */
  function onlySeen(f) {
    const data = Float32Array.from(f.data);
    for (let row = 0; row < f.rows; row += 1)
      if (!f.seen(row)) data.fill(NaN, row * f.columns, (row + 1) * f.columns);
    return data;
  }

  /** [lowest, highest] over the cells of some fields. */
  function extent(fields) {
    let low = Infinity;
    let high = -Infinity;
    fields.forEach((f) => {
      for (let row = 0; row < f.rows; row += 1) {
        if (!f.seen(row)) continue;
        for (let i = row * f.columns; i < (row + 1) * f.columns; i += 1) {
          if (f.data[i] < low) low = f.data[i];
          if (f.data[i] > high) high = f.data[i];
        }
      }
    });
    return low <= high ? [low, high] : [0, 0];
  }

  /** Only the cells that exist, for rank colours. */
  function cells(f) {
    const rows = D.range(f.rows).filter(f.seen);
    if (rows.length === f.rows) return f.data;
    const out = new Float32Array(rows.length * f.columns);
    rows.forEach((row, i) => out.set(f.data.subarray(row * f.columns, (row + 1) * f.columns), i * f.columns));
    return out;
  }

  /** Colours for some fields together, as the state asks for them. */
  D.colourScale = function (fields, options) {
    const present = fields.filter(Boolean);
    const signed = present.some((f) => f.signed);
    let [low, high] = options.limits || extent(present);
    if (signed) {
      high = Math.max(Math.abs(low), Math.abs(high));
      low = -high;
    }
    const thresholds =
      options.colours === 'rank' && high > low ? D.rankThresholds(present.map(cells), signed) : null;
    const scale = D.scale([low, high], signed ? 'diverging' : options.palette, thresholds);
    scale.signed = signed;
    return scale;
  };

  D.scaleOf = scaleOf;

  /** Colour scale of one head's map: over all heads together, or of its own. */
  function scaleOf(store, head, which) {
    const { scale, colours, palette } = store.state;
    const model = which.source === 'b' ? store.b : store.a;
    const key = `scale ${JSON.stringify(which)} ${scale} ${colours} ${palette} ${scale === 'shared' ? '' : head}`;
    return model.cached(key, () => {
      const heads = scale === 'shared' ? D.range(model.H) : [head];
      const fields = heads.map((one) => field(store, one, which)).filter(Boolean);
      const difference = which.source === 'difference' || which.dataset === 'difference';
      let limits = null;
      if (which.quantity !== 'importance' && !difference)
        limits = model.range(which.quantity, scale, head, Boolean(which.dataset));
      else if (!difference && extent(fields)[1] > 0) limits = [0, 1];
      return D.colourScale(fields, { colours: colours, palette: palette, limits: limits });
    });
  }

  D.scaleText = scaleText;

  function scaleText(store, which) {
    const quantity = D.QUANTITIES[which.quantity];
    // A difference's scale needs the maps themselves, which may not all have come.
    const part =
      (which.source === 'difference' || which.dataset === 'difference') &&
      D.range(store.model().H).some((head) => !field(store, head, which));
    const shared = part ? 'one scale for the heads loaded so far' : 'one scale for all heads';
    const scaled = store.state.scale === 'shared' ? shared : 'a scale of its own for each head';
    const rank =
      store.state.colours === 'rank' ? ' Colours by rank: each stands for equally many cells.' : '';
    if (which.source === 'difference' && which.dataset)
      return `${quantity.name} minus data set, ${store.letter('b')} minus ${store.letter('a')}; ${scaled}.${rank}`;
    if (which.source === 'difference') {
      const apart = which.quantity === 'class_importance' ? D.classesApart(store) : '';
      return `${quantity.name}, ${store.letter('b')} minus ${store.letter('a')}; ${scaled}.${rank}${apart && ` ${apart}`}`;
    }
    if (which.dataset === 'difference')
      return `${quantity.name}, this input minus data set; ${scaled}.${rank}`;
    return `${quantity.name}: ${quantity.meaning}; ${scaled}.${rank}`;
  }

  /** Said beside a difference of what is about a class, where the two results explain different ones. */
  D.classesApart = function (store) {
    const [one, other] = [store.a, store.b].map((model) => model.raw.class_names[model.raw.explained]);
    return one === other ? '' : `“${other}” minus “${one}”: the two explain different classes.`;
  };

  // ---- controls shared by all map sections --------------------------------------------------------

  const OPTIONS = {
    quantity: () => Object.entries(D.QUANTITIES).map(([key, q]) => [key, q.name]),
    scale: () => [
      ['shared', 'Shared'],
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

  const MAP_CONTROLS = ['quantity', 'source', 'scale', 'colours', 'palette', 'binning'];

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
        [scale === 'shared' ? 'IF' : 'IF (per head)', number('importance')],
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
    map.main = Boolean(o.main);
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

  function axisNames(model) {
    return `Rows are layers 0 to ${model.L - 1}, columns features 0 to ${D.count(model.F - 1)}.`;
  }

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
        main: true,
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
