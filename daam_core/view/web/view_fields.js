/* DaamView: the numbers that maps show, of one result or of two, and their colour scales. */
(function (D) {
  'use strict';

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
    const key = `scale ${JSON.stringify(which)} ${scale} ${colours} ${palette} ${scale === 'all_heads' ? '' : head}`;
    return model.cached(key, () => {
      const heads = scale === 'all_heads' ? D.range(model.H) : [head];
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
      store.state.scale === 'all_heads' &&
      (which.source === 'difference' || which.dataset === 'difference') &&
      D.range(store.model().H).some((head) => !field(store, head, which));
    const shared = part ? 'one scale for the heads loaded so far' : 'one scale for all heads';
    const scaled = store.state.scale === 'all_heads' ? shared : 'a scale of its own for each head';
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

  D.extent = extent;
  D.onlySeen = onlySeen;
  D.modelsOf = modelsOf;
})((window.DaamView = window.DaamView || {}));
