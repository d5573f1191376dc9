/* DaamView: the learned parameters of every head. */
(function (D) {
  'use strict';

  const { h, svg } = D;

  const PARAMETERS = {
    mean_offset: { symbol: 'δ', name: 'Mean offset', mixture: 'Mean offsets m' },
    scaled_variance: { symbol: 'ξ', name: 'Scaled variance', mixture: 'Scales c' },
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
    const numbers = [low, high, mean, Math.sqrt(squares / data.length)];
    return numbers.concat(start ? [moved / data.length, most] : []).map((v) => D.short(v, 4));
  }

  D.parts.parameters = function (ctx) {
    const { store } = ctx;
    const parts = [parameterTable(ctx)].concat(
      Object.keys(PARAMETERS).map((name) => parameterFigure(ctx, name)),
    );
    const shown = store.state.source === 'difference' ? [store.a, store.b] : [store.model()];
    if (shown.some((model) => model.raw.gate_kind === 'mixture')) parts.push(mixtureFigure(ctx));
    return D.stackedParts(parts);
  };

  function nameOf(model, name) {
    const p = PARAMETERS[name];
    return model.raw.gate_kind === 'mixture' ? p.mixture : `${p.name} ${p.symbol}`;
  }

  function needParameters(store) {
    const names = ['mean_offset', 'scaled_variance', 'initial_mean_offset', 'initial_scaled_variance'];
    names.forEach((name) => store.model().needArray(name, null));
  }

  function parameterTable(ctx) {
    const { store } = ctx;
    const controls = D.stateControls(store, ['source']);
    const place = h('div', {});
    const build = () => {
      const model = store.model();
      const rows = Object.keys(PARAMETERS).flatMap((name) => {
        const p = parameter(store, name);
        if (!p.learned || (!p.initial && !p.change)) needParameters(store);
        if (!p.learned) return [];
        const all = [nameOf(model, name) + (p.change ? ' (change)' : ''), 'all'].concat(
          summaryRow(p.learned, p.initial),
        );
        return [all].concat(
          D.range(model.H).map((head) =>
            ['', D.headName(head)].concat(summaryRow(p.head(head), p.start(head))),
          ),
        );
      });
      const change = parameter(store, 'mean_offset').change;
      const moved = change ? [] : ['Mean |change|', 'Largest |change|'];
      const columns = ['Parameter', 'Head'].concat(
        ['Min', 'Max', 'Mean', 'Deviation', ...moved].map((title) => ({ title: title, number: true })),
      );
      const apart = store.state.source === 'difference' && !sameParameters(store);
      place.replaceChildren(
        D.table(
          change
            ? `Change of the learned parameters, ${store.letter('difference')}`
            : 'Range of the learned parameters, and how far training moved them from their start',
          columns,
          rows,
        ),
        apart
          ? h(
              'p',
              { class: 'dv-note' },
              `The two models have parameters of different kinds or numbers, so there is no ${store.label('difference')}; these are those of ${store.letter('a')}.`,
            )
          : '',
      );
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'What was learned',
      help:
        'The numbers of every gate over features, as in the paper’s Table 2. Parameters that hardly moved mean that the map ' +
        'shows the data rather than anything learned.',
      controls: controls.elements.length ? controls.elements : null,
      body: place,
    });
    build();
    return {
      element: figure.element,
      update: (changed) => {
        controls.sync(changed);
        if (D.changedAny(changed, ['source', 'arrays'])) build();
      },
      destroy: () => {},
    };
  }

  function parameterFigure(ctx, name) {
    const { store } = ctx;
    const place = h('div', { class: 'dv-stack' });
    const readout = h('p', { class: 'dv-note dv-number' });
    const note = D.binningNote();
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
        place.replaceChildren(
          h('p', { class: 'dv-missing' }, 'These numbers are too large to be part of this page.'),
        );
        needParameters(store);
        return;
      }
      if (p.change && p.learned.every((v) => v === 0)) {
        place.replaceChildren(
          h(
            'p',
            { class: 'dv-note' },
            `${store.letter('a')} and ${store.letter('b')} have the same ${nameOf(model, name)}.`,
          ),
        );
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
            D.path(pen, points, {
              stroke: D.headColour(head),
              'stroke-width': 1.75,
              'stroke-linejoin': 'round',
            });
          });
          // Where training began: a small triangle per head on the axis.
          starts.forEach((start, head) => {
            const [from, to] = bounds(start);
            const x = pen.x((from + to) / 2);
            pen.add(
              svg('path', {
                class: 'dv-start',
                d: `M${x - 5} ${pen.bottom + 1}h10l-5 -9z`,
                fill: D.headColour(head),
              }),
            );
          });
        },
      });
      const signed = name === 'mean_offset' || p.change;
      map = new D.HeatMap({
        label: `${title} of every head and feature. Arrow keys move, plus and minus zoom, 0 shows everything.`,
        height: (rows) => Math.max(48, rows * 22),
        rowNames: heads.map((head) => `h${head}`),
        onHover: (cell) => tell(cell),
        onDraw: note.show,
        onZoom: (zoom) => map.setZoom(zoom),
        onSelect: (cell) => tell(cell),
        describe: (row, column) => sentence(row, column),
      });
      const limits = signed ? [-Math.max(...all.map(Math.abs)), Math.max(...all.map(Math.abs))] : all;
      const scale = D.scale(limits, signed ? 'diverging' : store.state.palette);
      scale.signed = signed;
      place.replaceChildren(
        chart.element,
        D.legend(heads),
        map.element,
        D.colourBar(
          scale,
          `${title}: rows are heads, columns ${model.raw.gate_kind === 'mixture' ? 'Gaussians' : 'features'}.`,
        ),
        note.element,
        readout,
      );
      map.setField(
        { data: p.learned, rows: model.H, columns: p.width, seen: () => true, signed: signed },
        scale,
      );
      tell(null);
    };
    const sentence = (row, column) => {
      const start = p.start(row);
      const unit = store.model().raw.gate_kind === 'mixture' ? 'Gaussian' : 'feature';
      return `Head ${row}, ${unit} ${column}: ${D.exact(p.head(row)[column])}${start ? `, at the start ${D.exact(start[column])}` : ''}.`;
    };
    const tell = (cell) => {
      readout.textContent = cell ? sentence(cell.row, cell.column) : 'Point at a cell to read its number.';
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: nameOf(store.model(), name),
      help:
        name === 'mean_offset'
          ? 'How far from the layers’ mean each head looks, in standardised units; triangles mark where training began. An offset says where a head looks, not how much it counts.'
          : 'How widely each head looks around that point; triangles mark where training began. Small numbers make a sharp gate, large ones let everything through.',
      body: place,
      table: () => {
        if (!p.learned) return h('p', { class: 'dv-missing' }, 'Not part of this page.');
        const model = store.model();
        const shown = Math.min(20, p.width);
        const unit = model.raw.gate_kind === 'mixture' ? 'Gaussian' : 'Feature';
        return D.table(
          `First ${shown} of ${D.count(p.width)}`,
          [{ title: unit, number: true }].concat(
            D.range(model.H).map((head) => ({ title: `Head ${head}`, number: true })),
          ),
          D.range(shown).map((i) =>
            [String(i)].concat(D.range(model.H).map((head) => D.exact(p.head(head)[i]))),
          ),
        );
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
    const place = h('div', { class: 'dv-stack' });
    const build = () => {
      const { source } = store.state;
      const shown = (source === 'difference' ? ['a', 'b'] : [source]).filter(
        (one) => store[one].raw.gate_kind === 'mixture',
      );
      place.replaceChildren(
        ...shown.map((one) => {
          const model = store[one];
          const offsets = model.array('mean_offset');
          const scales = model.array('scaled_variance');
          if (!offsets || !scales) return '';
          const k = model.arrays.mean_offset.shape[1];
          const own = (data, head) => Array.from(data.subarray(head * k, (head + 1) * k));
          return D.table(
            `One Gaussian per head${store.b ? `, ${store.letter(one)}` : ''}`,
            [
              'Head',
              { title: 'Effective mean', number: true },
              { title: 'Effective variance', number: true },
            ],
            D.range(model.H).map((head) => {
              const gaussian = D.effectiveGaussian(own(offsets, head), own(scales, head));
              return [D.headName(head), D.exact(gaussian.mean), D.exact(gaussian.variance)];
            }),
          );
        }),
      );
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: 'What the mixture amounts to',
      help:
        'A product of Gaussians is one Gaussian up to a factor: 1/variance = Σ 1/c², mean = variance · Σ m/c². The variance ' +
        'is a factor on that of the values.',
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
