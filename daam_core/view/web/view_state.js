/* DaamView: the state of a view, what of it is valid, its short form for a link, and who is told of changes. */
(function (D) {
  'use strict';

  const CHOICES = {
    quantity: ['importance', 'density_attention', 'gate', 'class_importance'],
    scale: ['all_heads', 'per_head'],
    colours: ['linear', 'rank'],
    palette: ['cividis', 'viridis', 'grey'],
    binning: ['max', 'mean'],
    source: ['a', 'b', 'difference'],
    order: ['index', 'contribution'],
    tokenMode: ['signed', 'absolute'],
    layerChart: ['bars', 'lines'],
  };

  /** The part of `wanted` that is a valid state for the explanation; what does not fit is left out. */
  D.validState = function (wanted, payload) {
    const found = {};
    if (!wanted || typeof wanted !== 'object') return found;
    Object.keys(CHOICES).forEach((key) => {
      if (CHOICES[key].includes(wanted[key])) found[key] = wanted[key];
    });
    if (found.source && found.source !== 'a' && payload && !payload.b) delete found.source;
    if (found.source === 'difference' && payload && !D.comparable(payload)) delete found.source;
    const shown = payload && (found.source === 'b' ? payload.b : payload.a);
    const shape = shown ? shown.shape : null;
    const index = (value, size) => Number.isInteger(value) && value >= 0 && (!shape || value < size);
    const heads = shape ? shape[0] : Infinity;
    if (D.sections.includes(wanted.tab)) found.tab = wanted.tab;
    if (index(wanted.head, heads)) found.head = wanted.head;
    if (wanted.tokenHead === -1 || index(wanted.tokenHead, heads)) found.tokenHead = wanted.tokenHead;
    if (typeof wanted.opacity === 'number' && wanted.opacity >= 0 && wanted.opacity <= 1)
      found.opacity = wanted.opacity;
    if (Number.isInteger(wanted.top) && wanted.top >= 1 && wanted.top <= 100) found.top = wanted.top;
    ['heads', 'pair'].forEach((key) => {
      if (wanted[key] === null) found[key] = null;
      if (!Array.isArray(wanted[key])) return;
      const list = wanted[key].filter(
        (h, i) => index(h, heads) && (key === 'pair' || wanted[key].indexOf(h) === i),
      );
      if (key === 'heads' ? list.length >= 1 : list.length === 2)
        found[key] = list.slice(0, key === 'heads' ? 8 : 2);
    });
    if (wanted.cell === null) found.cell = null;
    if (
      wanted.cell &&
      index(wanted.cell.layer, shape && shape[1]) &&
      index(wanted.cell.feature, shape && shape[2])
    ) {
      found.cell = { layer: wanted.cell.layer, feature: wanted.cell.feature };
    }
    if (wanted.zoom === null) found.zoom = null;
    const z = wanted.zoom;
    if (
      z &&
      [z.x0, z.x1, z.y0, z.y1].every(Number.isFinite) &&
      z.x0 >= 0 &&
      z.y0 >= 0 &&
      z.x1 > z.x0 &&
      z.y1 > z.y0
    ) {
      if (!shape || (z.x1 <= shape[2] && z.y1 <= shape[1]))
        found.zoom = { x0: z.x0, x1: z.x1, y0: z.y0, y1: z.y1 };
    }
    return found;
  };

  /** Whether the two explanations of a payload can be subtracted: inputs of one kind, maps of one shape. */
  D.comparable = function (payload) {
    return same(payload, ['shape', 'modality']);
  };

  /** Whether figures built for one explanation of a payload also fit the other. */
  D.alike = function (payload) {
    return same(payload, ['shape', 'modality', 'gate_kind', 'mode', 'head_layers']);
  };

  function same(payload, keys) {
    if (!payload || !payload.b) return false;
    return keys.every((key) => JSON.stringify(payload.a[key]) === JSON.stringify(payload.b[key]));
  }

  const SHORT = {
    tab: 't',
    quantity: 'q',
    scale: 's',
    colours: 'c',
    palette: 'p',
    binning: 'b',
    source: 'x',
    head: 'h',
    heads: 'hs',
    order: 'o',
    pair: 'pr',
    cell: 'cell',
    zoom: 'z',
    tokenHead: 'th',
    tokenMode: 'tm',
    opacity: 'op',
    layerChart: 'lc',
    top: 'n',
  };

  /** Query string of what differs from the defaults, such as `q=gate&cell=3.17`. */
  D.stateToQuery = function (state) {
    const query = new URLSearchParams();
    Object.keys(SHORT).forEach((key) => {
      const value = state[key];
      if (value === undefined || value === null || JSON.stringify(value) === JSON.stringify(D.defaults[key]))
        return;
      let text = String(value);
      if (Array.isArray(value)) text = value.join('.');
      else if (key === 'cell') text = `${value.layer}.${value.feature}`;
      else if (key === 'zoom')
        text = [value.x0, value.x1, value.y0, value.y1].map((v) => Number(v.toFixed(2))).join('_');
      query.set(SHORT[key], text);
    });
    return query.toString();
  };

  /** The state a query string asks for; unknown or malformed parts are left out. */
  D.queryToState = function (query) {
    const given = new URLSearchParams(query);
    const state = {};
    Object.keys(SHORT).forEach((key) => {
      const text = given.get(SHORT[key]);
      if (text === null) return;
      const numbers = text.split(key === 'zoom' ? '_' : '.').map(Number);
      if (key === 'cell') state.cell = { layer: numbers[0], feature: numbers[1] };
      else if (key === 'zoom')
        state.zoom = { x0: numbers[0], x1: numbers[1], y0: numbers[2], y1: numbers[3] };
      else if (key === 'heads' || key === 'pair') state[key] = numbers;
      else if (['head', 'tokenHead', 'opacity', 'top'].includes(key)) state[key] = Number(text);
      else state[key] = text;
    });
    return D.validState(state, null);
  };

  /** What the views of one group share: payload, decoded models, state, and who wants to know. */
  function Store() {
    this.state = Object.assign({}, D.defaults);
    this.payload = null;
    this.a = null;
    this.b = null;
    this.loader = null;
    this.hover = null;
    this.arrival = 0;
    this.listeners = new Set();
    this.hoverListeners = new Set();
  }

  D.Store = Store;

  Store.prototype.setPayload = function (payload) {
    const given = typeof payload === 'string' ? JSON.parse(payload) : payload;
    if (given && given.version !== 1)
      throw new Error(`DaamView reads payloads of version 1, got ${given.version}.`);
    this.payload = given && given.a ? given : null;
    const model = (raw, source) => (raw ? new D.Model(raw, source, this.loader, () => this.arrived()) : null);
    this.a = model(this.payload && this.payload.a, 'a');
    this.b = model(this.payload && this.payload.b, 'b');
    this.hover = null;
    if (this.payload) {
      const kept = D.validState(this.state, this.payload);
      this.state = Object.assign({}, D.defaults, kept);
    }
    this.notify(new Set(['payload']));
  };

  Store.prototype.set = function (wanted) {
    const source = (wanted && wanted.source) || this.state.source;
    const valid = D.validState(Object.assign({}, wanted, { source: source }), this.payload);
    const whole = Object.assign({}, this.state, valid);
    // The other model may have fewer heads or layers: what it does not have goes back to its default.
    const next = Object.assign({}, D.defaults, D.validState(whole, this.payload));
    const changed = new Set(
      Object.keys(next).filter((key) => JSON.stringify(next[key]) !== JSON.stringify(this.state[key])),
    );
    if (!changed.size) return;
    this.state = next;
    if (changed.has('source') && !D.alike(this.payload)) this.hover = null; // may not be there
    this.notify(changed);
  };

  /** An array came: nothing that was computed holds any more. Told once a frame, however many come. */
  Store.prototype.arrived = function () {
    [this.a, this.b].forEach((model) => model && model.cache.clear());
    if (this.arrival) return;
    this.arrival = requestAnimationFrame(() => {
      this.arrival = 0;
      this.notify(new Set(['arrays']));
    });
  };

  Store.prototype.notify = function (changed) {
    Array.from(this.listeners).forEach((listener) => listener(changed));
  };

  Store.prototype.setHover = function (hover) {
    this.hover = hover;
    this.hoverListeners.forEach((listener) => listener(hover));
  };

  /** The model that `source` names; a difference is shown with the cells of A. */
  Store.prototype.model = function () {
    return this.state.source === 'b' && this.b ? this.b : this.a;
  };

  /** The whole name of a result, for captions; the difference is called by its letters. */
  Store.prototype.label = function (source) {
    const labels = (this.payload && this.payload.labels) || {};
    return source === 'difference' ? this.letter(source) : labels[source] || source.toUpperCase();
  };

  /** The short name, for tables and readouts: “A” of “A: a long file name”. */
  Store.prototype.letter = function (source) {
    if (source === 'difference') return `${this.letter('b')} − ${this.letter('a')}`;
    const label = this.label(source);
    const [, before] = /^([^:]{1,12}):\s/.exec(label) || [];
    return before || (label.length > 16 ? source.toUpperCase() : label);
  };

  /** Whether A and B come from two trained heads, so that head h of one is not head h of the other. */
  Store.prototype.twoModels = function () {
    return Boolean(this.b) && ['model', 'checkpoint'].some((key) => this.a.raw[key] !== this.b.raw[key]);
  };

  /** Heads shown side by side, in the order asked for. */
  Store.prototype.shownHeads = function () {
    const model = this.model();
    const order = this.state.order === 'contribution' ? D.byContribution(model) : D.range(model.H);
    return this.state.heads ? order.filter((h) => this.state.heads.includes(h)) : order.slice(0, 8);
  };

  D.share = function (model, head) {
    return model.raw.layer_contribution[head].reduce((sum, v) => sum + v, 0);
  };

  /** A head's share, or how it changes, for reading. */
  D.shareText = function (store, head) {
    if (store.state.source !== 'difference') return `${D.short(D.share(store.model(), head), 3)} %`;
    return `${D.signed(D.share(store.b, head) - D.share(store.a, head), 3)} points`;
  };

  /** Heads by their share of the density attention, largest first. */
  D.byContribution = function (model) {
    return D.range(model.H).sort((a, b) => D.share(model, b) - D.share(model, a) || a - b);
  };

  D.sections = ['summary', 'heatmap', 'heads', 'cell', 'parameters', 'layers', 'input', 'dataset', 'compare'];
})((window.DaamView = window.DaamView || {}));
