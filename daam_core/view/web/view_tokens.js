/* DaamView: shares of an input's tokens, whatever they stand for. */
(function (D) {
  'use strict';

  const { h } = D;

  /** Attribution of every token [T]: of one head, or of all (head −1). */
  function attribution(model, head) {
    const tokens = model.raw.token_labels.length;
    if (head < 0) return model.array('token_attribution');
    return model.array('head_token_attribution').subarray(head * tokens, (head + 1) * tokens);
  }

  /** Largest size among groups of tokens, so that heads share a scale where that is asked for. */
  function largest(models, state, grouped) {
    const heads =
      state.tokenHead < 0 ? [-1] : state.scale === 'all_heads' ? D.range(models[0].H) : [state.tokenHead];
    let most = 0;
    models.forEach((model) =>
      heads.forEach((head) => {
        if (head < model.H)
          grouped(model, attribution(model, head)).forEach((v) => {
            most = Math.max(most, Math.abs(v));
          });
      }),
    );
    return most;
  }

  function tokenScale(state, most) {
    const absolute = state.tokenMode === 'absolute';
    const scale = D.scale(absolute ? [0, most] : [-most, most], absolute ? state.palette : 'diverging');
    scale.signed = !absolute;
    scale.colour = (v) => scale.table[scale.index(absolute ? Math.abs(v) : v)];
    return scale;
  }

  function logits(v) {
    return `${v > 0 ? '+' : ''}${D.exact(v)} logits`;
  }

  function spanOf(model, token) {
    const width = model.arrays.token_spans.shape[1];
    return model.array('token_spans').subarray(token * width, (token + 1) * width);
  }

  /** Tables of tokens by size and in order; `label` stands before their captions. */
  function tokenTable(model, state, place, label) {
    const values = attribution(model, state.tokenHead);
    const columns = [place, { title: 'Logits', number: true }];
    const row = (t) => [model.raw.token_labels[t], D.exact(values[t])];
    const count = values.length;
    return h(
      'div',
      { class: 'dv-stack' },
      D.table(
        `${label}The ${Math.min(state.top, count)} of largest size`,
        columns,
        D.top(values, state.top, true).map(row),
      ),
      D.table(
        `${label}First ${Math.min(25, count)} of ${D.count(count)}`,
        columns,
        D.range(Math.min(25, count)).map(row),
      ),
    );
  }

  D.tokens = { attribution, largest, tokenScale, logits, spanOf, tokenTable };

  /** By modality: {title, help, panel, grouped, table, difference}; each has a file of its own. */
  D.tokenKinds = {};
})((window.DaamView = window.DaamView || {}));
