/* DaamView: an input against the data set, and one result against another. */
(function (D) {
  'use strict';

  const { h, field, scaleOf, scaleText, follow, zoomButtons } = D;

  /** One colour scale for the maps of several results: over all heads, or of the chosen one. */
  function scaleTogether(store, whichs) {
    const { scale, colours, palette, head } = store.state;
    const key = `both ${JSON.stringify(whichs)} ${colours} ${palette} ${scale === 'all_heads' ? '' : head}`;
    return store.a.cached(key, () => {
      const heads = scale === 'all_heads' ? D.range(store.a.H) : [head];
      const fields = whichs.flatMap((which) => heads.map((one) => field(store, one, which))).filter(Boolean);
      const { quantity, dataset } = whichs[0];
      const limits = quantity === 'importance' && !dataset ? [0, 1] : null;
      return D.colourScale(fields, { colours: colours, palette: palette, limits: limits });
    });
  }

  /** Several maps of the same head with captions, linked. specs(): [{title, which, scale(), text()}], as they are now. */
  function linkedMaps(ctx, specs) {
    const { store } = ctx;
    const element = h('div', { class: 'dv-multiples dv-three' });
    let maps = [];
    const build = () => {
      maps.forEach((map) => map.destroy());
      maps = specs().map((spec) => {
        const note = D.binningNote();
        const bar = h('div', {});
        const map = D.headMap(store, store.state.head, {
          title: spec.title,
          which: spec.which,
          scale: spec.scale,
          onDraw: note.show,
          caption: h('div', { class: 'dv-map-caption' }, h('strong', {}, spec.title)),
          height: (rows, width) => Math.max(110, Math.min(260, rows * 12, width)),
        });
        map.bar = () => {
          if (!field(store, store.state.head, spec.which())) {
            bar.replaceChildren();
            return;
          }
          const scale = spec.scale ? spec.scale() : scaleOf(store, store.state.head, spec.which());
          bar.replaceChildren(D.colourBar(scale, spec.text ? spec.text() : scaleText(store, spec.which())));
        };
        map.element.append(bar, note.element);
        return map;
      });
      element.replaceChildren(...maps.map((map) => map.element));
      maps.forEach((map) => map.bar());
    };
    build();
    return { element: element, maps: () => maps, build: build };
  }

  /**
   * A figure of two maps of one head and their difference.
   * o: {title, help, controls: keys of the state, specs: as for linkedMaps, sides(): two names,
   *     short(): what is compared}
   */
  function twoAndDifference(ctx, o) {
    const { store } = ctx;
    const controls = D.stateControls(store, o.controls);
    const readout = h('p', { class: 'dv-note dv-number' });
    /** [one, other, difference] of the chosen head; asks for them exactly. */
    const fields = () =>
      o.specs().map((spec) => {
        D.needExact(store, spec.which(), [store.state.head]);
        return field(store, store.state.head, spec.which());
      });
    const tell = () => {
      const cell = store.hover || store.state.cell;
      if (!cell) {
        readout.textContent = 'Point at a cell to compare its numbers.';
        return;
      }
      const at = cell.layer * store.model().F + cell.feature;
      const [one, other, difference] = fields().map((f) => D.fieldNumber(f, at));
      const [first, second] = o.sides();
      readout.textContent =
        `Head ${store.state.head}, layer ${cell.layer}, feature ${cell.feature}, ${o.short()}. ` +
        `${first}: ${one}; ${second}: ${other}; difference: ${difference}.`;
    };
    const maps = linkedMaps(ctx, o.specs);
    const figure = D.figure({
      heading: ctx.heading,
      title: o.title,
      help: o.help,
      controls: controls.elements.concat([zoomButtons(maps.maps)]),
      body: h('div', { class: 'dv-stack' }, maps.element, readout),
      table: () => D.differenceTable(store, `Head ${store.state.head}`, o.sides(), fields()),
    });
    tell();
    const following = follow(store, {
      maps: maps.maps,
      readout: { update: tell, destroy: () => {} },
      after: (changed, redraw) => {
        controls.sync(changed);
        if (changed.has('head') || changed.has('source')) maps.build();
        else if (redraw) maps.maps().forEach((map) => map.bar());
        if (redraw || changed.has('head')) figure.refresh();
      },
    });
    return { element: figure.element, update: following.update, destroy: following.destroy };
  }

  D.parts.dataset = function (ctx) {
    const { store } = ctx;
    const title = 'Against the data set';
    if (![store.a, store.b].some((model) => model && model.hasDataset())) {
      return D.emptyPart(
        ctx,
        title,
        'The checkpoint holds no averages over a data set, so there is nothing to compare with.',
      );
    }
    const which = (source, dataset) => () => ({
      quantity: 'importance',
      scale: store.state.scale,
      source: source,
      dataset: dataset,
    });
    const both = () => store.state.source === 'difference';
    const own = () => (store.state.source === 'b' && store.b ? 'b' : 'a');
    const inputName = (source) => (store.b ? store.label(source) : 'This input');
    const shortName = (source) => (store.b ? store.letter(source) : 'This input');
    const minus = (source) => `${store.letter(source)} − data set`;
    const specs = () => {
      if (both()) {
        const scale = () =>
          scaleTogether(
            store,
            ['a', 'b'].map((source) => which(source, 'difference')()),
          );
        const text = () => `${D.QUANTITIES.importance.name}, input minus data set; both maps on one scale.`;
        return [
          { title: minus('a'), which: which('a', 'difference'), scale: scale, text: text },
          { title: minus('b'), which: which('b', 'difference'), scale: scale, text: text },
          { title: store.label('difference'), which: which('difference', 'difference') },
        ];
      }
      const { dataset } = store.model().raw;
      const average = dataset ? `Data set, mean of ${D.count(dataset.samples)} inputs` : 'Data set';
      return [
        { title: inputName(own()), which: which(own()) },
        { title: average, which: which(own(), 'only') },
        { title: 'Difference', which: which(own(), 'difference') },
      ];
    };
    return twoAndDifference(ctx, {
      title: title,
      help:
        'The Importance Factor of an input beside that of the data set’s mean density attention. Each is scaled by its ' +
        'own minimum and maximum, so the difference shows where the pattern differs, not by how much attention.',
      controls: ['source', 'head', 'scale', 'palette', 'binning'],
      specs: specs,
      sides: () => (both() ? [minus('a'), minus('b')] : [shortName(own()), 'Data set']),
      short: () => 'IF',
    });
  };

  D.parts.compare = function (ctx) {
    const { store } = ctx;
    if (!store.b) {
      return D.emptyPart(
        ctx,
        'Two results side by side',
        'Nothing to compare with yet: explain a second input, change this one, or mute a part of the model.',
      );
    }
    const parts = [probabilities(ctx)];
    if (D.comparable(store.payload)) parts.push(comparedMaps(ctx), comparedLayers(ctx));
    else {
      const shape = (raw) => raw.shape.join(' × ');
      parts.push(
        D.emptyPart(
          ctx,
          'Maps',
          store.a.raw.modality === store.b.raw.modality
            ? `The two maps have different shapes (${shape(store.a.raw)} and ${shape(store.b.raw)}, heads × layers × features), so they cannot be subtracted; look at each with the control “Input”.`
            : 'The two inputs are of different kinds, so their maps cannot be subtracted; look at each with the control “Input”.',
        ),
      );
    }
    return D.stackedParts(parts);
  };

  /** Probabilities of both results and how far each moves, largest first. */
  D.probabilityTable = function (store) {
    const { a, b } = store;
    const names = a.raw.class_names.concat(
      b.raw.class_names.filter((name) => !a.raw.class_names.includes(name)),
    );
    const of = (model, name) => {
      const index = model.raw.class_names.indexOf(name);
      return index < 0 ? null : model.raw.probabilities[index];
    };
    const rows = names
      .map((name) => ({ name: name, a: of(a, name), b: of(b, name) }))
      .sort((x, y) => Math.max(y.a || 0, y.b || 0) - Math.max(x.a || 0, x.b || 0))
      .slice(0, 20);
    const points = (v) =>
      `${v >= 0.005 ? '+' : ''}${(Math.abs(v) < 0.005 ? 0 : v).toFixed(2).replace('-', '−')} points`;
    const percent = (p) => (p === null ? '–' : D.percent(p, 2));
    return D.table(
      `Probabilities${names.length > rows.length ? `, ${rows.length} of ${names.length} classes` : ''}`,
      ['Class'].concat(
        [store.letter('a'), store.letter('b'), store.letter('difference')].map((title) => ({
          title: title,
          number: true,
        })),
      ),
      rows.map((row) => [
        row.name,
        percent(row.a),
        percent(row.b),
        row.a === null || row.b === null ? '–' : points(100 * (row.b - row.a)),
      ]),
    );
  };

  function probabilities(ctx) {
    const figure = D.figure({
      heading: ctx.heading,
      title: 'Prediction',
      help:
        'What the model says of both, and how far each probability moves; a small move of the probability can hide a ' +
        'large move of the logits.',
      body: D.probabilityTable(ctx.store),
    });
    return { element: figure.element, update: () => {}, destroy: () => {} };
  }

  function comparedMaps(ctx) {
    const { store } = ctx;
    const which = (source) => () => ({
      quantity: store.state.quantity,
      scale: store.state.scale,
      source: source,
    });
    const together = () => scaleTogether(store, [which('a')(), which('b')()]);
    const meaning = () => `${D.QUANTITIES[store.state.quantity].name}; both maps on one scale.`;
    const specs = ['a', 'b', 'difference'].map((source) =>
      Object.assign(
        { title: store.label(source), which: which(source) },
        source === 'difference' ? {} : { scale: together, text: meaning },
      ),
    );
    return twoAndDifference(ctx, {
      title: 'Maps',
      help:
        'The same head on both, and the second minus the first. Importance Factors are scaled within each result; choose ' +
        'density attention to compare amounts.',
      controls: ['head', 'quantity', 'scale', 'colours', 'palette', 'binning'],
      specs: () => specs,
      sides: () => [store.letter('a'), store.letter('b')],
      short: () => D.QUANTITIES[store.state.quantity].short,
    });
  }

  function comparedLayers(ctx) {
    const { store } = ctx;
    const layers = (model) =>
      D.range(model.L).map((l) => model.raw.layer_contribution.reduce((sum, row) => sum + row[l], 0));
    const one = layers(store.a);
    const other = layers(store.b);
    const change = one.map((v, l) => other[l] - v);
    const size = Math.max(1e-9, ...change.map(Math.abs));
    const chart = D.chart({
      label: `Change of each layer's share of density attention, ${store.label('difference')}`,
      height: 180,
      x: [-0.5, store.a.L - 0.5],
      y: [-1.1 * size, 1.1 * size],
      xTicks: D.ticks(0, store.a.L - 1, 12).filter(Number.isInteger),
      xLabel: 'Layer',
      yLabel: 'Change in points',
      draw: (pen) => {
        const width = Math.max(1, Math.min(64, ((pen.right - pen.left) / store.a.L) * 0.8));
        change.forEach((v, l) =>
          pen.add(
            D.svg('rect', {
              x: pen.x(l) - width / 2,
              width: width,
              y: Math.min(pen.y(0), pen.y(v)),
              height: Math.abs(pen.y(v) - pen.y(0)),
              fill: v >= 0 ? D.DIVERGING[6] : D.DIVERGING[1],
            }),
          ),
        );
        pen.add(D.svg('line', { class: 'dv-axis', x1: pen.left, x2: pen.right, y1: pen.y(0), y2: pen.y(0) }));
      },
    });
    const figure = D.figure({
      heading: ctx.heading,
      title: 'Layers',
      help:
        'How each layer’s share of the density attention changes from the first result to the second; shares sum to 100 % ' +
        'in both, so gains and losses cancel.',
      body: chart.element,
      table: () =>
        D.table(
          'Share of density attention in percent',
          ['Layer', store.letter('a'), store.letter('b'), 'Change'].map((title) => ({
            title: title,
            number: true,
          })),
          change.map((v, l) => [String(l), D.short(one[l], 4), D.short(other[l], 4), D.signed(v, 4)]),
        ),
    });
    return { element: figure.element, update: () => {}, destroy: chart.destroy };
  }
})((window.DaamView = window.DaamView || {}));
