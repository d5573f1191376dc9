/* DaamView: small vector charts. Colours of lines and text come from the style sheet. */
(function (D) {
  'use strict';

  const { svg, h } = D;
  const MARGIN = { left: 52, right: 12, top: 10, bottom: 34 };

  /** Round numbers that cover [low, high], about `count` of them. */
  D.ticks = function (low, high, count) {
    if (!(high > low)) return [low];
    const rough = (high - low) / Math.max(1, count);
    const power = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
    const out = [];
    for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step) {
      out.push(Math.abs(v) < step * 1e-9 ? 0 : Number(v.toPrecision(12)));
    }
    return out;
  };

  /**
   * An element that draws itself anew for every width. draw(pen) gets
   * {width, height, left, right, top, bottom, x(value), y(value), add(node)}; domains are {x: [low, high], y: [low, high]}.
   */
  D.chart = function (options) {
    const element = h('div', { class: 'dv-chart' });
    let current = options;
    let width = 0;
    const render = () => {
      if (!width) return;
      const o = current;
      const height = o.height || 200;
      const yFormat = o.yFormat || ((v) => D.short(v, 3));
      const yTicks =
        o.yTicks === false ? [] : o.yTicks || D.ticks(o.y[0], o.y[1], Math.max(2, (height - 44) / 30));
      // Room for the longest number and, left of it, the name of the axis.
      const widest = Math.max(0, ...yTicks.map((v) => yFormat(v).length));
      const m = Object.assign({}, MARGIN, { left: Math.max(MARGIN.left, 26 + 7 * widest) }, o.margin);
      const root = svg('svg', {
        width: width,
        height: height,
        viewBox: `0 0 ${width} ${height}`,
        role: 'img',
        'aria-label': o.label,
      });
      const scale = (domain, from, to) => (v) =>
        from + ((v - domain[0]) / (domain[1] - domain[0] || 1)) * (to - from);
      const x = scale(o.x, m.left, width - m.right);
      const y = scale(o.y, height - m.bottom, m.top);
      const pen = {
        width: width,
        height: height,
        left: m.left,
        right: width - m.right,
        top: m.top,
        bottom: height - m.bottom,
        x: x,
        y: y,
        add: (node) => root.append(node),
      };
      yTicks.forEach((v) => {
        pen.add(svg('line', { class: 'dv-grid', x1: pen.left, x2: pen.right, y1: y(v), y2: y(v) }));
        pen.add(
          svg('text', { class: 'dv-tick', x: pen.left - 6, y: y(v) + 4, 'text-anchor': 'end' }, yFormat(v)),
        );
      });
      (o.xTicks || D.ticks(o.x[0], o.x[1], Math.max(2, (pen.right - pen.left) / 60))).forEach((v) => {
        pen.add(svg('line', { class: 'dv-axis', x1: x(v), x2: x(v), y1: pen.bottom, y2: pen.bottom + 4 }));
        pen.add(
          svg(
            'text',
            { class: 'dv-tick', x: x(v), y: pen.bottom + 16, 'text-anchor': 'middle' },
            o.xFormat ? o.xFormat(v) : D.short(v, 3),
          ),
        );
      });
      pen.add(svg('line', { class: 'dv-axis', x1: pen.left, x2: pen.right, y1: pen.bottom, y2: pen.bottom }));
      if (o.xLabel)
        pen.add(
          svg(
            'text',
            { class: 'dv-axis-label', x: (pen.left + pen.right) / 2, y: height - 4, 'text-anchor': 'middle' },
            o.xLabel,
          ),
        );
      if (o.yLabel) {
        pen.add(
          svg(
            'text',
            {
              class: 'dv-axis-label',
              x: 0,
              y: 0,
              'text-anchor': 'middle',
              transform: `translate(12 ${(pen.top + pen.bottom) / 2}) rotate(-90)`,
            },
            o.yLabel,
          ),
        );
      }
      o.draw(pen);
      element.replaceChildren(root);
    };
    const stop = D.onWidth(element, (w) => {
      width = w;
      render();
    });
    return {
      element: element,
      update: (o) => {
        current = o;
        render();
      },
      destroy: stop,
    };
  };

  /** SVG path through points [[x, y], …] given in numbers of the chart. */
  D.path = function (pen, points, attributes) {
    const d = points
      .map(([px, py], i) => `${i ? 'L' : 'M'}${pen.x(px).toFixed(2)} ${pen.y(py).toFixed(2)}`)
      .join('');
    pen.add(svg('path', Object.assign({ d: d, fill: 'none' }, attributes)));
  };

  /** Counts of numbers in `bins` equal parts of [low, high]. */
  D.histogram = function (data, low, high, bins) {
    const counts = new Array(bins).fill(0);
    const factor = high > low ? bins / (high - low) : 0;
    for (let i = 0; i < data.length; i += 1) {
      const bin = Math.min(bins - 1, Math.max(0, Math.floor((data[i] - low) * factor)));
      counts[bin] += 1;
    }
    return counts;
  };

  /** Legend of heads; `more(head)` adds a number behind a name. */
  D.legend = function (heads, more) {
    return h(
      'ul',
      { class: 'dv-legend' },
      heads.map((head) => h('li', {}, D.headName(head, more ? more(head) : null))),
    );
  };
})((window.DaamView = window.DaamView || {}));
