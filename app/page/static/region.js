// @ts-check
/** A picture on which a rectangle is marked: by dragging, or by its four edges in percent. */

import { node } from './nodes.js';

const EDGES = [
  ['left', 'Left'],
  ['top', 'Top'],
  ['right', 'Right'],
  ['bottom', 'Bottom'],
];
const START = { left: 0.3, top: 0.3, right: 0.7, bottom: 0.7 };

let marked = null;

/** The rectangle, {left, top, right, bottom} in fractions of the picture, or null, as JSON. */
export function markedText() {
  return JSON.stringify(marked);
}

/** Fills an element; shows the picture that `props.value` names. */
export function region(element, props, watch) {
  const picture = node('img', { alt: 'The picture to mask', draggable: 'false' });
  const frame = node('div', { class: 'dx-frame', 'aria-hidden': 'true' });
  const stage = node('div', { class: 'dx-stage' }, picture, frame);
  const inputs = {};
  const fields = EDGES.map(([edge, title]) => {
    inputs[edge] = node('input', { type: 'number', min: '0', max: '100', step: '1', id: `region-${edge}` });
    return node('label', { class: 'dx-edge' }, `${title}, %`, inputs[edge]);
  });
  element.replaceChildren(
    node(
      'p',
      { class: 'dx-note' },
      'Drag over the picture to mark the region to cover, or set its edges in percent.',
    ),
    stage,
    node('div', { class: 'dx-edges' }, ...fields),
  );

  /** @type {any} */
  let chosen = null;
  let shownPicture = null;

  const draw = () => {
    frame.hidden = !chosen;
    if (!chosen) return;
    frame.style.left = `${100 * chosen.left}%`;
    frame.style.top = `${100 * chosen.top}%`;
    frame.style.width = `${100 * (chosen.right - chosen.left)}%`;
    frame.style.height = `${100 * (chosen.bottom - chosen.top)}%`;
    EDGES.forEach(([edge]) => {
      if (document.activeElement !== inputs[edge])
        inputs[edge].value = String(Math.round(100 * chosen[edge]));
    });
  };
  const tell = () => {
    marked = { ...chosen };
    draw();
  };

  /** @type {any} */
  let corner = null;
  const at = (event) => {
    const box = stage.getBoundingClientRect();
    const clamp = (v) => Math.min(1, Math.max(0, v));
    return {
      x: clamp((event.clientX - box.left) / box.width),
      y: clamp((event.clientY - box.top) / box.height),
    };
  };
  stage.addEventListener('pointerdown', (event) => {
    corner = at(event);
    stage.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  stage.addEventListener('pointermove', (event) => {
    if (!corner) return;
    const now = at(event);
    chosen = {
      left: Math.min(corner.x, now.x),
      top: Math.min(corner.y, now.y),
      right: Math.max(corner.x, now.x),
      bottom: Math.max(corner.y, now.y),
    };
    draw();
  });
  const finish = () => {
    if (!corner) return;
    corner = null;
    if (chosen) tell();
  };
  stage.addEventListener('pointerup', finish);
  stage.addEventListener('pointercancel', finish);
  for (const [edge] of EDGES) {
    inputs[edge].addEventListener('input', () => {
      const value = Number(inputs[edge].value) / 100;
      if (!Number.isFinite(value)) return;
      chosen = { ...(chosen || START), [edge]: Math.min(1, Math.max(0, value)) };
      tell();
    });
  }

  const show = () => {
    const value = props.value;
    if (!value?.picture || value.picture === shownPicture) return;
    shownPicture = value.picture;
    picture.src = value.picture;
    chosen = { ...START };
    tell();
  };
  watch('value', show);
  show();
  draw();
}
