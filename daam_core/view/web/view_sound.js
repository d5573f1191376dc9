/* DaamView: importance over the seconds of a sound. */
(function (D) {
  'use strict';

  const { h } = D;
  const { attribution, logits, spanOf, tokenTable } = D.tokens;

  const SHORTEST = 0.5; // seconds that zooming in goes down to

  function once(compute) {
    let found = null;
    return () => (found = found || compute());
  }

  /** The mel spectrogram on a canvas of one pixel per frame and band, dark where it is loud. */
  function drawnMel({ bands, frames, data }) {
    const raw = D.bytes(data);
    const table = D.palette('grey');
    const canvas = h('canvas', { width: frames, height: bands });
    const pen = canvas.getContext('2d');
    const picture = pen.createImageData(frames, bands);
    for (let b = 0; b < bands; b += 1) {
      for (let f = 0; f < frames; f += 1) {
        const colour = table[255 - raw[b * frames + f]];
        picture.data.set([colour[0], colour[1], colour[2], 255], 4 * ((bands - 1 - b) * frames + f));
      }
    }
    pen.putImageData(picture, 0, 0);
    return canvas;
  }

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
        'aria-label': `${label}: position in the sound. Plus and minus zoom, 0 shows everything, the space bar plays.`,
        'aria-keyshortcuts': 'ArrowLeft ArrowRight Home End PageUp PageDown + - 0 Space',
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
    const scroll = h('input', {
      class: 'dv-scroll',
      type: 'range',
      min: 0,
      max: 1,
      step: 'any',
      hidden: true,
      'aria-label': `${label}: part of the sound that is shown`,
      oninput: () => show(to - from, Number(scroll.value) * (duration - (to - from)) + (to - from) / 2),
    });
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
    let frame = 0;
    // Where one is in the sound outlasts this panel, which other colours or heads build anew.
    const kept = model.soundPlace || { now: 0, from: 0, to: duration };
    let { now, from, to } = kept; // now: the cursor; from, to: what is shown; all in seconds
    const share = (seconds) => (seconds - from) / (to - from);
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
        const [start, end] = spanOf(model, t);
        if (end <= from || start >= to) return;
        const first = Math.max(0, Math.floor(share(start) * columns));
        const last = Math.min(columns, Math.max(first + 1, Math.floor(share(end) * columns)));
        for (let i = first; i < last; i += 1)
          if (!(Math.abs(out[i]) >= Math.abs(values[t]))) out[i] = values[t];
      });
      return out;
    };
    const envelope = once(() => new Int8Array(D.bytes(media.envelope.data).buffer));
    const melPicture = once(() => drawnMel(media.mel));
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
      const raw = envelope();
      const middle = wave.height / 2;
      const gain = peak > 0 ? (middle * 0.92) / 127 : 0;
      pen.fillStyle = 'rgba(20, 20, 24, 0.72)';
      const perSecond = count / media.duration;
      const begin = from * perSecond;
      const factor = ((to - from) * perSecond) / wave.width;
      for (let i = 0; i < wave.width; i += 1) {
        const first = Math.floor(begin + i * factor);
        const last = Math.max(first + 1, Math.floor(begin + (i + 1) * factor));
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
      const pen = size(mel, 112);
      pen.imageSmoothingEnabled = true;
      const left = share(0) * mel.width;
      pen.drawImage(melPicture(), left, 0, share(media.duration) * mel.width - left, mel.height);
    };
    const drawCurve = () => {
      const pen = size(curve, 96);
      const style = getComputedStyle(stage);
      const [low, high] = curveRange;
      const y = (v) => curve.height - 2 - ((v - low) / (high - low || 1)) * (curve.height - 4);
      const x = (s) => share(s) * curve.width;
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
        const [start, end] = spanOf(model, t);
        if (i) pen.lineTo(x(start), y(shownValue(t)));
        else pen.moveTo(x(start), y(shownValue(t)));
        pen.lineTo(x(end), y(shownValue(t)));
      });
      pen.stroke();
    };
    const draw = () => {
      drawWave();
      drawMel();
      drawCurve();
      const marks = D.ticks(from, to, Math.max(2, width / 80));
      const step = marks.length > 1 ? marks[1] - marks[0] : 1;
      const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
      ticks.replaceChildren(
        ...marks.map((v) => {
          const left = Math.max(12, Math.min(width - 16, share(v) * width)); // numbers stay inside
          return h('span', { style: { left: `${left.toFixed(1)}px` } }, `${v.toFixed(decimals)} s`);
        }),
      );
      place();
    };
    const place = () => {
      model.soundPlace = { now: now, from: from, to: to };
      scroll.hidden = to - from >= duration;
      scroll.value = String(scroll.hidden ? 0 : from / (duration - (to - from)));
      const at = share(now);
      head.style.left = `${100 * at}%`;
      head.hidden = at < 0 || at > 1;
    };
    /** Shows `seconds` of the sound around the moment `middle`. */
    const show = (seconds, middle) => {
      const length = Math.min(duration, Math.max(Math.min(duration, SHORTEST), seconds));
      from = Math.max(0, Math.min(duration - length, middle - length / 2));
      to = from + length;
      all.disabled = length >= duration;
      redraw.ask();
    };
    const zoom = (factor) => {
      const inside = now >= from && now <= to;
      show((to - from) * factor, inside ? now : (from + to) / 2);
    };
    const move = (seconds) => {
      now = Math.max(0, Math.min(duration, seconds));
      if (now < from || now > to) show(to - from, now + 0.4 * (to - from)); // turn the page
      place();
      tell();
    };
    const tell = () => {
      const t = tokenAt(now);
      const text =
        t < 0 ? `${now.toFixed(2)} s: no token here` : `${model.raw.token_labels[t]}: ${logits(values[t])}`;
      readout.textContent = text;
      stage.setAttribute('aria-valuenow', now.toFixed(2));
      stage.setAttribute('aria-valuetext', text);
    };
    const follow = () => {
      move(audio.currentTime);
      frame = audio.paused ? 0 : requestAnimationFrame(follow);
    };
    if (audio) {
      audio.addEventListener('play', () => {
        if (!frame) frame = requestAnimationFrame(follow);
      });
      audio.addEventListener('seeked', () => move(audio.currentTime));
    }
    const seek = (seconds) => {
      move(seconds);
      if (audio) audio.currentTime = now;
    };
    const seconds = (event) => {
      const box = stage.getBoundingClientRect();
      return from + ((event.clientX - box.left) / box.width) * (to - from);
    };
    stage.addEventListener('pointermove', (e) => {
      const t = tokenAt(seconds(e));
      if (t >= 0) readout.textContent = `${model.raw.token_labels[t]}: ${logits(values[t])}`;
      if (e.buttons & 1) seek(seconds(e));
    });
    stage.addEventListener('pointerleave', tell);
    stage.addEventListener('pointerdown', (e) => {
      stage.setPointerCapture(e.pointerId);
      seek(seconds(e));
    });
    stage.addEventListener('keydown', (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey) return; // the browser's own zoom and history
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
      else if (e.key === '+' || e.key === '=') zoom(0.5);
      else if (e.key === '-') zoom(2);
      else if (e.key === '0') show(duration, 0);
      else if (e.key === ' ' && audio) {
        if (audio.paused) audio.play().catch(() => {});
        else audio.pause();
      } else return;
      e.preventDefault();
    });
    stage.addEventListener(
      'wheel',
      (e) => {
        const factor = Math.exp(Math.max(-1, Math.min(1, (e.deltaY * (e.deltaMode === 1 ? 16 : 1)) / 300)));
        const sideways = Math.abs(e.deltaX) > Math.abs(e.deltaY);
        // Nothing left to zoom out of or to move, or nobody has turned to it: the page scrolls.
        if (to - from >= duration && (sideways || factor > 1)) return;
        if (!sideways && !D.wheelZooms(e, stage)) return;
        e.preventDefault();
        const length = to - from;
        const middle = (from + to) / 2;
        if (sideways) show(length, middle + (e.deltaX / width) * length);
        else {
          const at = seconds(e); // stays under the pointer
          show(length * factor, at + (middle - at) * factor);
        }
      },
      { passive: false },
    );
    const all = D.button('All', () => show(duration, 0), { 'aria-label': 'Show the whole sound' });
    all.disabled = to - from >= duration;
    const zooming = D.zoomGroup(
      () => zoom(2),
      () => zoom(0.5),
      all,
    );
    const player = h('div', { class: 'dv-row dv-player' }, audio, duration > SHORTEST ? zooming : null);
    const frameBox = h('div', { class: 'dv-sound' }, stage, ticks, scroll);
    const redraw = D.nextFrame(() => width && draw());
    const stop = D.onWidth(stage, (w) => {
      width = w;
      draw();
    });
    if (now > 0) tell();
    if (audio && now > 0) audio.currentTime = now;
    const reach = `the curve, from ${D.short(curveRange[0], 3)} to ${D.short(curveRange[1], 3)} logits.`;
    const facts =
      media && media.mel
        ? `Top: waveform on the colour of each moment. Middle: mel spectrogram, 0 to ${D.count(media.mel.top_hz)} Hz, dark is loud. ` +
          `Bottom: ${reach}`
        : `Top: the colour of each moment. Bottom: ${reach}`;
    return {
      element: h(
        'div',
        { class: 'dv-stack' },
        player,
        frameBox,
        readout,
        h('p', { class: 'dv-note' }, facts),
      ),
      redraw: () => width && draw(),
      destroy: () => {
        stop();
        redraw.cancel();
        cancelAnimationFrame(frame);
        if (audio) audio.pause();
      },
    };
  }

  D.tokenKinds.audio = {
    title: 'Back to the sound',
    help:
      'Share of each moment in the explained class’s logit, with the gate held fixed: orange speaks for the class, blue ' +
      'against it. A moment’s features know its surroundings, so borders are not sharp.',
    panel: soundPanel,
    grouped: (model, values) => values,
    table: (model, state, label) => tokenTable(model, state, 'Moment', label),
  };
})((window.DaamView = window.DaamView || {}));
