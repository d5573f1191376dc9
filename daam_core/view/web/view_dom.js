/* DaamView: elements, controls, tables and the frame around every figure. */
(function (D) {
  'use strict';

  let serial = 0;

  D.id = function (name) {
    serial += 1;
    return `dv-${name}-${serial}`;
  };

  function fill(element, attributes, children) {
    Object.entries(attributes || {}).forEach(([key, value]) => {
      if (value === null || value === undefined || value === false) return;
      if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
      else if (key === 'class') element.setAttribute('class', value);
      else if (key === 'style') Object.assign(element.style, value);
      else if (key === 'value' || key === 'checked') element[key] = value;
      else element.setAttribute(key, value === true ? '' : value);
    });
    children.flat(Infinity).forEach((child) => {
      if (child === null || child === undefined || child === false) return;
      element.append(child instanceof Node ? child : String(child)); // text is never parsed as markup
    });
    return element;
  }

  /** An HTML element; children are nodes or text. */
  D.h = function (tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
  };

  D.svg = function (tag, attributes, ...children) {
    return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
  };

  const h = D.h;

  /** Runs `render(width)` now and whenever the width of an element changes. Returns the way to stop. */
  D.onWidth = function (element, render) {
    let last = 0;
    let frame = 0;
    const check = () => {
      frame = 0;
      const width = Math.floor(element.clientWidth);
      if (width > 0 && width !== last) {
        last = width;
        render(width);
      }
    };
    const observer = new ResizeObserver(() => {
      if (!frame) frame = requestAnimationFrame(check);
    });
    observer.observe(element);
    check();
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame);
    };
  };

  /** Work for the next frame: asked for any number of times it runs once, and not after cancel(). */
  D.nextFrame = function (work) {
    let frame = 0;
    return {
      ask: () => {
        cancelAnimationFrame(frame);
        frame = requestAnimationFrame(work);
      },
      cancel: () => cancelAnimationFrame(frame),
    };
  };

  // ---- controls -----------------------------------------------------------------------------------

  /** A labelled list of options: [[value, text], …]. */
  D.select = function (label, options, value, onchange) {
    const id = D.id('select');
    const list = h(
      'select',
      { id: id, class: 'dv-select', onchange: () => onchange(list.value) },
      options.map(([v, text]) => h('option', { value: v, selected: String(v) === String(value) }, text)),
    );
    list.value = String(value);
    const element = h(
      'div',
      { class: 'dv-control', 'data-key': label },
      h('label', { for: id, class: 'dv-label' }, label),
      list,
    );
    element.sync = (v) => {
      list.value = String(v);
    };
    return element;
  };

  /** A few exclusive options side by side. */
  D.segments = function (label, options, value, onchange) {
    const name = D.id('segments');
    const buttons = options.map(([v]) =>
      h('input', {
        type: 'radio',
        name: name,
        value: v,
        checked: String(v) === String(value),
        onchange: () => onchange(v),
      }),
    );
    const element = h(
      'fieldset',
      { class: 'dv-control dv-segments', 'data-key': label },
      h('legend', { class: 'dv-label' }, label),
      h(
        'div',
        { class: 'dv-segments-row' },
        options.map(([, text], i) => h('label', { class: 'dv-segment' }, buttons[i], h('span', {}, text))),
      ),
    );
    element.sync = (v) =>
      buttons.forEach((button, i) => {
        button.checked = String(options[i][0]) === String(v);
      });
    return element;
  };

  D.button = function (text, onclick, attributes) {
    return h(
      'button',
      Object.assign({ type: 'button', class: 'dv-button', onclick: onclick }, attributes),
      text,
    );
  };

  D.slider = function (label, value, range, onchange) {
    const id = D.id('slider');
    const shown = h('output', { for: id, class: 'dv-number' }, `${Math.round(value * 100)} %`);
    const input = h('input', {
      id: id,
      type: 'range',
      min: range[0],
      max: range[1],
      step: range[2],
      value: value,
      oninput: () => {
        shown.textContent = `${Math.round(Number(input.value) * 100)} %`;
        onchange(Number(input.value));
      },
    });
    input.value = String(value);
    return h(
      'div',
      { class: 'dv-control', 'data-key': label },
      h('label', { for: id, class: 'dv-label' }, label),
      h('div', { class: 'dv-row' }, input, shown),
    );
  };

  /** Coloured mark and name of a head, with more behind it; `short` leaves the number only. */
  D.headName = function (head, more, short) {
    return h(
      'span',
      { class: 'dv-head-name' },
      h('span', { class: 'dv-chip', style: { background: D.headColour(head) }, 'aria-hidden': 'true' }),
      short ? String(head) : `Head ${head}`,
      more ? h('span', { class: 'dv-quiet' }, ` ${more}`) : null,
    );
  };

  // ---- tables -------------------------------------------------------------------------------------

  /** columns: [title, …] with {title, number: true} for numbers; rows: arrays of text or nodes. */
  D.table = function (caption, columns, rows) {
    const titles = columns.map((c) => (typeof c === 'string' ? { title: c } : c));
    return h(
      'div',
      { class: 'dv-table-wrap', tabindex: '0', role: 'region', 'aria-label': caption },
      h(
        'table',
        { class: 'dv-table' },
        h('caption', {}, h('span', { class: 'dv-caption' }, caption)),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            titles.map((c) => h('th', { scope: 'col', class: c.number ? 'dv-num' : null }, c.title)),
          ),
        ),
        h(
          'tbody',
          {},
          rows.map((row) =>
            h(
              'tr',
              {},
              row.map((cell, i) =>
                h(
                  i === 0 ? 'th' : 'td',
                  {
                    scope: i === 0 ? 'row' : null,
                    class: titles[i].number ? 'dv-num' : null,
                  },
                  cell,
                ),
              ),
            ),
          ),
        ),
      ),
    );
  };

  // ---- figure -------------------------------------------------------------------------------------

  /**
   * Frame of a figure: title, controls, body, one sentence of help, and its numbers as a table.
   * `table` is called when the table is opened and must return an element.
   */
  D.figure = function (options) {
    const id = D.id('figure');
    const place = h('div', { class: 'dv-table-place', hidden: true, id: `${id}-table` });
    let open = false;
    const fillTable = () => place.replaceChildren(options.table());
    const toggle = options.table
      ? D.button(
          'Show as table',
          () => {
            open = !open;
            place.hidden = !open;
            toggle.setAttribute('aria-expanded', String(open));
            toggle.textContent = open ? 'Hide table' : 'Show as table';
            if (open) fillTable();
          },
          { class: 'dv-button dv-quiet-button', 'aria-expanded': 'false', 'aria-controls': `${id}-table` },
        )
      : null;
    const title = h(`h${options.heading || 3}`, { class: 'dv-title', id: id }, options.title);
    const element = h(
      'section',
      { class: `dv-figure ${options.class || ''}`, 'aria-labelledby': id },
      h('div', { class: 'dv-figure-head' }, title, toggle),
      options.help ? h('p', { class: 'dv-help' }, options.help) : null,
      options.controls ? h('div', { class: 'dv-controls' }, options.controls) : null,
      options.body,
      place,
    );
    return {
      element: element,
      title: title,
      refresh: () => {
        if (open) fillTable();
      },
    };
  };

  /** Bar with the colours of a scale, its numbers and what they mean. */
  D.colourBar = function (scale, text) {
    const canvas = h('canvas', { width: 256, height: 1, class: 'dv-bar-canvas', 'aria-hidden': 'true' });
    const pen = canvas.getContext('2d');
    const picture = pen.createImageData(256, 1);
    scale.table.forEach((colour, i) => picture.data.set([colour[0], colour[1], colour[2], 255], 4 * i));
    pen.putImageData(picture, 0, 0);
    const [low, high] = scale.limits;
    const middle = scale.thresholds ? scale.thresholds[127] : (low + high) / 2;
    const between = scale.signed ? 0 : middle;
    const numbers = scale.constant ? [low] : [low, between, high];
    return h(
      'div',
      { class: 'dv-bar' },
      h(
        'div',
        { class: 'dv-bar-colours' },
        canvas,
        h(
          'div',
          { class: 'dv-bar-numbers' },
          numbers.map((v) => h('span', {}, D.short(v, 4))),
        ),
      ),
      h(
        'div',
        { class: 'dv-bar-text' },
        scale.constant ? `Constant map: every cell is ${D.short(low, 4)}. ${text}` : text,
      ),
    );
  };

  /** A figure that has nothing to show, and says why. */
  D.emptyPart = function (ctx, title, text) {
    const figure = D.figure({
      heading: ctx.heading,
      title: title,
      body: h('p', { class: 'dv-empty' }, text),
    });
    return { element: figure.element, update: () => {}, destroy: () => {} };
  };

  /** Several parts below each other, as one part. */
  D.stackedParts = function (parts) {
    return {
      element: h(
        'div',
        { class: 'dv-stack dv-wide-gap' },
        parts.map((part) => part.element),
      ),
      update: (changed) => parts.forEach((part) => part.update(changed)),
      destroy: () => parts.forEach((part) => part.destroy()),
    };
  };

  /** Whether turning the wheel over an element means to zoom: it has the focus, or Ctrl or ⌘ is held. */
  D.wheelZooms = function (event, element) {
    return event.ctrlKey || event.metaKey || document.activeElement === element;
  };

  /** Buttons that zoom out, in, and the one given that shows everything. */
  D.zoomGroup = function (out, into, all) {
    const square = (sign, work, name) =>
      D.button(sign, work, { 'aria-label': name, class: 'dv-button dv-square' });
    return h(
      'div',
      {
        class: 'dv-control dv-zoom',
        role: 'group',
        'aria-label': 'Zoom',
        title: 'The wheel zooms, too, once a map was clicked, or with Ctrl',
      },
      h('span', { class: 'dv-label', 'aria-hidden': 'true' }, 'Zoom'),
      h('div', { class: 'dv-row' }, square('−', out, 'Zoom out'), square('+', into, 'Zoom in'), all),
    );
  };
})((window.DaamView = window.DaamView || {}));
