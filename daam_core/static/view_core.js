/*
 * DaamView: interactive view of an explanation. No framework, no other file, no network.
 *
 * The parts view_*.js are joined by daam_core.figures.interactive.view_script() in the order given
 * there; each adds to the one global, DaamView.
 *
 * API
 *   const view = DaamView.mount(element, payload, options);
 *   view.update(payload)   another explanation, or null for the empty state; the state is kept where it fits
 *   view.setState(partial) changes what is shown; values that do not fit are ignored
 *   view.getState()        a plain copy of the state, see DaamView.defaults
 *   view.locate({head, layer, feature})  client coordinates of a cell on its map, or null
 *   view.destroy()         removes everything the view added
 *   DaamView.stateToQuery(state) / DaamView.queryToState(query)  short form for a link
 *
 * options (all may be left out)
 *   section   one of DaamView.sections ('summary', 'heatmap', 'heads', 'cell', 'parameters', 'layers',
 *             'input', 'dataset', 'compare'); without it all of them, in tabs
 *   group     a name: views of one group share payload and state; payload may then be null for all but
 *             one of them
 *   state     state to start with, as for setState
 *   onChange  (state) after every change of the state, once per frame
 *   onSelect  ({head, layer, feature}) after a cell was chosen
 *   onClass   (index) when another class is asked for; without it there is no choice of class
 *   load      (source, name, head) -> Promise of an encoded array; source is 'a' or 'b'. Called when an
 *             array that the payload holds rounded (uint8) or not at all (lazy) is needed exactly; one
 *             request at a time
 *   tabs      which tabs to show, as names of sections; all by default
 *   theme     'auto' (the system's), 'class' (dark inside an element of class "dark"), 'light', 'dark'
 *   heading   level of the figures' headings, 3 by default
 *
 * payload = {version: 1, a: explanation, b: explanation or null, labels: {a, b}}, made by
 * daam_core.figures.interactive.view_payload. Fields of an explanation have the names and shapes of
 * daam_core.result.Explanation. Letters: H heads, L layers, F features, T tokens, K Gaussians, C classes.
 * Large arrays are encoded: {shape, dtype: 'float32', data: base64, little-endian}, or
 * {shape, dtype: 'uint8', data, ranges: [[lowest, highest], ...] one pair per entry of the first axis},
 * or {shape, lazy: true}. Density attention is left out where it is amplitude * gate.
 *
 * Text in a payload is shown as text, never as markup.
 */
