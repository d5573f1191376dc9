/* DaamView, part 7: prediction, Gaussians of a cell, learned parameters, layer profile. */
(function (D) {
  'use strict';

  const { h, svg } = D;

  // ---- prediction ---------------------------------------------------------------------------------

  D.parts.summary = function (ctx) {
    const { store } = ctx;
    const place = h('div', { class: 'dv-two' });
    const percent = (p) => (p > 0 && p < 0.0005 ? '< 0.1 %' : `${(100 * p).toFixed(1)} %`);
    const sources = () => (store.state.source === 'difference' ? ['a', 'b'] : [store.state.source]);
    const list = (source) => {
      const { raw } = store[source];
      const order = D.range(raw.class_names.length).sort((i, j) => raw.probabilities[j] - raw.probabilities[i]);
      const shown = order.slice(0, 10);
      const bars = shown.map((i) => h('li', { class: `dv-prob${i === raw.prediction ? ' dv-strong' : ''}` },
        h('span', { class: 'dv-prob-name' }, raw.class_names[i]),
        h('span', { class: 'dv-prob-track', 'aria-hidden': 'true' },
          h('span', { class: 'dv-prob-fill', style: { width: `${(100 * raw.probabilities[i]).toFixed(2)}%` } })),
        h('span', { class: 'dv-number' }, percent(raw.probabilities[i]))));
      return h('div', { class: 'dv-stack' },
        h('p', { class: 'dv-prediction' }, store.b ? `${store.label(source)}: ` : 'Predicted: ', h('strong', {}, raw.class_names[raw.prediction]),
          h('span', { class: 'dv-quiet' }, `  by ${raw.model}; explained class: ${raw.class_names[raw.explained]}`)),
        h('ol', { class: 'dv-probs' }, bars),
        order.length > shown.length ? h('p', { class: 'dv-note' }, `The other ${order.length - shown.length} classes are in the table.`) : null);
    };
    const build = () => place.replaceChildren(...sources().map(list));
    const controls = D.stateControls(store, ['source']);
    const figure = D.figure({
      heading: ctx.heading,
      title: 'Prediction',
      help: 'Probability of every class. It says what the model holds likely, not how often it is right.',
      controls: controls.elements.length ? controls.elements : null,
      body: place,
      table: () => {
        const columns = ['Class', { title: 'Probability', number: true }, { title: 'Logit', number: true }];
        return h('div', { class: 'dv-stack' }, sources().map((source) => {
          const { raw } = store[source];
          return D.table(store.b ? `All classes, ${store.label(source)}` : 'All classes', columns,
            raw.class_names.map((name, i) => [name, D.exact(raw.probabilities[i]), D.exact(raw.logits[i])]));
        }));
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

  /** Everything needed to draw the Gaussians of a cell for one input. */
  function cellCurves(model, cell, dataset) {
    const values = model.array(dataset ? 'dataset_values' : 'values');
    const means = model.array('statistic_mean');
    const variances = model.array('statistic_variance');
    if (!values || (!dataset && (!means || !variances))) return null;
    return {
      value: values[cell.layer * model.F + cell.feature],
      heads: D.range(model.H).filter((head) => model.seen(head, cell.layer)).map((head) => {
        const at = head * model.F + cell.feature;
        const statistics = dataset ? D.layerStatistics(model, head, cell.feature, values) : { mean: means[at], variance: variances[at] };
        const gate = model.map('gate', head, 'shared', dataset);
        const curve = D.gaussian(model, head, cell.feature, statistics, values, gate);
        if (!curve) return null;
        const value = values[cell.layer * model.F + cell.feature];
        const z = (value - curve.centre) / curve.spread;
        return {
          head: head,
          mean: statistics.mean,
          deviation: Math.sqrt(statistics.variance),
          centre: curve.centre,
          spread: curve.spread,
          peak: curve.peak,
          atValue: curve.peak * Math.exp((-z * z) / 2),
          gate: gate ? gate[cell.layer * model.F + cell.feature] : NaN,
          amplitude: model.raw.amplitude[head][cell.layer],
        };
      }).filter(Boolean),
    };
  }

  D.cellCurves = cellCurves;

  function gaussianChart(curves, label, highlighted) {
    const spreadOut = curves.heads.flatMap((c) => [c.centre - 3 * Math.min(c.spread, 4 * c.deviation), c.centre + 3 * Math.min(c.spread, 4 * c.deviation)]);
    const bounds = spreadOut.concat(curves.heads.flatMap((c) => [c.mean - 2 * c.deviation, c.mean + 2 * c.deviation]), [curves.value]);
    const low = Math.min(...bounds);
    const high = Math.max(...bounds);
    const pad = (high - low) * 0.04 || 1;
    const top = Math.max(1e-9, ...curves.heads.map((c) => c.peak));
    return {
      label: label,
      height: 260,
      x: [low - pad, high + pad],
      y: [0, top * 1.08],
      xLabel: 'Standardised value',
      yLabel: 'Gate',
      draw: (pen) => {
        const first = curves.heads[0];
        if (first) { // mean and deviation over layers; equal for all heads that share all layers
          pen.add(svg('rect', {
            class: 'dv-band', x: pen.x(first.mean - first.deviation), width: Math.max(1, pen.x(first.mean + first.deviation) - pen.x(first.mean - first.deviation)),
            y: pen.top, height: pen.bottom - pen.top,
          }));
          pen.add(svg('line', { class: 'dv-mean', x1: pen.x(first.mean), x2: pen.x(first.mean), y1: pen.top, y2: pen.bottom }));
        }
        curves.heads.forEach((c) => {
          const points = D.range(161).map((i) => {
            const x = low - pad + (i / 160) * (high - low + 2 * pad);
            const z = (x - c.centre) / c.spread;
            return [x, c.peak * Math.exp((-z * z) / 2)];
          });
          // A narrow Gaussian between two of the points would be cut off: its peak is always one of them.
          if (c.centre > low - pad && c.centre < high + pad) points.push([c.centre, c.peak]);
          points.sort((p, q) => p[0] - q[0]);
          D.path(pen, points, { stroke: D.headColour(c.head), 'stroke-width': c.head === highlighted ? 3 : 1.75 });
        });
        pen.add(svg('line', { class: 'dv-value', x1: pen.x(curves.value), x2: pen.x(curves.value), y1: pen.top, y2: pen.bottom }));
        curves.heads.forEach((c) => pen.add(svg('circle', {
          class: 'dv-dot', cx: pen.x(curves.value), cy: pen.y(c.atValue), r: c.head === highlighted ? 6 : 4.5, fill: D.headColour(c.head),
        })));
      },
    };
  }

  /** One row per head. Mean and deviation go into the caption where all heads share them. */
  function cellTable(curves, dataset) {
    const [first] = curves.heads;
    const shared = curves.heads.every((c) => c.mean === first.mean && c.deviation === first.deviation);
    const where = (c) => (shared ? [] : [D.short(c.mean, 3), D.short(c.deviation, 3)]);
    const numbers = dataset
      ? (c) => [D.short(c.atValue, 4), D.exact(c.gate)]
      : (c) => [D.exact(c.gate), D.short(c.amplitude, 4), D.exact(Math.fround(c.amplitude * c.gate))];
    const titles = ['Head'].concat(shared ? [] : ['Mean', 'Deviation'], ['Centre', 'Width'],
      dataset ? ['Gate at this value', 'Mean gate'] : ['Gate', 'λ', 'DA = λ · gate']);
    const caption = shared && first ? `Mean over layers ${D.short(first.mean, 4)}, deviation ${D.short(first.deviation, 4)}`
      : 'Mean and deviation are those of each head’s own layers';
    return D.table(caption, titles.map((title, i) => ({ title: title, number: i > 0 })),
      curves.heads.map((c) => [D.headName(c.head)].concat(where(c), [D.short(c.centre, 3), D.short(c.spread, 3)], numbers(c))));
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
        id: id, class: 'dv-input', type: 'number', min: 0, max: size - 1, step: 1, value: chosen()[key],
        onchange: () => store.set({ cell: Object.assign({}, chosen(), { [key]: Math.min(size - 1, Math.max(0, Math.round(Number(input.value) || 0))) }) }),
      });
      input.value = String(chosen()[key]);
      const element = h('div', { class: 'dv-control' }, h('label', { for: id, class: 'dv-label' }, label), input);
      element.sync = () => {
        input.value = String(chosen()[key]);
      };
      return element;
    };
    const build = () => {
      charts.forEach((chart) => chart.destroy());
      const cell = chosen();
      const sides = [{ model: model(), title: 'This input', dataset: false }];
      if (store.state.source === 'difference') sides.splice(0, 1, { model: store.a, title: store.label('a'), dataset: false }, { model: store.b, title: store.label('b'), dataset: false });
      if (model().hasDataset()) sides.push({ model: model(), title: 'Data set’s average', dataset: true });
      charts = [];
      place.replaceChildren(h('p', { class: 'dv-note' },
        `${store.state.cell ? 'Selected cell' : 'No cell selected; the strongest one'}: layer ${cell.layer}, feature ${cell.feature}.`),
      h('div', { class: 'dv-two' }, sides.map((side) => {
        const curves = cellCurves(side.model, cell, side.dataset);
        if (!curves) {
          const names = ['values', 'statistic_mean', 'statistic_variance', 'mean_offset', 'scaled_variance'].concat(side.dataset ? ['dataset_values'] : []);
          Promise.all(names.map((name) => side.model.needArray(name, null))).then((changed) => changed.some(Boolean) && store.notify(new Set(['arrays'])));
          return h('p', { class: 'dv-missing' }, `${side.title}: these numbers are too large to be part of this page.`);
        }
        const label = `${side.title}: Gaussian of every head at layer ${cell.layer}, feature ${cell.feature}; value ${D.short(curves.value, 4)}; ` +
          curves.heads.map((c) => `head ${c.head} gate ${D.short(c.gate, 3)}`).join(', ');
        const chart = D.chart(gaussianChart(curves, label, store.state.head));
        charts.push(chart);
        return h('div', { class: 'dv-side' }, h('div', { class: 'dv-map-caption' }, h('strong', {}, side.title),
          h('span', { class: 'dv-quiet dv-number' }, `value ${D.exact(curves.value)}`)), chart.element,
        cellTable(curves, side.dataset));
      })),
      h('ul', { class: 'dv-keys' },
        h('li', {}, h('span', { class: 'dv-key dv-key-value', 'aria-hidden': 'true' }), 'value'),
        h('li', {}, h('span', { class: 'dv-key dv-key-mean', 'aria-hidden': 'true' }), 'mean over layers'),
        h('li', {}, h('span', { class: 'dv-key dv-key-band', 'aria-hidden': 'true' }), '± one deviation'),
        model().raw.mode === 'layer_groups' ? null : h('li', {}, 'mean and deviation are the same for all heads')));
    };
    picks = [number('Layer', 'layer', store.a.L), number('Feature', 'feature', store.a.F)];
    const figure = D.figure({
      heading: ctx.heading,
      title: 'One cell: the learned Gaussians',
      help: 'Each head’s gate as a function of the value at this layer and feature, the other layers held fixed; the dot is what ' +
        'came out. A high gate means a typical value, not a decisive one. A mean gate of the data set is not the gate of its mean value.',
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
    const map = model.map('density_attention', store.state.head, 'shared');
    const at = map ? D.top(map, 1, false)[0] || 0 : 0;
    return { layer: Math.floor(at / model.F), feature: at % model.F };
  }

  // ---- learned parameters -------------------------------------------------------------------------

  const PARAMETERS = {
    mean_offset: { symbol: 'δ', name: 'Mean offset', mixture: 'Mean offsets m', mixtureSymbol: 'm' },
    scaled_variance: { symbol: 'ξ', name: 'Scaled variance', mixture: 'Scales c', mixtureSymbol: 'c' },
  };

  /** Learned numbers and their start; for the difference of two models B − A, which has no start. */
  function parameter(store, name) {
    const model = store.model();
    const other = store.state.source === 'difference' && sameParameters(store) ? store.b : null;
    const width = model.arrays[name].shape[1];
    const change = other && model.array(name) && other.array(name);
    const learned = change ? D.minus(other.array(name), model.array(name)) : model.array(name);
    const initial = change ? null : model.array(`initial_${name}`);
    return {
      change: Boolean(change),
      width: width,
      head: (head) => (learned ? learned.subarray(head * width, (head + 1) * width) : null),
      start: (head) => (initial ? initial.subarray(head * width, (head + 1) * width) : null),
      learned: learned,
      initial: initial,
    };
  }

  function sameParameters(store) {
    const shape = (model) => `${model.raw.gate_kind} ${model.arrays.mean_offset.shape}`;
    return shape(store.a) === shape(store.b);
  }

  function bounds(data) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = 0; i < data.length; i += 1) {
      if (data[i] < low) low = data[i];
      if (data[i] > high) high = data[i];
    }
    return [low, high];
  }

  function summaryRow(data, start) {
    const [low, high] = bounds(data);
    let sum = 0;
    let moved = 0;
    let most = 0;
    for (let i = 0; i < data.length; i += 1) {
      sum += data[i];
      const change = start ? Math.abs(data[i] - start[i]) : NaN;
      moved += change;
      most = Math.max(most, change);
    }
    const mean = sum / data.length;
    let squares = 0;
    for (let i = 0; i < data.length; i += 1) squares += (data[i] - mean) * (data[i] - mean);
    return [low, high, mean, Math.sqrt(squares / data.length), moved / data.length, most].map((v) => D.short(v, 4));
  }

  D.parameterSummary = summaryRow;

  D.parts.parameters = function (ctx) {
    const { store } = ctx;
    const controls = D.stateControls(store, ['source']);
    const parts = [parameterTable(ctx, controls.elements)];
    const names = Object.keys(PARAMETERS);
    names.forEach((name) => parts.push(parameterFigure(ctx, name)));
    if (store.a.raw.gate_kind === 'mixture') parts.push(mixtureFigure(ctx));
    return {
      element: h('div', { class: 'dv-stack dv-wide-gap' }, parts.map((part) => part.element)),
      update: (changed) => {
        controls.sync(changed);
        parts.forEach((part) => part.update(changed));
      },
      destroy: () => parts.forEach((part) => part.destroy()),
    };
  };

  function nameOf(model, name) {
    const p = PARAMETERS[name];
    return model.raw.gate_kind === 'mixture' ? p.mixture : `${p.name} ${p.symbol}`;
  }

  function needParameters(store) {
    const names = ['mean_offset', 'scaled_variance', 'initial_mean_offset', 'initial_scaled_variance'];
    return Promise.all(names.map((name) => store.model().needArray(name, null)))
      .then((changed) => changed.some(Boolean) && store.notify(new Set(['arrays'])));
  }

  function parameterTable(ctx, controls) {
    const { store } = ctx;
    const place = h('div', {});
    const build = () => {
      const model = store.model();
      const rows = Object.keys(PARAMETERS).flatMap((name) => {
        const p = parameter(store, name);
        if (!p.learned || (!p.initial && !p.change)) needParameters(store);
        if (!p.learned) return [];
        const all = [nameOf(model, name) + (p.change ? ' (change)' : ''), 'all'].concat(summaryRow(p.learned, p.initial));
        return [all].concat(D.range(model.H).map((head) => ['', D.headName(head)].concat(summaryRow(p.head(head), p.start(head)))));
      });
      const columns = ['Parameter', 'Head'].concat(['Min', 'Max', 'Mean', 'Deviation', 'Mean |change|', 'Largest |change|']
        .map((title) => ({ title: title, number: true })));
      place.replaceChildren(D.table('Range of the learned parameters, and how far training moved them from their start', columns, rows));
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'What was learned',
      help: 'The numbers of every gate over features, as in the paper’s Table 2. Parameters that hardly moved mean that the map ' +
        'shows the data rather than anything learned.',
      controls: controls.length ? controls : null,
      body: place,
    });
    build();
    return { element: figure.element, update: (changed) => D.changedAny(changed, ['source', 'arrays']) && build(), destroy: () => {} };
  }

  function parameterFigure(ctx, name) {
    const { store } = ctx;
    const place = h('div', { class: 'dv-stack' });
    const readout = h('p', { class: 'dv-note dv-number' });
    let chart = null;
    let map = null;
    let p = null;
    const destroy = () => {
      if (chart) chart.destroy();
      if (map) map.destroy();
      chart = null;
      map = null;
    };
    const build = () => {
      destroy();
      const model = store.model();
      p = parameter(store, name);
      const title = `${nameOf(model, name)}${p.change ? `, ${store.label('difference')}` : ''}`;
      const heads = D.range(model.H);
      if (!p.learned) {
        place.replaceChildren(h('p', { class: 'dv-missing' }, 'These numbers are too large to be part of this page.'));
        needParameters(store);
        return;
      }
      const starts = p.initial ? heads.map((head) => p.start(head)) : [];
      const all = bounds(p.learned);
      const origin = p.initial ? bounds(p.initial) : all;
      let low = Math.min(all[0], origin[0]);
      let high = Math.max(all[1], origin[1]);
      const pad = (high - low) * 0.03 || 0.5;
      low -= pad;
      high += pad;
      const bins = p.width < 24 ? 12 : 48;
      const counts = heads.map((head) => D.histogram(p.head(head), low, high, bins));
      const top = Math.max(1, ...counts.flat());
      chart = D.chart({
        label: `${title}: distribution per head, from ${D.short(all[0], 3)} to ${D.short(all[1], 3)}`,
        height: 220,
        x: [low, high],
        y: [0, top * 1.05],
        xLabel: title,
        yTicks: D.ticks(0, top, 4).filter(Number.isInteger),
        yLabel: model.raw.gate_kind === 'mixture' ? 'Gaussians' : 'Features',
        draw: (pen) => {
          heads.forEach((head) => {
            const step = (high - low) / bins;
            const points = [[low, 0]];
            counts[head].forEach((n, i) => points.push([low + i * step, n], [low + (i + 1) * step, n]));
            points.push([high, 0]);
            D.path(pen, points, { stroke: D.headColour(head), 'stroke-width': 1.75, 'stroke-linejoin': 'round' });
          });
          // Where training began: a small triangle per head on the axis.
          starts.forEach((start, head) => {
            const [from, to] = bounds(start);
            const x = pen.x((from + to) / 2);
            pen.add(svg('path', { class: 'dv-start', d: `M${x - 5} ${pen.bottom + 1}h10l-5 -9z`, fill: D.headColour(head) }));
          });
        },
      });
      const signed = name === 'mean_offset' || p.change;
      map = new D.HeatMap({
        label: `${title} of every head and feature. Arrow keys move, plus and minus zoom, 0 shows everything.`,
        height: (rows) => Math.max(48, rows * 22),
        rowNames: heads.map((head) => `h${head}`),
        onHover: (cell) => tell(cell),
        onZoom: (zoom) => map.setZoom(zoom),
        onSelect: (cell) => tell(cell),
        describe: (row, column) => sentence(row, column),
      });
      const limits = signed ? [-Math.max(...all.map(Math.abs)), Math.max(...all.map(Math.abs))] : all;
      const scale = D.scale(limits, signed ? 'diverging' : store.state.palette);
      scale.signed = signed;
      place.replaceChildren(chart.element, D.legend(heads), map.element, D.colourBar(scale, `${title}: rows are heads, columns ${model.raw.gate_kind === 'mixture' ? 'Gaussians' : 'features'}.`), readout);
      map.setField({ data: p.learned, rows: model.H, columns: p.width, seen: () => true, signed: signed }, scale);
      tell(null);
    };
    const sentence = (row, column) => {
      const start = p.start(row);
      const unit = store.a.raw.gate_kind === 'mixture' ? 'Gaussian' : 'feature';
      return `Head ${row}, ${unit} ${column}: ${D.exact(p.head(row)[column])}${start ? `, at the start ${D.exact(start[column])}` : ''}.`;
    };
    const tell = (cell) => {
      readout.textContent = cell ? sentence(cell.row, cell.column) : 'Point at a cell to read its number.';
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: nameOf(store.a, name),
      help: name === 'mean_offset'
        ? 'How far from the layers’ mean each head looks, in standardised units; triangles mark where training began. An offset says where a head looks, not how much it counts.'
        : 'How widely each head looks around that point; triangles mark where training began. Small numbers make a sharp gate, large ones let everything through.',
      body: place,
      table: () => {
        if (!p.learned) return h('p', { class: 'dv-missing' }, 'Not part of this page.');
        const model = store.model();
        const shown = Math.min(20, p.width);
        const unit = model.raw.gate_kind === 'mixture' ? 'Gaussian' : 'Feature';
        return D.table(`First ${shown} of ${D.count(p.width)}`, [{ title: unit, number: true }].concat(D.range(model.H).map((head) => ({ title: `Head ${head}`, number: true }))),
          D.range(shown).map((i) => [String(i)].concat(D.range(model.H).map((head) => D.exact(p.head(head)[i])))));
      },
    });
    build();
    return {
      element: figure.element,
      update: (changed) => {
        if (D.changedAny(changed, ['source', 'arrays', 'palette'])) {
          build();
          figure.refresh();
        }
      },
      destroy: destroy,
    };
  }

  function mixtureFigure(ctx) {
    const { store } = ctx;
    const place = h('div', {});
    const build = () => {
      const model = store.model();
      const offsets = model.array('mean_offset');
      const scales = model.array('scaled_variance');
      if (!offsets || !scales) return;
      const k = model.arrays.mean_offset.shape[1];
      const own = (data, head) => Array.from(data.subarray(head * k, (head + 1) * k));
      place.replaceChildren(D.table('One Gaussian per head', ['Head', { title: 'Effective mean', number: true }, { title: 'Effective variance', number: true }],
        D.range(model.H).map((head) => {
          const one = D.effectiveGaussian(own(offsets, head), own(scales, head));
          return [D.headName(head), D.exact(one.mean), D.exact(one.variance)];
        })));
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'What the mixture amounts to',
      help: 'A product of Gaussians is one Gaussian up to a factor: 1/variance = Σ 1/c², mean = variance · Σ m/c². The variance ' +
        'is a factor on that of the values.',
      body: place,
    });
    build();
    return { element: figure.element, update: (changed) => D.changedAny(changed, ['source', 'arrays']) && build(), destroy: () => {} };
  }

  // ---- layers -------------------------------------------------------------------------------------

  D.parts.layers = function (ctx) {
    const { store } = ctx;
    const parts = [profile(ctx), features(ctx), entropies(ctx)];
    return {
      element: h('div', { class: 'dv-stack dv-wide-gap' }, parts.map((part) => part.element)),
      update: (changed) => parts.forEach((part) => part.update(changed)),
      destroy: () => parts.forEach((part) => part.destroy()),
    };
  };

  function contribution(store) {
    if (store.state.source !== 'difference') return store.model().raw.layer_contribution;
    return store.b.raw.layer_contribution.map((row, head) => row.map((v, l) => v - store.a.raw.layer_contribution[head][l]));
  }

  function profile(ctx) {
    const { store } = ctx;
    const controls = D.stateControls(store, ['source']);
    const kind = D.segments('Draw as', [['bars', 'Stacked bars'], ['lines', 'Lines']], store.state.layerChart, (v) => store.set({ layerChart: v }));
    const options = () => {
      const shares = contribution(store);
      const model = store.model();
      const { L } = model;
      const heads = D.range(model.H);
      const lines = store.state.layerChart === 'lines';
      const sums = (keep) => D.range(L).map((l) => heads.reduce((sum, head) => sum + (keep(shares[head][l]) ? shares[head][l] : 0), 0));
      const above = lines ? shares.flat() : sums((v) => v > 0);
      const below = lines ? shares.flat() : sums((v) => v < 0);
      const high = Math.max(1e-9, ...above) * 1.06;
      const low = Math.min(0, ...below) * 1.06;
      const best = D.range(L).sort((i, j) => sums(() => true)[j] - sums(() => true)[i])[0];
      return {
        label: `Share of density attention by layer and head; layer ${best} has the most, ${D.short(sums(() => true)[best], 3)} percent`,
        height: 260,
        x: [-0.5, L - 0.5],
        y: [low, high],
        xTicks: D.ticks(0, L - 1, 12).filter(Number.isInteger),
        xLabel: 'Layer',
        yLabel: store.state.source === 'difference' ? 'Points' : 'Percent',
        draw: (pen) => {
          if (lines) {
            heads.forEach((head) => {
              const points = D.range(L).filter((l) => model.seen(head, l)).map((l) => [l, shares[head][l]]);
              D.path(pen, points, { stroke: D.headColour(head), 'stroke-width': 2 });
              points.forEach(([l, v]) => pen.add(svg('circle', { cx: pen.x(l), cy: pen.y(v), r: 2.5, fill: D.headColour(head) })));
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
                x: pen.x(l) - width / 2, width: width, y: Math.min(pen.y(from), pen.y(to)), height: Math.abs(pen.y(to) - pen.y(from)), fill: D.headColour(head),
              });
              rect.append(svg('title', {}, `Head ${head}, layer ${l}: ${D.short(v, 4)} %`));
              pen.add(rect);
            });
          });
          pen.add(svg('line', { class: 'dv-axis', x1: pen.left, x2: pen.right, y1: pen.y(0), y2: pen.y(0) }));
        },
      };
    };
    const chart = D.chart(options());
    const share = (head) => {
      if (store.state.source !== 'difference') return `${D.short(D.share(store.model(), head), 3)} %`;
      return `${D.signed(D.share(store.b, head) - D.share(store.a, head), 3)} points`;
    };
    const legend = h('div', {}, D.legend(D.range(store.a.H), share));
    const figure = D.figure({
      heading: ctx.heading,
      title: 'Layer profile',
      help: 'Share of each layer and head in the summed density attention; all bars of one result together are 100 %. It shows ' +
        'where attention lies, not how much the decision would change without it.',
      controls: controls.elements.concat([kind]),
      body: h('div', { class: 'dv-stack' }, chart.element, legend),
      table: () => {
        const shares = contribution(store);
        const model = store.model();
        const caption = store.state.source === 'difference' ? `Change in percentage points, ${store.label('difference')}` : 'Percent of all density attention';
        return D.table(caption, [{ title: 'Layer', number: true }].concat(D.range(model.H).map((head) => ({ title: `Head ${head}`, number: true })), [{ title: 'All heads', number: true }]),
          D.range(model.L).map((l) => [String(l)].concat(shares.map((row) => D.short(row[l], 4)), [D.short(shares.reduce((sum, row) => sum + row[l], 0), 4)])));
      },
    });
    return {
      element: figure.element,
      update: (changed) => {
        controls.sync(changed);
        if (changed.has('layerChart')) kind.sync(store.state.layerChart);
        if (D.changedAny(changed, ['source', 'layerChart'])) {
          chart.update(options());
          legend.replaceChildren(D.legend(D.range(store.a.H), share));
          figure.refresh();
        }
      },
      destroy: chart.destroy,
    };
  }

  /** Features by the mean of a quantity (or of its change) over all cells that heads see. */
  D.topFeatures = function (store, count) {
    const model = store.model();
    const { quantity, scale, source } = store.state;
    let signed = false;
    const sums = new Float64Array(model.F);
    const best = D.range(model.F).map(() => [-Infinity, 0, 0, 0]);
    let rows = 0;
    for (let head = 0; head < model.H; head += 1) {
      const map = D.field(store, head, { quantity: quantity, scale: scale, source: source });
      if (!map) continue;
      signed = map.signed;
      for (let l = 0; l < model.L; l += 1) {
        if (!model.seen(head, l)) continue;
        rows += 1;
        for (let f = 0; f < model.F; f += 1) {
          const v = map.data[l * model.F + f];
          sums[f] += v;
          if (Math.abs(v) > best[f][0]) best[f] = [Math.abs(v), head, l, v];
        }
      }
    }
    const means = sums.map((v) => v / Math.max(1, rows));
    return D.top(means, count, signed)
      .map((f) => ({ feature: f, mean: means[f], head: best[f][1], layer: best[f][2], value: best[f][3] }));
  };

  function features(ctx) {
    const { store } = ctx;
    const controls = D.stateControls(store, ['quantity']);
    const count = D.segments('Rows', [[5, '5'], [10, '10'], [25, '25']], store.state.top, (v) => store.set({ top: Number(v) }));
    const place = h('div', {});
    const build = () => {
      const { quantity, source, top } = store.state;
      const rows = D.topFeatures(store, top);
      const short = `${D.QUANTITIES[quantity].short}${source === 'difference' ? ' change' : ''}`;
      place.replaceChildren(D.table(`Top ${rows.length} features by mean ${short} over heads and layers`,
        ['Feature', `Mean ${short}`, 'Strongest head', 'Layer', `${short} there`, ''].map((title, i) => ({ title: title, number: i < 5 })),
        rows.map((row) => [String(row.feature), D.short(row.mean, 4), String(row.head), String(row.layer), D.exact(row.value),
          D.button('Look', () => store.select({ head: row.head, layer: row.layer, feature: row.feature }, 'heatmap'), { 'aria-label': `Look at feature ${row.feature} in layer ${row.layer}` })])));
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'Top features',
      help: 'Features with the highest mean over all heads and layers, and where each is strongest. A feature is one number of the ' +
        'encoder; it need not mean one thing.',
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
      const decimals = (v) => (Number.isNaN(v) ? '–' : v.toFixed(4).replace('-', '−'));
      const meter = (head, entropy) => h('span', { class: 'dv-meter-row' },
        h('span', { class: 'dv-meter', 'aria-hidden': 'true' },
          h('span', { style: { width: `${(100 * (entropy || 0)).toFixed(1)}%`, background: D.headColour(head) } })),
        h('span', {}, decimals(entropy)));
      const two = store.state.source === 'difference';
      const titles = two ? [`Entropy, ${store.label('a')}`, `Entropy, ${store.label('b')}`, 'Change'] : ['Entropy', 'Share of density attention'];
      place.replaceChildren(D.table('Entropy of each head’s gate', ['Head'].concat(titles.map((title) => ({ title: title, number: true }))),
        D.byContribution(model).map((head) => {
          const one = D.entropy(two ? store.a : model, head);
          if (!two) return [D.headName(head), meter(head, one), `${D.short(D.share(model, head), 4)} %`];
          const other = D.entropy(store.b, head);
          return [D.headName(head), meter(head, one), meter(head, other), decimals(other - one)];
        })));
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'How selective each head is',
      help: 'Relative entropy of the gate over the cells a head sees: 1 lets everything through alike, 0 a single cell. Selective is ' +
        'not the same as important.',
      body: place,
    });
    build();
    return { element: figure.element, update: (changed) => D.changedAny(changed, ['source', 'arrays']) && build(), destroy: () => {} };
  }
}(window.DaamView = window.DaamView || {}));
