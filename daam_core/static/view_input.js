/* DaamView: importance back on the input: seconds of a sound, words of a text, regions of a picture. */
(function (D) {
  'use strict';

  const { h } = D;
  const MOST_WORDS = 4000; // drawn at first; a button shows the rest

  /** Attribution of every token [T]: of one head, or of all (head −1). */
  function attribution(model, head) {
    const tokens = model.raw.token_labels.length;
    if (head < 0) return model.array('token_attribution');
    return model.array('head_token_attribution').subarray(head * tokens, (head + 1) * tokens);
  }

  /** Largest size among groups of tokens, so that heads share a scale where that is asked for. */
  function largest(models, state, grouped) {
    const heads =
      state.tokenHead < 0 ? [-1] : state.scale === 'shared' ? D.range(models[0].H) : [state.tokenHead];
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

  // ---- words --------------------------------------------------------------------------------------

  function wordValues(model, values) {
    return model.raw.words.list.map((word) => word.tokens.reduce((sum, t) => sum + values[t], 0));
  }

  function wordsPanel(model, state, scale, label) {
    const { words } = model.raw;
    const values = wordValues(model, attribution(model, state.tokenHead));
    const tip = h('div', { class: 'dv-tip', hidden: true, 'aria-hidden': 'true' });
    const live = h('div', { class: 'dv-hidden', 'aria-live': 'polite' });
    const readout = h(
      'p',
      { class: 'dv-note dv-number' },
      'Point at a word, or move with the arrow keys, to read its number.',
    );
    const spans = [];
    const body = h('div', {
      class: 'dv-words',
      tabindex: '0',
      role: 'group',
      dir: 'auto',
      lang: '',
      'aria-label': `${label}: words coloured by their share in the explained class's logit. Left and right arrow keys go from word to word.`,
    });
    const text = (index) => {
      const word = words.list[index];
      const pieces =
        word.tokens.length > 1
          ? `, pieces: ${word.tokens.map((t) => model.raw.token_labels[t]).join(' ')}`
          : '';
      return `“${word.text}” ${logits(values[index])}${pieces}`;
    };
    let current = -1;
    const show = (index, speak) => {
      if (current >= 0 && spans[current]) spans[current].classList.remove('dv-current');
      current = index;
      tip.hidden = index < 0;
      if (index < 0) return;
      const span = spans[index];
      span.classList.add('dv-current');
      tip.textContent = text(index);
      readout.textContent = text(index);
      if (speak) live.textContent = text(index);
      const place = span.getBoundingClientRect();
      const frame = box.getBoundingClientRect();
      tip.style.left = `${Math.max(0, Math.min(place.left - frame.left, frame.width - tip.offsetWidth))}px`;
      tip.style.top = `${place.bottom - frame.top + 4}px`;
    };
    const makeWord = (index, written) => {
      const colour = scale.colour(values[index]);
      const span = h(
        'span',
        { class: 'dv-word', style: { background: D.css(colour), color: D.ink(colour) } },
        written,
      );
      span.dataset.word = String(index);
      spans[index] = span;
      return span;
    };
    const fill = (limit) => {
      let shown = 0;
      const nodes = [];
      for (const [written, index] of words.pieces) {
        if (shown >= limit) break;
        if (index < 0) nodes.push(written);
        else {
          nodes.push(makeWord(index, written));
          shown += 1;
        }
      }
      body.replaceChildren(...nodes);
      return shown;
    };
    const total = words.pieces.filter(([, index]) => index >= 0).length;
    const shown = fill(MOST_WORDS);
    const more =
      shown < total
        ? D.button(`Show all ${D.count(total)} words`, () => {
            fill(Infinity);
            more.remove();
          })
        : null;
    const specials = words.list.map((word, index) => index).filter((index) => words.list[index].special);
    const extra = specials.length
      ? h(
          'p',
          { class: 'dv-note' },
          'Not part of the text: ',
          specials.map((index) => [makeWord(index, words.list[index].text), ` ${logits(values[index])}  `]),
        )
      : null;
    const box = h('div', { class: 'dv-words-box' }, body, tip, live);
    body.addEventListener(
      'pointerover',
      (e) => e.target.dataset && e.target.dataset.word && show(Number(e.target.dataset.word), false),
    );
    body.addEventListener('pointerleave', () => show(-1));
    body.addEventListener('blur', () => show(-1));
    const order = () => words.pieces.map(([, index]) => index).filter((index) => index >= 0 && spans[index]);
    body.addEventListener('keydown', (e) => {
      const list = order();
      const at = list.indexOf(current);
      const next = {
        ArrowRight: Math.min(list.length - 1, at + 1),
        ArrowLeft: Math.max(0, at - 1),
        Home: 0,
        End: list.length - 1,
      }[e.key];
      if (next === undefined || !list.length) return;
      e.preventDefault();
      show(list[next], true);
    });
    return { element: h('div', { class: 'dv-stack' }, box, more, extra, readout), destroy: () => {} };
  }

  function wordsTable(model, state) {
    const values = wordValues(model, attribution(model, state.tokenHead));
    const list = model.raw.words.list
      .map((word, i) => i)
      .filter((i) => model.raw.words.list[i].tokens.length);
    const row = (i) => [
      model.raw.words.list[i].text,
      D.exact(values[i]),
      model.raw.words.list[i].tokens.map((t) => model.raw.token_labels[t]).join(' '),
    ];
    const columns = ['Word', { title: 'Logits', number: true }, 'Pieces'];
    const top = list
      .slice()
      .sort((i, j) => Math.abs(values[j]) - Math.abs(values[i]))
      .slice(0, state.top);
    return h(
      'div',
      { class: 'dv-stack' },
      D.table(`The ${top.length} words of largest size`, columns, top.map(row)),
      D.table(
        `First ${Math.min(50, list.length)} of ${list.length} words`,
        columns,
        list.slice(0, 50).map(row),
      ),
    );
  }

  // ---- tokens with a place ------------------------------------------------------------------------

  function spanOf(model, token) {
    const width = model.arrays.token_spans.shape[1];
    return model.array('token_spans').subarray(token * width, (token + 1) * width);
  }

  function tokenTable(model, state, place) {
    const values = attribution(model, state.tokenHead);
    const columns = [place, { title: 'Logits', number: true }];
    const row = (t) => [model.raw.token_labels[t], D.exact(values[t])];
    const count = values.length;
    return h(
      'div',
      { class: 'dv-stack' },
      D.table(
        `The ${Math.min(state.top, count)} of largest size`,
        columns,
        D.top(values, state.top, true).map(row),
      ),
      D.table(
        `First ${Math.min(25, count)} of ${D.count(count)}`,
        columns,
        D.range(Math.min(25, count)).map(row),
      ),
    );
  }

  // ---- sound --------------------------------------------------------------------------------------

  function soundPanel(model, state, scale, label) {
    const media = (model.raw.media && model.raw.media.audio) || null;
    const values = attribution(model, state.tokenHead);
    const tokens = D.range(values.length).filter((t) => !Number.isNaN(spanOf(model, t)[0]));
    const end = tokens.reduce((most, t) => Math.max(most, spanOf(model, t)[1]), 0);
    const duration = Math.max(media ? media.duration : 0, end) || 1;
    const absolute = state.tokenMode === 'absolute';
    const shownValue = (t) => (absolute ? Math.abs(values[t]) : values[t]);
    const curveRange = tokens.reduce(
      ([low, high], t) => [Math.min(low, shownValue(t)), Math.max(high, shownValue(t))],
      [0, 0],
    );
    const wave = h('canvas', { class: 'dv-sound-canvas', 'aria-hidden': 'true' });
    const mel = media && media.mel ? h('canvas', { class: 'dv-sound-canvas', 'aria-hidden': 'true' }) : null;
    const curve = h('canvas', { class: 'dv-sound-canvas', 'aria-hidden': 'true' });
    const head = h('div', { class: 'dv-playhead', 'aria-hidden': 'true' });
    const stage = h(
      'div',
      {
        class: 'dv-sound-stage',
        tabindex: '0',
        role: 'slider',
        'aria-label': `${label}: position in the sound`,
        'aria-valuemin': '0',
        'aria-valuemax': duration.toFixed(2),
        'aria-valuenow': '0',
        'aria-valuetext': 'start',
      },
      wave,
      mel,
      curve,
      head,
    );
    const ticks = h('div', { class: 'dv-ticks dv-column-ticks', 'aria-hidden': 'true' });
    const readout = h(
      'p',
      { class: 'dv-note dv-number' },
      'Point at a moment, or move with the arrow keys, to read its number.',
    );
    const audio =
      media && media.url
        ? h('audio', {
            controls: true,
            preload: 'metadata',
            src: media.url,
            class: 'dv-audio',
            'aria-label': `${label}: sound`,
          })
        : null;
    const starts = tokens.map((t) => spanOf(model, t)[0]);
    const tokenAt = (seconds) => {
      let left = 0;
      let right = starts.length;
      while (left < right) {
        const middle = (left + right) >> 1;
        if (starts[middle] <= seconds) left = middle + 1;
        else right = middle;
      }
      const t = tokens[left - 1];
      return t !== undefined && seconds < spanOf(model, t)[1] ? t : -1;
    };
    let width = 0;
    let now = 0;
    let frame = 0;
    const size = (canvas, height) => {
      const ratio = window.devicePixelRatio || 1;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.height = `${height}px`;
      return canvas.getContext('2d');
    };
    /** Value of largest size among the tokens under a column of pixels, NaN where there is none. */
    const columnValues = (columns) => {
      const out = new Float32Array(columns).fill(NaN);
      tokens.forEach((t) => {
        const [from, to] = spanOf(model, t);
        const first = Math.max(0, Math.floor((from / duration) * columns));
        const last = Math.min(columns, Math.max(first + 1, Math.floor((to / duration) * columns)));
        for (let i = first; i < last; i += 1)
          if (!(Math.abs(out[i]) >= Math.abs(values[t]))) out[i] = values[t];
      });
      return out;
    };
    const drawWave = () => {
      const pen = size(wave, media ? 88 : 40);
      const columns = columnValues(wave.width);
      for (let i = 0; i < wave.width; i += 1) {
        if (Number.isNaN(columns[i])) continue;
        pen.fillStyle = D.css(scale.colour(columns[i]));
        pen.fillRect(i, 0, 1, wave.height);
      }
      if (!media || !media.envelope) return;
      const { count, peak } = media.envelope;
      const raw = new Int8Array(D.bytes(media.envelope.data).buffer);
      const middle = wave.height / 2;
      const gain = peak > 0 ? (middle * 0.92) / 127 : 0;
      pen.fillStyle = 'rgba(20, 20, 24, 0.72)';
      const factor = (count * duration) / media.duration / wave.width;
      for (let i = 0; i < wave.width; i += 1) {
        const first = Math.floor(i * factor);
        const last = Math.max(first + 1, Math.floor((i + 1) * factor));
        let low = 127;
        let high = -127;
        for (let n = first; n < last && n < count; n += 1) {
          low = Math.min(low, raw[2 * n]);
          high = Math.max(high, raw[2 * n + 1]);
        }
        if (low <= high) pen.fillRect(i, middle - high * gain, 1, Math.max(1, (high - low) * gain));
      }
    };
    const drawMel = () => {
      if (!mel) return;
      const { bands, frames } = media.mel;
      const raw = D.bytes(media.mel.data);
      const table = D.palette('grey');
      const small = document.createElement('canvas');
      small.width = frames;
      small.height = bands;
      const smallPen = small.getContext('2d');
      const picture = smallPen.createImageData(frames, bands);
      for (let b = 0; b < bands; b += 1) {
        for (let f = 0; f < frames; f += 1) {
          const colour = table[255 - raw[b * frames + f]];
          picture.data.set([colour[0], colour[1], colour[2], 255], 4 * ((bands - 1 - b) * frames + f));
        }
      }
      smallPen.putImageData(picture, 0, 0);
      const pen = size(mel, 112);
      pen.imageSmoothingEnabled = true;
      pen.drawImage(small, 0, 0, (mel.width * media.duration) / duration, mel.height);
    };
    const drawCurve = () => {
      const pen = size(curve, 96);
      const style = getComputedStyle(stage);
      const [low, high] = curveRange;
      const y = (v) => curve.height - 2 - ((v - low) / (high - low || 1)) * (curve.height - 4);
      const x = (s) => (s / duration) * curve.width;
      pen.strokeStyle = style.getPropertyValue('--dv-line');
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(0, y(0));
      pen.lineTo(curve.width, y(0));
      pen.stroke();
      pen.strokeStyle = style.getPropertyValue('--dv-text');
      pen.lineWidth = 1.25 * (window.devicePixelRatio || 1);
      pen.beginPath();
      tokens.forEach((t, i) => {
        const [from, to] = spanOf(model, t);
        if (i) pen.lineTo(x(from), y(shownValue(t)));
        else pen.moveTo(x(from), y(shownValue(t)));
        pen.lineTo(x(to), y(shownValue(t)));
      });
      pen.stroke();
    };
    const draw = (w) => {
      width = w;
      drawWave();
      drawMel();
      drawCurve();
      const marks = D.ticks(0, duration, Math.max(2, width / 80));
      ticks.replaceChildren(
        ...marks.map((v) => {
          const left = Math.max(12, Math.min(width - 16, (v / duration) * width)); // numbers stay inside
          return h('span', { style: { left: `${left.toFixed(1)}px` } }, `${D.short(v, 3)} s`);
        }),
      );
      move(now, false);
    };
    const move = (seconds, speak) => {
      now = Math.max(0, Math.min(duration, seconds));
      head.style.left = `${(100 * now) / duration}%`;
      const t = tokenAt(now);
      const text =
        t < 0 ? `${now.toFixed(2)} s: no token here` : `${model.raw.token_labels[t]}: ${logits(values[t])}`;
      if (speak !== null) readout.textContent = text;
      stage.setAttribute('aria-valuenow', now.toFixed(2));
      stage.setAttribute('aria-valuetext', text);
    };
    const follow = () => {
      move(audio.currentTime, true);
      frame = audio.paused ? 0 : requestAnimationFrame(follow);
    };
    if (audio) {
      audio.addEventListener('play', () => {
        if (!frame) frame = requestAnimationFrame(follow);
      });
      audio.addEventListener('seeked', () => move(audio.currentTime, true));
    }
    const seek = (seconds) => {
      move(seconds, true);
      if (audio) audio.currentTime = now;
    };
    const seconds = (event) => {
      const box = stage.getBoundingClientRect();
      return ((event.clientX - box.left) / box.width) * duration;
    };
    stage.addEventListener('pointermove', (e) => {
      const t = tokenAt(seconds(e));
      if (t >= 0) readout.textContent = `${model.raw.token_labels[t]}: ${logits(values[t])}`;
      if (e.buttons & 1) seek(seconds(e));
    });
    stage.addEventListener('pointerleave', () => move(now, true));
    stage.addEventListener('pointerdown', (e) => seek(seconds(e)));
    stage.addEventListener('keydown', (e) => {
      const step = tokens.length
        ? Math.max(0.02, spanOf(model, tokens[0])[1] - spanOf(model, tokens[0])[0])
        : 0.1;
      const next = {
        ArrowRight: now + step,
        ArrowUp: now + step,
        ArrowLeft: now - step,
        ArrowDown: now - step,
        PageUp: now + duration / 10,
        PageDown: now - duration / 10,
        Home: 0,
        End: duration,
      }[e.key];
      if (next !== undefined) seek(next);
      else if (e.key === ' ' && audio) {
        if (audio.paused) audio.play().catch(() => {});
        else audio.pause();
      } else return;
      e.preventDefault();
    });
    const frameBox = h('div', { class: 'dv-sound' }, stage, ticks);
    const stop = D.onWidth(stage, draw);
    const reach = `the curve, from ${D.short(curveRange[0], 3)} to ${D.short(curveRange[1], 3)} logits.`;
    const facts =
      media && media.mel
        ? `Top: waveform on the colour of each moment. Middle: mel spectrogram, 0 to ${D.count(media.mel.top_hz)} Hz, dark is loud. ` +
          `Bottom: ${reach}`
        : `Top: the colour of each moment. Bottom: ${reach}`;
    return {
      element: h('div', { class: 'dv-stack' }, audio, frameBox, readout, h('p', { class: 'dv-note' }, facts)),
      redraw: () => width && draw(width),
      destroy: () => {
        stop();
        cancelAnimationFrame(frame);
        if (audio) audio.pause();
      },
    };
  }

  // ---- picture ------------------------------------------------------------------------------------

  function picturePanel(model, state, scale, label) {
    const media = (model.raw.media && model.raw.media.image) || null;
    const values = attribution(model, state.tokenHead);
    const tokens = D.range(values.length).filter((t) => !Number.isNaN(spanOf(model, t)[0]));
    const picture = media
      ? h('img', { src: media.url, alt: `${label}: the explained picture`, class: 'dv-picture' })
      : h('div', { class: 'dv-picture dv-no-picture' });
    const ratio = media ? media.width / media.height : 1;
    const overlay = h('canvas', {
      class: 'dv-picture-overlay',
      tabindex: '0',
      role: 'application',
      'aria-roledescription': 'map over the picture',
      'aria-label': `${label}: regions coloured by their share in the explained class's logit. Arrow keys go from region to region.`,
    });
    const frame = h(
      'div',
      {
        class: 'dv-picture-frame',
        style: { aspectRatio: String(ratio), maxWidth: `${Math.round(Math.min(640, 480 * ratio))}px` },
      },
      picture,
      overlay,
    );
    const readout = h(
      'p',
      { class: 'dv-note dv-number' },
      'Point at a region, or move with the arrow keys, to read its number.',
    );
    const live = h('div', { class: 'dv-hidden', 'aria-live': 'polite' });
    let opacity = state.opacity;
    let current = -1;
    const draw = () => {
      const pixels = window.devicePixelRatio || 1;
      const width = Math.round(frame.clientWidth * pixels);
      const height = Math.round(frame.clientHeight * pixels);
      if (!width || !height) return;
      overlay.width = width;
      overlay.height = height;
      const pen = overlay.getContext('2d');
      const box = (t) => {
        const [left, top, right, bottom] = spanOf(model, t);
        const x = Math.round(left * width);
        const y = Math.round(top * height);
        return [x, y, Math.round(right * width) - x, Math.round(bottom * height) - y];
      };
      const most = scale.limits[1] || 1;
      tokens.forEach((t) => {
        // Signed colours fade towards zero, so that unimportant regions leave the picture as it is.
        pen.globalAlpha = opacity * (scale.signed ? Math.min(1, Math.abs(values[t]) / most) : 1);
        pen.fillStyle = D.css(scale.colour(values[t]));
        pen.fillRect(...box(t));
      });
      pen.globalAlpha = 1;
      if (current >= 0) {
        const [x, y, w, t] = box(current);
        pen.lineWidth = 4 * pixels;
        pen.strokeStyle = '#000';
        pen.strokeRect(x, y, w, t);
        pen.lineWidth = 2 * pixels;
        pen.strokeStyle = '#fff';
        pen.strokeRect(x, y, w, t);
      }
    };
    const show = (t, speak) => {
      if (t === current) return;
      current = t;
      if (t >= 0) {
        readout.textContent = `${model.raw.token_labels[t]}: ${logits(values[t])}`;
        if (speak) live.textContent = readout.textContent;
      }
      draw();
    };
    overlay.addEventListener('pointermove', (e) => {
      const box = overlay.getBoundingClientRect();
      const x = (e.clientX - box.left) / box.width;
      const y = (e.clientY - box.top) / box.height;
      const found = tokens.find((t) => {
        const [left, top, right, bottom] = spanOf(model, t);
        return x >= left && x < right && y >= top && y < bottom;
      });
      show(found === undefined ? -1 : found, false);
    });
    overlay.addEventListener('pointerleave', () => show(-1, false));
    overlay.addEventListener('blur', () => show(-1, false));
    overlay.addEventListener('keydown', (e) => {
      const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[e.key];
      if (!way || !tokens.length) return;
      e.preventDefault();
      if (current < 0) {
        show(tokens[0], true);
        return;
      }
      const middle = (t) => {
        const [left, top, right, bottom] = spanOf(model, t);
        return [(left + right) / 2, (top + bottom) / 2];
      };
      const [cx, cy] = middle(current);
      let best = current;
      let least = Infinity;
      tokens.forEach((t) => {
        const [x, y] = middle(t);
        const along = (x - cx) * way[0] + (y - cy) * way[1];
        const aside = Math.abs((x - cx) * way[1]) + Math.abs((y - cy) * way[0]);
        if (along > 1e-6 && along + 3 * aside < least) {
          least = along + 3 * aside;
          best = t;
        }
      });
      show(best, true);
    });
    const stop = D.onWidth(frame, draw);
    return {
      element: h('div', { class: 'dv-stack' }, frame, readout, live),
      redraw: draw,
      setOpacity: (v) => {
        opacity = v;
        draw();
      },
      destroy: stop,
    };
  }

  // ---- section ------------------------------------------------------------------------------------

  const KINDS = {
    text: {
      title: 'Back to the text',
      help:
        'Share of each word in the explained class’s logit, with the gate held fixed: orange speaks for the class, blue against ' +
        'it. It does not say what would happen if the word were left out; the encoder would read the rest differently.',
      panel: wordsPanel,
      grouped: wordValues,
      table: wordsTable,
    },
    audio: {
      title: 'Back to the sound',
      help:
        'Share of each moment in the explained class’s logit, with the gate held fixed: orange speaks for the class, blue ' +
        'against it. A moment’s features know its surroundings, so borders are not sharp.',
      panel: soundPanel,
      grouped: (model, values) => values,
      table: (model, state) => tokenTable(model, state, 'Moment'),
    },
    image: {
      title: 'Back to the picture',
      help:
        'Share of each region in the explained class’s logit, with the gate held fixed: orange speaks for the class, blue ' +
        'against it. A region’s features also see around it, so borders are coarse.',
      panel: picturePanel,
      grouped: (model, values) => values,
      table: (model, state) => tokenTable(model, state, 'Region'),
    },
  };

  D.parts.input = function (ctx) {
    const { store } = ctx;
    const kind = KINDS[store.a.raw.modality];
    if (!store.a.array('token_attribution'))
      return D.emptyPart(ctx, kind.title, 'These numbers are too large to be part of this page.');
    const controls = D.stateControls(store, ['source']);
    const headPick = D.select(
      'Heads',
      [[-1, 'All heads together']].concat(D.range(store.a.H).map((head) => [head, `Head ${head}`])),
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
      store.a.raw.modality === 'image'
        ? D.slider('Overlay', store.state.opacity, [0, 1, 0.05], (v) => store.set({ opacity: v }))
        : null;
    const { raw } = store.a;
    const classes = ctx.options.onClass
      ? D.select(
          'Explained class',
          raw.class_names.map((name, i) => [i, name]),
          raw.explained,
          (v) => ctx.options.onClass(Number(v)),
        )
      : null;
    const place = h('div', { class: 'dv-stack' });
    const bar = h('div', {});
    let panels = [];
    const sources = () => (store.state.source === 'difference' ? ['a', 'b'] : [store.state.source]);
    const build = () => {
      panels.forEach((panel) => panel.destroy());
      const models = sources().map((source) => store[source]);
      const { state } = store;
      const scale = tokenScale(state, largest(models, state, kind.grouped));
      panels = [];
      const blocks = models.map((model, i) => {
        const source = sources()[i];
        const name = model.raw.class_names[model.raw.explained];
        const label = store.b ? `${store.label(source)}, ` : '';
        const panel = KINDS[model.raw.modality].panel(
          model,
          state,
          scale,
          store.b ? store.label(source) : 'Input',
        );
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
      const same = sources().length === 2 && sameTokens(models[0], models[1]);
      if (same) blocks.push(differenceBlock(models, state));
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
    /** B − A over tokens that stand in the same places. */
    const differenceBlock = (models, state) => {
      const change = D.minus(
        attribution(models[1], state.tokenHead),
        attribution(models[0], state.tokenHead),
      );
      const model = Object.create(models[1]);
      model.array = (name) => (name === 'token_attribution' ? change : models[1].array(name));
      const scale = tokenScale(
        state,
        kind.grouped(models[1], change).reduce((most, v) => Math.max(most, Math.abs(v)), 0),
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
        h('p', { class: 'dv-map-caption' }, h('strong', {}, store.label('difference'))),
        panel.element,
        D.colourBar(scale, 'Change of the share, in logits.'),
      );
    };
    const figure = D.figure({
      heading: ctx.heading,
      title: kind.title,
      help: kind.help,
      controls: controls.elements.concat([headPick, mode, opacity, classes].filter(Boolean)),
      body: h('div', { class: 'dv-stack' }, place, bar),
      table: () =>
        h(
          'div',
          { class: 'dv-stack' },
          sources().map((source) => KINDS[store[source].raw.modality].table(store[source], store.state)),
        ),
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
        if (D.changedAny(changed, ['source', 'tokenHead', 'tokenMode', 'scale', 'palette', 'top'])) {
          build();
          figure.refresh();
        }
        if (changed.has('theme')) panels.forEach((panel) => panel.redraw && panel.redraw());
      },
      destroy: () => panels.forEach((panel) => panel.destroy()),
    };
  };

  function sameTokens(one, other) {
    const a = one.array('token_spans');
    const b = other.array('token_spans');
    return (
      one.raw.modality === other.raw.modality &&
      one.raw.text === other.raw.text &&
      a.length === b.length &&
      a.every((v, i) => v === b[i] || (Number.isNaN(v) && Number.isNaN(b[i])))
    );
  }
})((window.DaamView = window.DaamView || {}));