(function (D) {
  'use strict';

  D.defaults = Object.freeze({
    tab: 'heads', // section shown by a view with tabs
    quantity: 'importance', // importance | density_attention | gate | class_importance
    scale: 'shared', // shared | per_head
    colours: 'linear', // linear | rank
    palette: 'cividis', // cividis | viridis | grey; signed maps always diverge from zero
    binning: 'max', // max | mean
    source: 'a', // a | b | difference (b − a)
    head: 0, // the head of the single map, token attribution excepted
    heads: null, // heads shown side by side, 1 to 8; null: all, or the first 8 in the order asked for
    order: 'index', // index | contribution
    pair: null, // [A, B] heads of the difference map; null: the first two
    cell: null, // {layer, feature}
    zoom: null, // {x0, x1, y0, y1} in features and layers; null: everything
    tokenHead: -1, // -1: all heads together
    tokenMode: 'signed', // signed | absolute
    opacity: 0.6, // of the overlay on a picture
    layerChart: 'bars', // bars | lines
    top: 10, // rows of "top" tables
  });

  D.QUANTITIES = Object.freeze({
    importance: {
      name: 'Importance Factor',
      short: 'IF',
      meaning: '0 = weakest, 1 = strongest density attention',
    },
    density_attention: {
      name: 'Density attention',
      short: 'DA',
      meaning: 'amplitude × gate: how much the head lets through',
    },
    gate: { name: 'Gate', short: 'Gate', meaning: '1 = the value is typical for its feature' },
    class_importance: {
      name: 'Class importance',
      short: 'Class',
      meaning: 'in logits: positive speaks for the class, negative against it',
      signed: true,
    },
  });

  // ---- numbers ------------------------------------------------------------------------------------

  /** Shortest decimal that gives the same float32: as exact as the array it came from. */
  D.exact = function (value) {
    if (value === null || value === undefined || Number.isNaN(value)) return '–';
    if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
    const single = Math.fround(value);
    for (let digits = 1; digits <= 9; digits += 1) {
      const text = single.toPrecision(digits);
      if (Math.fround(Number(text)) === single) return minus(plain(Number(text)));
    }
    return minus(String(single));
  };

  /** For captions and axes: `digits` significant digits. */
  D.short = function (value, digits) {
    if (value === null || value === undefined || Number.isNaN(value)) return '–';
    return minus(plain(Number(value.toPrecision(digits || 3))));
  };

  D.signed = function (value, digits) {
    return (value > 0 ? '+' : '') + D.short(value, digits);
  };

  D.count = function (value) {
    return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
  };

  function plain(value) {
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-4 || size >= 1e7) ? value.toExponential() : String(value);
  }

  function minus(text) {
    return text.replace(/-/g, '−');
  }

  // ---- arrays -------------------------------------------------------------------------------------

  function bytes(base64) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
    const binary = atob(base64);
    const out = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i += 1) out[i] = binary.charCodeAt(i);
    return out;
  }

  D.bytes = bytes;

  /** {shape, data: Float32Array or null, exact} of an encoded array. */
  D.decode = function (spec) {
    if (!spec || spec.lazy) return { shape: spec ? spec.shape : [], data: null, exact: false };
    const raw = bytes(spec.data);
    if (spec.dtype === 'float32') {
      return { shape: spec.shape, data: new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4), exact: true };
    }
    const data = new Float32Array(raw.length);
    const part = raw.length / spec.ranges.length;
    spec.ranges.forEach(function (range, index) {
      const table = new Float32Array(256);
      for (let q = 0; q < 256; q += 1) table[q] = range[0] + (q / 255) * (range[1] - range[0]);
      table[255] = range[1];
      for (let i = index * part; i < (index + 1) * part; i += 1) data[i] = table[raw[i]];
    });
    return { shape: spec.shape, data: data, exact: false };
  };

  // ---- one explanation ----------------------------------------------------------------------------

  const PER_HEAD = ['gate', 'density_attention', 'class_importance', 'dataset_gate', 'dataset_density_attention'];

  /** Decoded explanation with its maps, computed when asked for and kept. */
  function Model(raw, source, load) {
    this.raw = raw;
    this.source = source;
    this.loader = load;
    this.pending = new Map();
    this.exactHeads = {};
    [this.H, this.L, this.F] = raw.shape;
    this.arrays = {};
    this.cache = new Map();
    Object.keys(raw.arrays).forEach((name) => {
      const array = D.decode(raw.arrays[name]);
      this.arrays[name] = array;
      this.exactHeads[name] = new Set();
      if (array.exact) for (let h = 0; h < this.H; h += 1) this.exactHeads[name].add(h);
    });
  }

  D.Model = Model;

  Model.prototype.seen = function (head, layer) {
    return this.raw.head_layers[head][layer];
  };

  Model.prototype.layersOf = function (head) {
    return this.raw.head_layers[head].reduce((n, seen) => n + (seen ? 1 : 0), 0);
  };

  /** Whole array by name, or null when the payload leaves it out. */
  Model.prototype.array = function (name) {
    return this.arrays[name] ? this.arrays[name].data : null;
  };

  Model.prototype.headArray = function (name, head) {
    const data = this.array(name);
    const size = this.L * this.F;
    return data ? data.subarray(head * size, (head + 1) * size) : null;
  };

  /** Array behind a quantity: the one whose presence and exactness decide. */
  function basis(model, quantity, dataset) {
    const prefix = dataset ? 'dataset_' : '';
    if (quantity === 'class_importance') return 'class_importance';
    if (quantity !== 'gate' && model.arrays[prefix + 'density_attention']) return prefix + 'density_attention';
    return prefix + 'gate';
  }

  Model.prototype.isExact = function (quantity, head, dataset) {
    const heads = this.exactHeads[basis(this, quantity, dataset)];
    return Boolean(heads && heads.has(head));
  };

  /** Density attention of one head [L·F] float32, or null. */
  Model.prototype.density = function (head, dataset) {
    const prefix = dataset ? 'dataset_' : '';
    const given = this.headArray(prefix + 'density_attention', head);
    if (given) return given;
    return this.cached(`${prefix}da ${head}`, () => {
      const gate = this.headArray(prefix + 'gate', head);
      if (!gate) return null;
      const out = new Float32Array(gate.length);
      for (let l = 0; l < this.L; l += 1) {
        const amplitude = this.raw.amplitude[head][l];
        for (let i = l * this.F; i < (l + 1) * this.F; i += 1) out[i] = amplitude * gate[i];
      }
      return out;
    });
  };

  /** [lowest, highest] density attention that scales the Importance Factor of a head. */
  Model.prototype.importanceRange = function (head, scale, dataset) {
    if (!dataset && this.raw.scale === scale) return this.raw.importance_range[head];
    return this.range('density_attention', scale, head, dataset);
  };

  /** One head's map [L·F] float32 of a quantity, or null when it is not in the payload. */
  Model.prototype.map = function (quantity, head, scale, dataset) {
    if (quantity === 'density_attention') return this.density(head, dataset);
    const prefix = dataset ? 'dataset_' : '';
    if (quantity !== 'importance') return this.headArray(prefix + quantity, head);
    return this.cached(`${prefix}if ${head} ${scale}`, () => {
      const density = this.density(head, dataset);
      if (!density) return null;
      const [low, high] = this.importanceRange(head, scale, dataset);
      const out = new Float32Array(density.length);
      if (!(high > low)) return out;
      const width = Math.fround(high - low);
      for (let l = 0; l < this.L; l += 1) {
        if (!this.seen(head, l)) continue;
        for (let i = l * this.F; i < (l + 1) * this.F; i += 1) {
          out[i] = Math.min(1, Math.max(0, Math.fround(density[i] - low) / width));
        }
      }
      return out;
    });
  };

  /** [lowest, highest] of a quantity over the cells that heads see: of one head or of all together. */
  Model.prototype.range = function (quantity, scale, head, dataset) {
    const key = `range ${quantity} ${scale} ${scale === 'shared' ? '' : head} ${dataset ? 'd' : ''}`;
    return this.cached(key, () => {
      const heads = scale === 'shared' ? D.range(this.H) : [head];
      let low = Infinity;
      let high = -Infinity;
      heads.forEach((h) => {
        const map = this.map(quantity, h, scale, dataset);
        if (!map) return;
        for (let l = 0; l < this.L; l += 1) {
          if (!this.seen(h, l)) continue;
          for (let i = l * this.F; i < (l + 1) * this.F; i += 1) {
            if (map[i] < low) low = map[i];
            if (map[i] > high) high = map[i];
          }
        }
      });
      return low <= high ? [low, high] : [0, 0];
    });
  };

  Model.prototype.cached = function (key, compute) {
    if (!this.cache.has(key)) this.cache.set(key, compute());
    return this.cache.get(key);
  };

  Model.prototype.hasDataset = function () {
    return Boolean(this.raw.dataset);
  };

  /** Asks for the exact array behind a quantity; resolves to true when something new arrived. */
  Model.prototype.need = function (quantity, head, dataset) {
    const name = quantity === 'values' ? (dataset ? 'dataset_values' : 'values') : basis(this, quantity, dataset);
    return this.needArray(name, PER_HEAD.includes(name) ? head : null);
  };

  Model.prototype.needArray = function (name, head) {
    const array = this.arrays[name];
    if (!array || !this.loader) return Promise.resolve(false);
    if (head === null ? array.exact : this.exactHeads[name].has(head)) return Promise.resolve(false);
    const key = `${name} ${head}`;
    if (this.pending.has(key)) return this.pending.get(key);
    const job = this.loader(this.source, name, head)
      .then((spec) => {
        const part = D.decode(spec);
        if (!part.data) return false;
        if (head === null) {
          this.arrays[name] = part;
        } else {
          const size = this.L * this.F;
          if (!array.data) array.data = new Float32Array(this.H * size).fill(NaN);
          array.data.set(part.data, head * size);
          this.exactHeads[name].add(head);
        }
        this.cache.clear();
        return true;
      })
      .catch(() => false)
      .then((changed) => {
        if (!changed) this.pending.delete(key); // may be asked again
        return changed;
      });
    this.pending.set(key, job);
    return job;
  };

  /** Everything known of one cell for one head. */
  Model.prototype.cell = function (head, layer, feature, scale) {
    const at = layer * this.F + feature;
    const pick = (map) => (map ? map[at] : null);
    const values = this.array('values');
    return {
      seen: this.seen(head, layer),
      value: values ? values[at] : null,
      gate: pick(this.map('gate', head, scale)),
      density_attention: pick(this.map('density_attention', head, scale)),
      importance: pick(this.map('importance', head, scale)),
      class_importance: pick(this.map('class_importance', head, scale)),
      exact: {
        value: Boolean(this.arrays.values && this.arrays.values.exact),
        gate: this.isExact('gate', head),
        density_attention: this.isExact('density_attention', head),
        importance: this.isExact('importance', head),
        class_importance: this.isExact('class_importance', head),
      },
    };
  };

  // ---- statistics ---------------------------------------------------------------------------------

  D.range = function (n) {
    return Array.from({ length: n }, (_, i) => i);
  };

  /** Indices of the `count` largest entries (by size where `absolute`), largest first; NaN left out. */
  D.top = function (data, count, absolute) {
    const best = [];
    let least = -Infinity;
    for (let i = 0; i < data.length; i += 1) {
      const score = absolute ? Math.abs(data[i]) : data[i];
      if (Number.isNaN(score) || (best.length === count && score <= least)) continue;
      let place = best.length;
      while (place > 0 && best[place - 1][0] < score) place -= 1;
      best.splice(place, 0, [score, i]);
      if (best.length > count) best.pop();
      least = best[best.length - 1][0];
    }
    return best.map((entry) => entry[1]);
  };

  /** Pearson correlation of two maps over the layers both heads see; NaN when one is constant. */
  D.correlation = function (a, b, rows, columns) {
    let n = 0;
    let sa = 0;
    let sb = 0;
    rows.forEach((l) => {
      for (let i = l * columns; i < (l + 1) * columns; i += 1) {
        n += 1;
        sa += a[i];
        sb += b[i];
      }
    });
    const ma = sa / n;
    const mb = sb / n;
    let saa = 0;
    let sbb = 0;
    let sab = 0;
    rows.forEach((l) => {
      for (let i = l * columns; i < (l + 1) * columns; i += 1) {
        saa += (a[i] - ma) * (a[i] - ma);
        sbb += (b[i] - mb) * (b[i] - mb);
        sab += (a[i] - ma) * (b[i] - mb);
      }
    });
    return saa > 0 && sbb > 0 ? Math.max(-1, Math.min(1, sab / Math.sqrt(saa * sbb))) : NaN;
  };

  /** Entropy of a head's gate over the cells it sees, relative to an even gate: 0 to 1. */
  D.entropy = function (model, head) {
    const gate = model.map('gate', head, 'shared');
    if (!gate) return NaN;
    let total = 0;
    let weighted = 0;
    let cells = 0;
    for (let l = 0; l < model.L; l += 1) {
      if (!model.seen(head, l)) continue;
      cells += model.F;
      for (let i = l * model.F; i < (l + 1) * model.F; i += 1) {
        if (gate[i] > 0) {
          total += gate[i];
          weighted += gate[i] * Math.log(gate[i]);
        }
      }
    }
    if (!(total > 0)) return NaN;
    return cells > 1 ? Math.min(1, Math.max(0, (Math.log(total) - weighted / total) / Math.log(cells))) : 0;
  };

  /** Mean offset and variance of the one Gaussian that a product of K Gaussians amounts to. */
  D.effectiveGaussian = function (offsets, scales) {
    let precision = 0;
    let weighted = 0;
    offsets.forEach((offset, k) => {
      precision += 1 / (scales[k] * scales[k]);
      weighted += offset / (scales[k] * scales[k]);
    });
    return { mean: weighted / precision, variance: 1 / precision };
  };

  const ROOT_FLOOR = 1e-5; // under the root of the standard deviation (Algorithm 1)
  const VARIANCE_FLOOR = 1e-8; // added to the variance itself

  /**
   * A head's Gaussian at one feature, given the statistics of an input over the head's layers:
   * gate(x) = peak · exp(−(x − centre)² / (2 spread²)).
   * For a mixture, `values` [L·F] and `gate` [L·F] give what normalising over layers leaves as peak.
   */
  D.gaussian = function (model, head, feature, statistics, values, gate) {
    const offset = model.array('mean_offset');
    const spread = model.array('scaled_variance');
    if (!offset || !spread) return null;
    if (model.raw.gate_kind !== 'mixture') {
      const at = head * model.F + feature;
      return {
        centre: statistics.mean + offset[at],
        spread: Math.sqrt(spread[at] * (statistics.variance + ROOT_FLOOR)),
        peak: 1,
      };
    }
    const k = model.arrays.mean_offset.shape[1];
    const one = D.effectiveGaussian(
      Array.from(offset.subarray(head * k, (head + 1) * k)),
      Array.from(spread.subarray(head * k, (head + 1) * k)),
    );
    const centre = statistics.mean + one.mean;
    // Mixture gates standardise by the unbiased variance (Algorithm 2).
    const n = model.layersOf(head);
    const unbiased = (statistics.variance - VARIANCE_FLOOR) * (n / (n - 1)) + VARIANCE_FLOOR;
    const width = Math.sqrt(one.variance * unbiased);
    let best = -1;
    for (let l = 0; gate && l < model.L; l += 1) {
      const at = l * model.F + feature;
      if (model.seen(head, l) && (best < 0 || gate[at] > gate[best])) best = at;
    }
    const z = best < 0 ? 0 : (values[best] - centre) / width;
    return { centre: centre, spread: width, peak: best < 0 ? 1 : gate[best] * Math.exp((z * z) / 2) };
  };

  /** Mean and variance of values [L·F] at one feature over the layers a head sees. */
  D.layerStatistics = function (model, head, feature, values) {
    const seen = [];
    for (let l = 0; l < model.L; l += 1) if (model.seen(head, l)) seen.push(values[l * model.F + feature]);
    const mean = seen.reduce((sum, v) => sum + v, 0) / seen.length;
    const squares = seen.reduce((sum, v) => sum + (v - mean) * (v - mean), 0);
    return { mean: mean, variance: squares / seen.length + VARIANCE_FLOOR };
  };

  // ---- state --------------------------------------------------------------------------------------

  const CHOICES = {
    quantity: ['importance', 'density_attention', 'gate', 'class_importance'],
    scale: ['shared', 'per_head'],
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
    const shape = payload && payload.a ? payload.a.shape : null;
    const index = (value, size) => Number.isInteger(value) && value >= 0 && (!shape || value < size);
    const heads = shape ? shape[0] : Infinity;
    Object.keys(CHOICES).forEach((key) => {
      if (CHOICES[key].includes(wanted[key])) found[key] = wanted[key];
    });
    if (found.source && found.source !== 'a' && payload && !payload.b) delete found.source;
    if (found.source === 'difference' && payload && !D.comparable(payload)) delete found.source;
    if (D.sections.includes(wanted.tab)) found.tab = wanted.tab;
    if (index(wanted.head, heads)) found.head = wanted.head;
    if (wanted.tokenHead === -1 || index(wanted.tokenHead, heads)) found.tokenHead = wanted.tokenHead;
    if (typeof wanted.opacity === 'number' && wanted.opacity >= 0 && wanted.opacity <= 1) found.opacity = wanted.opacity;
    if (Number.isInteger(wanted.top) && wanted.top >= 1 && wanted.top <= 100) found.top = wanted.top;
    ['heads', 'pair'].forEach((key) => {
      if (wanted[key] === null) found[key] = null;
      if (!Array.isArray(wanted[key])) return;
      const list = wanted[key].filter((h, i) => index(h, heads) && (key === 'pair' || wanted[key].indexOf(h) === i));
      if (key === 'heads' ? list.length >= 1 : list.length === 2) found[key] = list.slice(0, key === 'heads' ? 8 : 2);
    });
    if (wanted.cell === null) found.cell = null;
    if (wanted.cell && index(wanted.cell.layer, shape && shape[1]) && index(wanted.cell.feature, shape && shape[2])) {
      found.cell = { layer: wanted.cell.layer, feature: wanted.cell.feature };
    }
    if (wanted.zoom === null) found.zoom = null;
    const z = wanted.zoom;
    if (z && [z.x0, z.x1, z.y0, z.y1].every(Number.isFinite) && z.x0 >= 0 && z.y0 >= 0 && z.x1 > z.x0 && z.y1 > z.y0) {
      if (!shape || (z.x1 <= shape[2] && z.y1 <= shape[1])) found.zoom = { x0: z.x0, x1: z.x1, y0: z.y0, y1: z.y1 };
    }
    return found;
  };

  /** Whether the two explanations of a payload have maps of the same shape. */
  D.comparable = function (payload) {
    return Boolean(payload && payload.b && payload.a.shape.every((size, i) => size === payload.b.shape[i]));
  };

  const SHORT = {
    tab: 't', quantity: 'q', scale: 's', colours: 'c', palette: 'p', binning: 'b', source: 'x', head: 'h', heads: 'hs',
    order: 'o', pair: 'pr', cell: 'cell', zoom: 'z', tokenHead: 'th', tokenMode: 'tm', opacity: 'op',
    layerChart: 'lc', top: 'n',
  };

  /** Query string of what differs from the defaults, such as `q=gate&cell=3.17`. */
  D.stateToQuery = function (state) {
    const query = new URLSearchParams();
    Object.keys(SHORT).forEach((key) => {
      const value = state[key];
      if (value === undefined || value === null || JSON.stringify(value) === JSON.stringify(D.defaults[key])) return;
      let text = String(value);
      if (Array.isArray(value)) text = value.join('.');
      else if (key === 'cell') text = `${value.layer}.${value.feature}`;
      else if (key === 'zoom') text = [value.x0, value.x1, value.y0, value.y1].map((v) => Number(v.toFixed(2))).join('_');
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
      else if (key === 'zoom') state.zoom = { x0: numbers[0], x1: numbers[1], y0: numbers[2], y1: numbers[3] };
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
    this.listeners = new Set();
    this.hoverListeners = new Set();
  }

  D.Store = Store;

  Store.prototype.setPayload = function (payload) {
    const given = typeof payload === 'string' ? JSON.parse(payload) : payload;
    if (given && given.version !== 1) throw new Error(`DaamView reads payloads of version 1, got ${given.version}.`);
    this.payload = given && given.a ? given : null;
    const model = (raw, source) => (raw ? new D.Model(raw, source, this.loader) : null);
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
    const valid = D.validState(wanted, this.payload);
    const changed = new Set();
    Object.keys(valid).forEach((key) => {
      if (JSON.stringify(valid[key]) !== JSON.stringify(this.state[key])) changed.add(key);
    });
    if (!changed.size) return;
    this.state = Object.assign({}, this.state, valid);
    this.notify(changed);
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

  Store.prototype.label = function (source) {
    const labels = (this.payload && this.payload.labels) || {};
    return source === 'difference' ? `${this.label('b')} − ${this.label('a')}` : labels[source] || source.toUpperCase();
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

  /** Heads by their share of the density attention, largest first. */
  D.byContribution = function (model) {
    return D.range(model.H).sort((a, b) => D.share(model, b) - D.share(model, a) || a - b);
  };

  D.sections = ['summary', 'heatmap', 'heads', 'cell', 'parameters', 'layers', 'input', 'dataset', 'compare'];
}(window.DaamView = window.DaamView || {}));
