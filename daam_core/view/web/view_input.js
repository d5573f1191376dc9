/* DaamView: importance back on the input, of one result or of two. */
(function (D) {
  'use strict';

  const { h } = D;
  const { attribution, largest, spanOf, tokenScale } = D.tokens;

  const TOKENS = ['token_attribution', 'token_spans'];

  D.parts.input = function (ctx) {
    const { store } = ctx;
    const model = store.model();
    const kind = D.tokenKinds[model.raw.modality];
    const controls = D.stateControls(store, ['source']);
    const headPick = D.select(
      'Heads',
      [[-1, 'All heads together']].concat(D.range(model.H).map((head) => [head, `Head ${head}`])),
      store.state.tokenHead,
      (v) => store.set({ tokenHead: Number(v) }),
    );
    const mode = D.segments(
      'Values',
      [
        ['signed', 'Signed'],
        ['absolute', 'Size only'],
      ],
      store.state.tokenMode,
      (v) => store.set({ tokenMode: v }),
    );
    const opacity =
      model.raw.modality === 'image'
        ? D.slider('Overlay', store.state.opacity, [0, 1, 0.05], (v) => store.set({ opacity: v }))
        : null;
    // The newest result is the one that is explained anew.
    const { raw } = store.b || store.a;
    const classes = ctx.options.onClass
      ? D.select(
          store.b ? 'Explained class of B' : 'Explained class',
          raw.class_names.map((name, i) => [i, name]),
          raw.explained,
          (v) => ctx.options.onClass(Number(v)),
        )
      : null;
    // Pictures stand beside each other; sounds and texts need the whole width.
    const place = h('div', { class: model.raw.modality === 'image' ? 'dv-pictures' : 'dv-stack' });
    const bar = h('div', {});
    let panels = [];
    let waiting = false;
    const sources = () => (store.state.source === 'difference' ? ['a', 'b'] : [store.state.source]);
    const build = () => {
      panels.forEach((panel) => panel.destroy());
      const models = sources().map((source) => store[source]);
      const { state } = store;
      panels = [];
      const wanted = TOKENS.concat(state.tokenHead < 0 ? [] : ['head_token_attribution']);
      waiting = !models.every((one) => wanted.every((name) => one.array(name)));
      if (waiting) {
        models.forEach((one) => wanted.forEach((name) => one.needArray(name, null)));
        const text = store.loader
          ? 'Loading these numbers …'
          : 'These numbers are too large to be part of this page.';
        place.replaceChildren(h('p', { class: 'dv-missing' }, text));
        bar.replaceChildren();
        return;
      }
      const scale = tokenScale(state, largest(models, state, kind.grouped));
      const blocks = models.map((model, i) => {
        const source = sources()[i];
        const name = model.raw.class_names[model.raw.explained];
        const label = store.b ? `${store.label(source)}, ` : '';
        const panel = kind.panel(model, state, scale, store.b ? store.label(source) : 'Input');
        panels.push(panel);
        const values = attribution(model, state.tokenHead);
        const total = values.reduce((sum, v) => sum + v, 0);
        return h(
          'div',
          { class: 'dv-stack' },
          h(
            'p',
            { class: 'dv-map-caption' },
            h('strong', {}, `${label}${label ? 'c' : 'C'}lass “${name}”`),
            h('span', { class: 'dv-quiet dv-number' }, `sum ${D.signed(total, 4)} logits`),
          ),
          panel.element,
        );
      });
      if (models.length === 2) blocks.push(differenceBlock(models, state));
      place.replaceChildren(...blocks);
      bar.replaceChildren(
        D.colourBar(
          scale,
          state.tokenMode === 'absolute'
            ? 'Size of the share, in logits.'
            : 'Share in the explained class’s logit, in logits; 0 is neutral.',
        ),
      );
    };
    /** B − A: over tokens that stand in the same places, or over words that both texts have. */
    const differenceBlock = (models, state) => {
      const caption = (total) =>
        h(
          'p',
          { class: 'dv-map-caption' },
          h('strong', {}, store.label('difference')),
          total === null
            ? null
            : h('span', { class: 'dv-quiet dv-number' }, `sum ${D.signed(total, 4)} logits`),
        );
      const classes = D.classesApart(store);
      const note = classes ? h('p', { class: 'dv-note' }, classes) : null;
      const pairs = tokenPairs(models[0], models[1]);
      if (!pairs) {
        const names = ['a', 'b', 'difference'].map((source) => store.letter(source));
        const apart = kind.difference
          ? kind.difference(models, state, names)
          : h(
              'p',
              { class: 'dv-note' },
              'The two inputs are cut into different parts, so their shares cannot be subtracted part by part.',
            );
        return h('div', { class: 'dv-stack' }, caption(null), apart, kind.difference ? note : null);
      }
      const model = differenceModel(models, state, pairs);
      const scale = tokenScale(
        state,
        largest([model], Object.assign({}, state, { tokenHead: -1 }), kind.grouped),
      );
      const panel = kind.panel(
        model,
        Object.assign({}, state, { tokenHead: -1 }),
        scale,
        store.label('difference'),
      );
      panels.push(panel);
      return h(
        'div',
        { class: 'dv-stack' },
        caption(attribution(model, -1).reduce((sum, v) => sum + v, 0)),
        panel.element,
        D.colourBar(scale, `Change of the share, in logits${common(models, pairs)}.`),
        note,
      );
    };
    /** How much of B has a counterpart in A, where that is not all of it. */
    const common = ([, other], pairs) => {
      if (pairs.length === other.raw.token_labels.length) return '';
      const seconds = pairs.reduce((sum, [, j]) => sum + spanOf(other, j)[1] - spanOf(other, j)[0], 0);
      return `, over the ${D.fixed(seconds, 2)} s that both sounds have`;
    };
    const tables = () => {
      const { state } = store;
      const models = sources().map((source) => store[source]);
      const found = sources().map((source) =>
        kind.table(store[source], state, store.b ? `${store.label(source)}. ` : ''),
      );
      const pairs = models.length === 2 && tokenPairs(models[0], models[1]);
      if (pairs) {
        const change = differenceModel(models, state, pairs);
        found.push(
          kind.table(change, Object.assign({}, state, { tokenHead: -1 }), `${store.label('difference')}. `),
        );
      }
      return found;
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: kind.title,
      help: kind.help,
      controls: controls.elements.concat([headPick, mode, opacity, classes].filter(Boolean)),
      body: h('div', { class: 'dv-stack' }, place, bar),
      table: () => h('div', { class: 'dv-stack' }, waiting ? [] : tables()),
    });
    build();
    return {
      element: figure.element,
      update: (changed) => {
        controls.sync(changed);
        if (changed.has('tokenHead')) headPick.sync(store.state.tokenHead);
        if (changed.has('tokenMode')) mode.sync(store.state.tokenMode);
        if (changed.has('opacity'))
          panels.forEach((panel) => panel.setOpacity && panel.setOpacity(store.state.opacity));
        const came = waiting && changed.has('arrays');
        if (came || D.changedAny(changed, ['source', 'tokenHead', 'tokenMode', 'scale', 'palette', 'top'])) {
          build();
          figure.refresh();
        }
        if (changed.has('theme')) panels.forEach((panel) => panel.redraw && panel.redraw());
      },
      destroy: () => panels.forEach((panel) => panel.destroy()),
    };
  };

  /** B with the change of each paired token's share in place of the share, and nothing to play. */
  function differenceModel([one, other], state, pairs) {
    const [before, after] = [one, other].map((model) => attribution(model, state.tokenHead));
    const width = other.arrays.token_spans.shape[1];
    const spans = new Float32Array(pairs.length * width);
    pairs.forEach(([, j], k) => spans.set(spanOf(other, j), k * width));
    const arrays = {
      token_attribution: Float32Array.from(pairs, ([i, j]) => after[j] - before[i]),
      token_spans: spans,
    };
    const model = Object.create(other);
    model.array = (name) => arrays[name] || other.array(name);
    const { media } = other.raw;
    const silent = media && media.audio && { audio: Object.assign({}, media.audio, { url: null }) };
    Object.defineProperty(model, 'soundPlace', {
      get: () => other.changePlace, // kept with B, since this model is made anew with every change
      set: (place) => {
        other.changePlace = place;
      },
    });
    model.raw = Object.assign({}, other.raw, {
      media: silent || media,
      token_labels: pairs.map(([, j]) => other.raw.token_labels[j]),
    });
    return model;
  }

  /** Tokens [i of A, j of B] that stand in the same place, or null where there are none to compare. */
  function tokenPairs(one, other) {
    if (sameTokens(one, other)) return D.range(one.raw.token_labels.length).map((t) => [t, t]);
    return one.raw.token_units === 'seconds' ? D.pairSeconds(placesOf(one), placesOf(other)) : null;
  }

  /** Where a trimmed sound begins in the clip that it was cut from, in seconds. */
  function startOf(model) {
    const { media } = model.raw;
    return (media && media.audio && media.audio.start) || 0;
  }

  /** [start, end] of every token in seconds of the clip that a trimmed sound was cut from. */
  function placesOf(model) {
    const start = startOf(model);
    return D.range(model.raw.token_labels.length).map((t) => Array.from(spanOf(model, t), (s) => s + start));
  }

  /** Pairs of moments that are equally long and lie at most half their length apart; null without any. */
  D.pairSeconds = function (one, other) {
    const pairs = [];
    let i = 0;
    other.forEach(([start, end], j) => {
      while (i + 1 < one.length && Math.abs(one[i + 1][0] - start) <= Math.abs(one[i][0] - start)) i += 1;
      const length = end - start;
      const alike = one.length && Math.abs(one[i][1] - one[i][0] - length) < 1e-3;
      if (alike && Math.abs(one[i][0] - start) <= length / 2 + 1e-6) pairs.push([i, j]);
    });
    return pairs.length ? pairs : null;
  };

  function sameTokens(one, other) {
    const a = one.array('token_spans');
    const b = other.array('token_spans');
    return (
      one.raw.modality === other.raw.modality &&
      one.raw.text === other.raw.text &&
      startOf(one) === startOf(other) &&
      a.length === b.length &&
      a.every((v, i) => v === b[i] || (Number.isNaN(v) && Number.isNaN(b[i])))
    );
  }
})((window.DaamView = window.DaamView || {}));
