/* DaamView: layer profile, top features, entropy of each head. */
(function (D) {
  'use strict';

  const { h, svg } = D;

  D.parts.layers = function (ctx) {
    const parts = [profile(ctx), features(ctx), entropies(ctx)];
    return D.stackedParts(parts);
  };

  function contribution(store) {
    if (store.state.source !== 'difference') return store.model().raw.layer_contribution;
    return store.b.raw.layer_contribution.map((row, head) =>
      row.map((v, l) => v - store.a.raw.layer_contribution[head][l]),
    );
  }

  function profile(ctx) {
    const { store } = ctx;
    const controls = D.stateControls(store, ['source']);
    const kind = D.segments(
      'Draw as',
      [
        ['bars', 'Stacked bars'],
        ['lines', 'Lines'],
      ],
      store.state.layerChart,
      (v) => store.set({ layerChart: v }),
    );
    const options = () => {
      const shares = contribution(store);
      const model = store.model();
      const { L } = model;
      const heads = D.range(model.H);
      const lines = store.state.layerChart === 'lines';
      const sums = (keep) =>
        D.range(L).map((l) =>
          heads.reduce((sum, head) => sum + (keep(shares[head][l]) ? shares[head][l] : 0), 0),
        );
      const above = lines ? shares.flat() : sums((v) => v > 0);
      const below = lines ? shares.flat() : sums((v) => v < 0);
      const high = Math.max(1e-9, ...above) * 1.06;
      const low = Math.min(0, ...below) * 1.06;
      const change = store.state.source === 'difference';
      const what = change ? 'Change of the share of density attention' : 'Share of density attention';
      const unit = change ? 'points' : 'percent';
      const best = D.range(L).sort((i, j) => sums(() => true)[j] - sums(() => true)[i])[0];
      return {
        label: `${what} by layer and head; layer ${best} has the most, ${D.short(sums(() => true)[best], 3)} ${unit}`,
        height: 260,
        x: [-0.5, L - 0.5],
        y: [low, high],
        xTicks: D.ticks(0, L - 1, 12).filter(Number.isInteger),
        xLabel: 'Layer',
        yLabel: change ? 'Points' : 'Percent',
        draw: (pen) => {
          if (lines) {
            heads.forEach((head) => {
              const points = D.range(L)
                .filter((l) => model.seen(head, l))
                .map((l) => [l, shares[head][l]]);
              D.path(pen, points, { stroke: D.headColour(head), 'stroke-width': 2 });
              points.forEach(([l, v]) =>
                pen.add(svg('circle', { cx: pen.x(l), cy: pen.y(v), r: 2.5, fill: D.headColour(head) })),
              );
            });
            return;
          }
          const width = Math.max(1, Math.min(64, ((pen.right - pen.left) / L) * 0.8));
          D.range(L).forEach((l) => {
            let up = 0;
            let down = 0;
            heads.forEach((head) => {
              const v = shares[head][l];
              if (!v) return;
              const from = v > 0 ? up : down;
              const to = from + v;
              if (v > 0) up = to;
              else down = to;
              const rect = svg('rect', {
                x: pen.x(l) - width / 2,
                width: width,
                y: Math.min(pen.y(from), pen.y(to)),
                height: Math.abs(pen.y(to) - pen.y(from)),
                fill: D.headColour(head),
              });
              rect.append(svg('title', {}, `Head ${head}, layer ${l}: ${D.short(v, 4)} ${unit}`));
              pen.add(rect);
            });
          });
          pen.add(svg('line', { class: 'dv-axis', x1: pen.left, x2: pen.right, y1: pen.y(0), y2: pen.y(0) }));
        },
      };
    };
    const chart = D.chart(options());
    const share = (head) => D.shareText(store, head);
    const legend = h('div', {}, D.legend(D.range(store.model().H), share));
    const figure = D.figure({
      heading: ctx.heading,
      title: 'Layer profile',
      help:
        'Share of each layer and head in the summed density attention; all bars of one result together are 100 %. It shows ' +
        'where attention lies, not how much the decision would change without it.',
      controls: controls.elements.concat([kind]),
      body: h('div', { class: 'dv-stack' }, chart.element, legend),
      table: () => {
        const shares = contribution(store);
        const model = store.model();
        const caption =
          store.state.source === 'difference'
            ? `Change in percentage points, ${store.label('difference')}`
            : 'Percent of all density attention';
        return D.table(
          caption,
          [{ title: 'Layer', number: true }].concat(
            D.range(model.H).map((head) => ({ title: `Head ${head}`, number: true })),
            [{ title: 'All heads', number: true }],
          ),
          D.range(model.L).map((l) =>
            [String(l)].concat(
              shares.map((row) => D.short(row[l], 4)),
              [
                D.short(
                  shares.reduce((sum, row) => sum + row[l], 0),
                  4,
                ),
              ],
            ),
          ),
        );
      },
    });
    return {
      element: figure.element,
      update: (changed) => {
        controls.sync(changed);
        if (changed.has('layerChart')) kind.sync(store.state.layerChart);
        if (D.changedAny(changed, ['source', 'layerChart'])) {
          chart.update(options());
          legend.replaceChildren(D.legend(D.range(store.model().H), share));
          figure.refresh();
        }
      },
      destroy: chart.destroy,
    };
  }

  /** Features by the mean of a quantity (or of its change) over all cells that heads see; null until all are here. */
  D.topFeatures = function (store, count) {
    const model = store.model();
    const { quantity, scale, source } = store.state;
    let signed = false;
    let exact = true;
    const sums = new Float64Array(model.F);
    const best = D.range(model.F).map(() => [-Infinity, 0, 0, 0]);
    let rows = 0;
    for (let head = 0; head < model.H; head += 1) {
      const map = D.field(store, head, { quantity: quantity, scale: scale, source: source });
      if (!map) return null;
      signed = map.signed;
      exact = exact && map.exact;
      for (let l = 0; l < model.L; l += 1) {
        if (!map.seen(l)) continue;
        rows += 1;
        for (let f = 0; f < model.F; f += 1) {
          const v = map.data[l * model.F + f];
          sums[f] += v;
          if (Math.abs(v) > best[f][0]) best[f] = [Math.abs(v), head, l, v];
        }
      }
    }
    const means = sums.map((v) => v / Math.max(1, rows));
    return D.top(means, count, signed).map((f) => ({
      feature: f,
      mean: means[f],
      head: best[f][1],
      layer: best[f][2],
      value: best[f][3],
      exact: exact,
    }));
  };

  function features(ctx) {
    const { store } = ctx;
    const controls = D.stateControls(store, ['quantity']);
    const count = D.segments(
      'Rows',
      [
        [5, '5'],
        [10, '10'],
        [25, '25'],
      ],
      store.state.top,
      (v) => store.set({ top: Number(v) }),
    );
    const place = h('div', {});
    const build = () => {
      const { quantity, source, top } = store.state;
      const rows = D.topFeatures(store, top);
      if (!rows) {
        const message = h('p', { class: 'dv-missing' }, 'Loading these numbers …');
        place.replaceChildren(message);
        const { H } = store.model();
        D.needExact(store, { quantity: quantity, source: source }, D.range(H)).then((came) => {
          if (!came) message.textContent = 'These numbers are too large to be part of this page.';
        });
        return;
      }
      const sure = (row) => (row.exact ? '' : '≈ ');
      const short = `${D.QUANTITIES[quantity].short}${source === 'difference' ? ' change' : ''}`;
      place.replaceChildren(
        D.table(
          `Top ${rows.length} features by mean ${short} over heads and layers`,
          ['Feature', `Mean ${short}`, 'Head', 'Layer', `${short} there`, ''].map((title, i) => ({
            title: title,
            number: i < 5,
          })),
          rows.map((row) => [
            String(row.feature),
            sure(row) + D.short(row.mean, 4),
            String(row.head),
            String(row.layer),
            sure(row) + D.exact(row.value),
            D.button(
              'Look',
              () => store.select({ head: row.head, layer: row.layer, feature: row.feature }, 'heatmap'),
              { 'aria-label': `Look at feature ${row.feature} in layer ${row.layer}` },
            ),
          ]),
        ),
      );
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'Top features',
      help:
        'Features with the highest mean over all heads and layers (of numbers with a sign, the largest in size), and where ' +
        'each is strongest. A feature is one number of the encoder; it need not mean one thing.',
      controls: controls.elements.concat([count]),
      body: place,
    });
    build();
    return {
      element: figure.element,
      update: (changed) => {
        controls.sync(changed);
        if (changed.has('top')) count.sync(store.state.top);
        if (D.changedAny(changed, ['quantity', 'scale', 'source', 'top', 'arrays'])) build();
      },
      destroy: () => {},
    };
  }

  function entropies(ctx) {
    const { store } = ctx;
    const place = h('div', {});
    const build = () => {
      const model = store.model();
      const decimals = (v) => (v === null ? '–' : v.toFixed(4).replace('-', '−'));
      const meter = (head, entropy) =>
        h(
          'span',
          { class: 'dv-meter-row' },
          h(
            'span',
            { class: 'dv-meter', 'aria-hidden': 'true' },
            h('span', {
              style: { width: `${(100 * (entropy || 0)).toFixed(1)}%`, background: D.headColour(head) },
            }),
          ),
          h('span', {}, decimals(entropy)),
        );
      const two = store.state.source === 'difference';
      const titles = two
        ? [`Entropy, ${store.letter('a')}`, `Entropy, ${store.letter('b')}`, 'Change']
        : ['Entropy', 'Share of density attention'];
      place.replaceChildren(
        D.table(
          'Entropy of each head’s gate',
          ['Head'].concat(titles.map((title) => ({ title: title, number: true }))),
          D.byContribution(model).map((head) => {
            const one = (two ? store.a : model).raw.entropy[head];
            if (!two) return [D.headName(head), meter(head, one), `${D.short(D.share(model, head), 4)} %`];
            const other = store.b.raw.entropy[head];
            return [
              D.headName(head),
              meter(head, one),
              meter(head, other),
              decimals(one === null || other === null ? null : other - one),
            ];
          }),
        ),
      );
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'How selective each head is',
      help:
        'Relative entropy of the gate over the cells a head sees: 1 lets everything through alike, 0 a single cell. Selective is ' +
        'not the same as important.',
      body: place,
    });
    build();
    return {
      element: figure.element,
      update: (changed) => D.changedAny(changed, ['source', 'arrays']) && build(),
      destroy: () => {},
    };
  }
})((window.DaamView = window.DaamView || {}));
