/* DaamView: importance on the regions of a picture. */
(function (D) {
  'use strict';

  const { h } = D;
  const { attribution, logits, spanOf, tokenTable } = D.tokens;

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

  D.tokenKinds.image = {
    title: 'Back to the picture',
    help:
      'Share of each region in the explained class’s logit, with the gate held fixed: orange speaks for the class, blue ' +
      'against it. A region’s features also see around it, so borders are coarse.',
    panel: picturePanel,
    grouped: (model, values) => values,
    table: (model, state, label) => tokenTable(model, state, 'Region', label),
  };
})((window.DaamView = window.DaamView || {}));
