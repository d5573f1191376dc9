/*
 * DaamView: interactive view of an explanation. No framework, no other file, no network.
 *
 * The parts view_*.js are joined by daam_core.view.payload.view_script() in the order given
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
 * daam_core.view.payload.view_payload. Fields of an explanation have the names and shapes of
 * daam_core.result.Explanation. Letters: H heads, L layers, F features, T tokens, K Gaussians, C classes.
 * Large arrays are encoded: {shape, dtype: 'float32', data: base64, little-endian}, or
 * {shape, dtype: 'uint8', data, ranges: [[lowest, highest], ...] one pair per entry of the first axis},
 * or {shape, lazy: true}. Density attention is left out where it is amplitude * gate. Besides, small and exact:
 *   ranges      {gate, density_attention, class_importance}: [lowest, highest] of each head; dataset.ranges likewise
 *   similarity  [H][H] correlation of gates, null where there is none; entropy [H] of each head's gate
 *   checkpoint  hash of the trained head, so that two heads of one name are told apart
 *   words       {pieces: [[text, index of a word or -1], ...], list: [{text, tokens, special}]} of a text
 *   media       {audio: {url, duration, start, envelope, mel}} or {image: {url, width, height}}, see media.py
 *
 * Text in a payload is shown as text, never as markup.
 */
(function (D) {
  'use strict';

  D.defaults = Object.freeze({
    tab: 'heads', // section shown by a view with tabs
    quantity: 'importance', // importance | density_attention | gate | class_importance
    scale: 'all_heads', // all_heads | per_head
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

  /** A probability for reading, with two decimals at the ends, where they matter. */
  D.percent = function (share, decimals) {
    const value = 100 * share;
    if (value === 0 || value === 100) return `${value.toFixed(decimals || 1)} %`;
    if (value < 0.01) return '< 0.01 %';
    if (value > 99.99) return '> 99.99 %';
    return `${value.toFixed(value >= 0.1 && value <= 99.9 ? decimals || 1 : 2)} %`;
  };

  D.signed = function (value, digits) {
    return (value > 0 ? '+' : '') + D.short(value, digits);
  };

  /** With so many decimals; nothing is shown as −0. */
  D.fixed = function (value, decimals) {
    const text = value.toFixed(decimals);
    return minus(Number(text) === 0 ? text.replace('-', '') : text);
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

  D.range = function (n) {
    return Array.from({ length: n }, (_, i) => i);
  };

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
      return {
        shape: spec.shape,
        data: new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4),
        exact: true,
      };
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

  const PER_HEAD = [
    'gate',
    'density_attention',
    'class_importance',
    'dataset_gate',
    'dataset_density_attention',
  ];

  /** Decoded explanation with its maps, computed when asked for and kept. arrived() after each array that came. */
  function Model(raw, source, load, arrived) {
    this.raw = raw;
    this.source = source;
    this.loader = load;
    this.arrived = arrived;
    this.pending = new Map();
    this.exactHeads = {};
    [this.H, this.L, this.F] = raw.shape;
    this.arrays = {};
    this.cache = new Map();
    Object.keys(raw.arrays).forEach((name) => {
      const array = D.decode(raw.arrays[name]);
      array.lazy = Boolean(raw.arrays[name].lazy);
      this.arrays[name] = array;
      this.exactHeads[name] = new Set();
      if (array.exact) for (let h = 0; h < this.H; h += 1) this.exactHeads[name].add(h);
    });
  }

  D.Model = Model;

  Model.prototype.seen = function (head, layer) {
    return this.raw.head_layers[head][layer];
  };

  /** Whole array by name, or null when the payload leaves it out. */
  Model.prototype.array = function (name) {
    return this.arrays[name] ? this.arrays[name].data : null;
  };

  /** One head's part of an array, or null when it is not here (yet). */
  Model.prototype.headArray = function (name, head) {
    const data = this.array(name);
    if (data && this.arrays[name].lazy && !this.exactHeads[name].has(head)) return null;
    const size = this.L * this.F;
    return data ? data.subarray(head * size, (head + 1) * size) : null;
  };

  /** Array behind a quantity: the one whose presence and exactness decide. */
  function basis(model, quantity, dataset) {
    const prefix = dataset ? 'dataset_' : '';
    if (quantity === 'class_importance') return 'class_importance';
    if (quantity !== 'gate' && model.arrays[prefix + 'density_attention'])
      return prefix + 'density_attention';
    return prefix + 'gate';
  }

  Model.prototype.isExact = function (quantity, head, dataset) {
    const heads = this.exactHeads[basis(this, quantity, dataset)];
    return Boolean(heads && heads.has(head));
  };

  /** Density attention of one head [L·F] float32, or null. */
  Model.prototype.density = function (head, dataset) {
    const prefix = dataset ? 'dataset_' : '';
    if (this.arrays[prefix + 'density_attention']) return this.headArray(prefix + 'density_attention', head);
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

  /** One head's map [L·F] float32 of a quantity, or null when it is not in the payload. */
  Model.prototype.map = function (quantity, head, scale, dataset) {
    if (quantity === 'density_attention') return this.density(head, dataset);
    const prefix = dataset ? 'dataset_' : '';
    if (quantity !== 'importance') return this.headArray(prefix + quantity, head);
    return this.cached(`${prefix}if ${head} ${scale}`, () => {
      const density = this.density(head, dataset);
      if (!density) return null;
      const [low, high] = this.range('density_attention', scale, head, dataset);
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

  /** [lowest, highest] of gate, density attention or class importance: of one head or of all together. */
  Model.prototype.range = function (quantity, scale, head, dataset) {
    const ranges = (dataset ? this.raw.dataset : this.raw).ranges[quantity];
    const shown = scale === 'all_heads' ? ranges : [ranges[head]];
    return [Math.min(...shown.map(([low]) => low)), Math.max(...shown.map(([, high]) => high))];
  };

  Model.prototype.cached = function (key, compute) {
    if (!this.cache.has(key)) this.cache.set(key, compute());
    return this.cache.get(key);
  };

  Model.prototype.hasDataset = function () {
    return Boolean(this.raw.dataset);
  };

  /** Asks for the exact array behind a quantity; resolves to true when it came. */
  Model.prototype.need = function (quantity, head, dataset) {
    const name =
      quantity === 'values' ? (dataset ? 'dataset_values' : 'values') : basis(this, quantity, dataset);
    return this.needArray(name, PER_HEAD.includes(name) ? head : null);
  };

  Model.prototype.needArray = function (name, head) {
    const array = this.arrays[name];
    if (!array || !this.loader || head >= this.H) return Promise.resolve(false);
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
        this.arrived();
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
})((window.DaamView = window.DaamView || {}));
