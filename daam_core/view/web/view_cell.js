/* DaamView: the prediction, and the Gaussians of one cell. */
(function (D) {
  'use strict';

  const { h, svg } = D;

  // ---- prediction ---------------------------------------------------------------------------------

  D.parts.summary = function (ctx) {
    const { store } = ctx;
    const place = h('div', { class: 'dv-two' });
    const change = h('div', {});
    const sources = () => (store.state.source === 'difference' ? ['a', 'b'] : [store.state.source]);
    const list = (source) => {
      const { raw } = store[source];
      const order = D.range(raw.class_names.length).sort(
        (i, j) => raw.probabilities[j] - raw.probabilities[i],
      );
      const shown = order.slice(0, 10);
      const bars = shown.map((i) =>
        h(
          'li',
          { class: `dv-prob${i === raw.prediction ? ' dv-strong' : ''}` },
          h('span', { class: 'dv-prob-name' }, raw.class_names[i]),
          h(
            'span',
            { class: 'dv-prob-track', 'aria-hidden': 'true' },
            h('span', {
              class: 'dv-prob-fill',
              style: { width: `${(100 * raw.probabilities[i]).toFixed(2)}%` },
            }),
          ),
          h('span', { class: 'dv-number' }, D.percent(raw.probabilities[i])),
        ),
      );
      return h(
        'div',
        { class: 'dv-stack' },
        h(
          'p',
          { class: 'dv-prediction' },
          store.b ? `${store.label(source)}: ` : 'Predicted: ',
          h('strong', {}, raw.class_names[raw.prediction]),
          h(
            'span',
            { class: 'dv-quiet' },
            `  by ${raw.model}; explained class: ${raw.class_names[raw.explained]}`,
          ),
        ),
        h('ol', { class: 'dv-probs' }, bars),
        order.length > shown.length
          ? h('p', { class: 'dv-note' }, `The other ${order.length - shown.length} classes are in the table.`)
          : null,
      );
    };
    const build = () => {
      const both = store.state.source === 'difference';
      place.replaceChildren(...sources().map(list));
      change.replaceChildren(...(both ? [D.probabilityTable(store)] : []));
    };
    const controls = D.stateControls(store, ['source']);
    const figure = D.figure({
      heading: ctx.heading,
      title: 'Prediction',
      help: 'Probability of every class. It says what the model holds likely, not how often it is right.',
      controls: controls.elements.length ? controls.elements : null,
      body: h('div', { class: 'dv-stack' }, place, change),
      table: () => {
        const columns = ['Class', { title: 'Probability', number: true }, { title: 'Logit', number: true }];
        return h(
          'div',
          { class: 'dv-stack' },
          sources().map((source) => {
            const { raw } = store[source];
            return D.table(
              store.b ? `All classes, ${store.label(source)}` : 'All classes',
              columns,
              raw.class_names.map((name, i) => [name, D.exact(raw.probabilities[i]), D.exact(raw.logits[i])]),
            );
          }),
        );
      },
    });
    build();
    return {
      element: figure.element,
      update: (changed) => {
        controls.sync(changed);
        if (changed.has('source')) {
          build();
          figure.refresh();
        }
      },
      destroy: () => {},
    };
  };

  // ---- one cell -----------------------------------------------------------------------------------

  /** Arrays behind the Gaussians of an input, or of the data set's average. */
  function cellArrays(dataset) {
    return ['values', 'statistic_mean', 'statistic_variance']
      .map((name) => (dataset ? `dataset_${name}` : name))
      .concat(['mean_offset', 'scaled_variance']);
  }

  /**
   * Everything needed to draw the Gaussians of a cell: of one input, or of the data set with its mean
   * values and mean statistics. `gate` is the input's or the data set's mean gate; the latter need not
   * lie on the curve.
   */
  function cellCurves(model, cell, dataset) {
    if (cellArrays(dataset).some((name) => !model.array(name))) return null;
    const [values, means, variances] = cellArrays(dataset).map((name) => model.array(name));
    const value = values[cell.layer * model.F + cell.feature];
    const exact = cellArrays(dataset).every((name) => model.arrays[name].exact);
    return {
      value: value,
      dataset: dataset,
      exact: exact,
      heads: D.range(model.H)
        .filter((head) => model.seen(head, cell.layer))
        .map((head) => {
          const at = head * model.F + cell.feature;
          const statistics = { mean: means[at], variance: variances[at] };
          const cellOf = (quantity) => {
            const map = model.map(quantity, head, 'all_heads', dataset);
            return map ? map[cell.layer * model.F + cell.feature] : NaN;
          };
          const curve = D.gaussian(model, head, cell.feature, statistics, values);
          const z = (value - curve.centre) / curve.spread;
          return {
            head: head,
            mean: statistics.mean,
            deviation: Math.sqrt(statistics.variance),
            centre: curve.centre,
            spread: curve.spread,
            peak: curve.peak,
            atValue: curve.peak * Math.exp((-z * z) / 2),
            gate: cellOf('gate'),
            exact: ['gate', 'density_attention'].every((name) => model.isExact(name, head, dataset)),
            density: cellOf('density_attention'),
            amplitude: model.raw.amplitude[head][cell.layer],
          };
        }),
    };
  }

  D.cellCurves = cellCurves;

  function gaussianChart(curves, label, highlighted) {
    // As far as values go, and the top of every curve; a wide Gaussian is cut off at both ends.
    const bounds = curves.heads.flatMap((c) => {
      const reach = 1.2 * Math.min(c.spread, 4 * c.deviation);
      return [c.mean - 3 * c.deviation, c.mean + 3 * c.deviation, c.centre - reach, c.centre + reach];
    });
    bounds.push(curves.value);
    const low = Math.min(...bounds);
    const high = Math.max(...bounds);
    const pad = (high - low) * 0.04 || 1;
    // A gate is at most 1, though the curve of a mixture with its sum held fixed can rise above it.
    const top = Math.min(1, Math.max(1e-9, ...curves.heads.map((c) => c.peak)));
    return {
      label: label,
      height: 260,
      x: [low - pad, high + pad],
      y: [0, top * 1.08],
      xLabel: 'Standardised value',
      yLabel: 'Gate',
      draw: (pen) => {
        const first = curves.heads[0];
        if (first) {
          // mean and deviation over layers; equal for all heads that share all layers
          pen.add(
            svg('rect', {
              class: 'dv-band',
              x: pen.x(first.mean - first.deviation),
              width: Math.max(1, pen.x(first.mean + first.deviation) - pen.x(first.mean - first.deviation)),
              y: pen.top,
              height: pen.bottom - pen.top,
            }),
          );
          pen.add(
            svg('line', {
              class: 'dv-mean',
              x1: pen.x(first.mean),
              x2: pen.x(first.mean),
              y1: pen.top,
              y2: pen.bottom,
            }),
          );
        }
        curves.heads.forEach((c) => {
          const points = D.range(161).map((i) => {
            const x = low - pad + (i / 160) * (high - low + 2 * pad);
            const z = (x - c.centre) / c.spread;
            return [x, Math.min(1, c.peak * Math.exp((-z * z) / 2))];
          });
          // A narrow Gaussian between two of the points would be cut off: its peak is always one of them.
          if (c.centre > low - pad && c.centre < high + pad) points.push([c.centre, Math.min(1, c.peak)]);
          points.sort((p, q) => p[0] - q[0]);
          D.path(pen, points, {
            stroke: D.headColour(c.head),
            'stroke-width': c.head === highlighted ? 3 : 1.75,
          });
        });
        pen.add(
          svg('line', {
            class: 'dv-value',
            x1: pen.x(curves.value),
            x2: pen.x(curves.value),
            y1: pen.top,
            y2: pen.bottom,
          }),
        );
        curves.heads.forEach((c) => {
          const radius = c.head === highlighted ? 6 : 4.5;
          pen.add(
            svg('circle', {
              class: 'dv-dot',
              cx: pen.x(curves.value),
              cy: pen.y(c.atValue),
              r: radius,
              fill: D.headColour(c.head),
            }),
          );
          if (!curves.dataset || Number.isNaN(c.gate)) return;
          // The mean gate stands beside the value's line: it belongs to no single value.
          pen.add(
            svg('circle', {
              class: 'dv-ring',
              cx: pen.x(curves.value) + 14,
              cy: pen.y(c.gate),
              r: radius,
              stroke: D.headColour(c.head),
            }),
          );
        });
      },
    };
  }

  /** The value of a cell; averages over a data set are 0 but for rounding, so they have four decimals. */
  function valueText(curves) {
    if (curves.dataset) return `mean value ${D.fixed(curves.value, 4)}`;
    return `value ${curves.exact ? '' : '≈ '}${D.exact(curves.value)}`;
  }

  /** One row per head. Mean and deviation go into the caption where all heads share them. */
  function cellTable(curves, dataset) {
    const [first] = curves.heads;
    const shared = curves.heads.every((c) => c.mean === first.mean && c.deviation === first.deviation);
    const where = (c) => (shared ? [] : [D.short(c.mean, 3), D.short(c.deviation, 3)]);
    const sure = (c) => (c.exact ? '' : '≈ ');
    const numbers = dataset
      ? (c) => [D.short(c.atValue, 4), sure(c) + D.exact(c.gate)]
      : (c) => [sure(c) + D.exact(c.gate), D.short(c.amplitude, 4), sure(c) + D.exact(c.density)];
    const titles = ['Head'].concat(
      shared ? [] : ['Mean', 'Deviation'],
      ['Centre', 'Width'],
      dataset ? ['Gate of the average', 'Mean gate'] : ['Gate', 'λ', 'DA'],
    );
    const caption =
      shared && first
        ? `Mean over layers ${D.fixed(first.mean, 4)}, deviation ${D.fixed(first.deviation, 4)}`
        : 'Mean and deviation are those of each head’s own layers';
    return D.table(
      caption,
      titles.map((title, i) => ({ title: title, number: i > 0 })),
      curves.heads.map((c) =>
        [D.headName(c.head)].concat(where(c), [D.short(c.centre, 3), D.short(c.spread, 3)], numbers(c)),
      ),
    );
  }

  /** What changes at a cell from one input to the other. */
  function changeTable(store, one, other) {
    const of = (curves, head) => curves.heads.find((c) => c.head === head) || { gate: NaN, exact: true };
    const heads = D.range(store.a.H).filter((head) =>
      [one, other].some((curves) => !Number.isNaN(of(curves, head).gate)),
    );
    // [name, number in A, number in B, both exact]
    const rows = [['Value', one.value, other.value, one.exact && other.exact]].concat(
      heads.map((head) => {
        const [before, after] = [of(one, head), of(other, head)];
        return [`Gate, head ${head}`, before.gate, after.gate, before.exact && after.exact];
      }),
    );
    return D.table(
      'Change of the value and of each gate',
      ['', store.letter('a'), store.letter('b'), store.letter('difference')].map((title, i) => ({
        title: title,
        number: i > 0,
      })),
      rows.map(([name, before, after, exact]) => [
        name,
        ...[before, after, Math.fround(after - before)].map((v) => (exact ? '' : '≈ ') + D.exact(v)),
      ]),
    );
  }

  D.parts.cell = function (ctx) {
    const { store } = ctx;
    const place = h('div', { class: 'dv-stack' });
    let charts = [];
    let picks = [];
    const model = () => store.model();
    const chosen = () => store.state.cell || strongestCell(store);
    const number = (label, key, size) => {
      const id = D.id('cell');
      const input = h('input', {
        id: id,
        class: 'dv-input',
        type: 'number',
        min: 0,
        max: size - 1,
        step: 1,
        value: chosen()[key],
        onchange: () =>
          store.set({
            cell: Object.assign({}, chosen(), {
              [key]: Math.min(size - 1, Math.max(0, Math.round(Number(input.value) || 0))),
            }),
          }),
      });
      input.value = String(chosen()[key]);
      const element = h(
        'div',
        { class: 'dv-control' },
        h('label', { for: id, class: 'dv-label' }, label),
        input,
      );
      element.sync = () => {
        input.value = String(chosen()[key]);
      };
      return element;
    };
    /** Asks for what is missing and, once a cell was selected, for what is only here rounded. */
    const need = (sides) => {
      sides.forEach(({ model: one, dataset, curves }) => {
        if (curves && !store.state.cell) return;
        cellArrays(dataset).forEach((name) => one.needArray(name, null));
        (curves ? curves.heads : []).forEach((c) =>
          ['gate', 'density_attention'].forEach((name) => one.need(name, c.head, dataset)),
        );
      });
    };
    const build = () => {
      charts.forEach((chart) => chart.destroy());
      const cell = chosen();
      const both = store.state.source === 'difference';
      const shown = both ? ['a', 'b'] : [store.state.source];
      const title = (source) => (store.b ? store.label(source) : 'This input');
      const sides = shown.map((source) => ({ model: store[source], title: title(source), dataset: false }));
      // One average for both inputs, unless they come from different checkpoints.
      const known = shown.filter((source) => store[source].hasDataset());
      const one = ['model', 'checkpoint'].every((key) => !both || store.a.raw[key] === store.b.raw[key]);
      const averages = one ? known.slice(0, 1) : known;
      averages.forEach((source) =>
        sides.push({
          model: store[source],
          title: averages.length > 1 ? `Data set’s average, ${store.label(source)}` : 'Data set’s average',
          dataset: true,
        }),
      );
      sides.forEach((side) => {
        side.curves = cellCurves(side.model, cell, side.dataset);
      });
      need(sides);
      charts = [];
      place.replaceChildren(
        h(
          'p',
          { class: 'dv-note' },
          `${store.state.cell ? 'Selected cell' : 'No cell selected; the strongest one'}: layer ${cell.layer}, feature ${cell.feature}.`,
        ),
        h(
          'div',
          { class: 'dv-two' },
          sides.map((side) => {
            const { curves } = side;
            if (!curves) {
              return h(
                'p',
                { class: 'dv-missing' },
                `${side.title}: ${store.loader ? 'loading these numbers …' : 'these numbers are too large to be part of this page.'}`,
              );
            }
            const label =
              `${side.title}: Gaussian of every head at layer ${cell.layer}, feature ${cell.feature}; value ${D.short(curves.value, 4)}; ` +
              curves.heads.map((c) => `head ${c.head} gate ${D.short(c.gate, 3)}`).join(', ');
            const chart = D.chart(gaussianChart(curves, label, store.state.head));
            charts.push(chart);
            return h(
              'div',
              { class: 'dv-side' },
              h(
                'div',
                { class: 'dv-map-caption' },
                h('strong', {}, side.title),
                h('span', { class: 'dv-quiet dv-number' }, valueText(curves)),
              ),
              chart.element,
              cellTable(curves, side.dataset),
            );
          }),
          both && sides[0].curves && sides[1].curves
            ? h('div', { class: 'dv-side' }, changeTable(store, sides[0].curves, sides[1].curves))
            : null,
        ),
        h(
          'ul',
          { class: 'dv-keys' },
          h('li', {}, h('span', { class: 'dv-key dv-key-value', 'aria-hidden': 'true' }), 'value'),
          h('li', {}, h('span', { class: 'dv-key dv-key-mean', 'aria-hidden': 'true' }), 'mean over layers'),
          h('li', {}, h('span', { class: 'dv-key dv-key-band', 'aria-hidden': 'true' }), '± one deviation'),
          h('li', {}, h('span', { class: 'dv-key dv-key-dot', 'aria-hidden': 'true' }), 'gate at the value'),
          sides.some((side) => side.dataset)
            ? h('li', {}, h('span', { class: 'dv-key dv-key-ring', 'aria-hidden': 'true' }), 'mean gate')
            : null,
          model().raw.mode === 'layer_groups'
            ? null
            : h('li', {}, 'mean and deviation are the same for all heads'),
        ),
      );
    };
    picks = [number('Layer', 'layer', model().L), number('Feature', 'feature', model().F)];
    const figure = D.figure({
      heading: ctx.heading,
      title: 'One cell: the learned Gaussians',
      help:
        'Each head’s gate as a function of the value at this layer and feature, the other layers held fixed; the dot is what ' +
        'came out. A high gate means a typical value, not a decisive one. The data set’s curves have its mean value, mean and ' +
        'variance; a mean gate (ring) is not the gate of that average.',
      controls: picks,
      body: place,
    });
    build();
    return {
      element: figure.element,
      update: (changed) => {
        if (changed.has('cell')) picks.forEach((pick) => pick.sync());
        if (D.changedAny(changed, ['cell', 'head', 'source', 'arrays'])) build();
      },
      destroy: () => charts.forEach((chart) => chart.destroy()),
    };
  };

  function strongestCell(store) {
    const model = store.model();
    const map = model.map('density_attention', store.state.head, 'all_heads');
    const at = map ? D.top(map, 1, false)[0] || 0 : 0;
    return { layer: Math.floor(at / model.F), feature: at % model.F };
  }
})((window.DaamView = window.DaamView || {}));
