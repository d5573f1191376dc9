// @ts-check
/** Elements by preact and htm (vendor/), and the hooks that the view's components share. */

import { measured, soon } from './pieces.js';
import {
  createContext,
  useContext,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from './vendor/preact_htm.js';

export { html, render, useEffect, useLayoutEffect, useMemo, useRef, useState } from './vendor/preact_htm.js';

/** @typedef {import('./store.js').Store} Store */

/** The view's store, for every component inside it. */
export const StoreContext = createContext(/** @type {any} */ (null));
/** Level of the figures' headings. */
export const HeadingContext = createContext(3);

/** @returns {Store} */
export function useStore() {
  return useContext(StoreContext);
}

/** @returns {number} */
export function useHeading() {
  return useContext(HeadingContext);
}

let serial = 0;

/** An id that nothing else in the page has. @param {string} name @returns {string} */
export function useId(name) {
  return useMemo(() => {
    serial += 1;
    return `dv-${name}-${serial}`;
  }, []);
}

/** A way to have a component rendered anew. @returns {() => void} */
export function useRedraw() {
  return useReducer((n) => n + 1, 0)[1];
}

/** Calls `follow` whenever another cell is pointed at. @param {Store} store @param {() => void} follow */
export function useHover(store, follow) {
  const latest = useRef(follow);
  latest.current = follow;
  useEffect(() => {
    const listener = () => latest.current();
    store.hoverListeners.add(listener);
    return () => store.hoverListeners.delete(listener);
  }, [store]);
}

/**
 * Calls `work` with the width of an element, before it is first painted, and whenever that changes. Returns the
 * way to stop.
 * @param {Element} element
 * @param {(width: number) => void} work
 */
export function onWidth(element, work) {
  let last = 0;
  let stop = () => {};
  const ask = () => {
    stop = measured(
      work,
      () => Math.floor(element.clientWidth),
      (width) => {
        if (width > 0 && width !== last) {
          last = width;
          work(width);
        }
      },
    );
  };
  const observer = new ResizeObserver(ask);
  observer.observe(element);
  ask();
  return () => {
    observer.disconnect();
    stop();
  };
}

/**
 * Shows its children one after another, each drawn in a task of its own, so that the first is seen and answers
 * before the last is there; all at once where the store says so.
 * @param {{children?: any, figures?: boolean}} props figures: each waits until the one before is drawn
 */
export function Stages({ children, figures = false }) {
  const { whole } = useStore();
  const all = [children].flat();
  const [shown, setShown] = useState(1);
  const left = !whole && shown < all.length;
  useLayoutEffect(() => (left ? soon(() => setShown(shown + 1), figures) : undefined), [left, shown]);
  return left ? all.slice(0, shown) : all;
}

/** The width of the element that the reference is given to, 0 until it is in the page. @returns {number} */
export function useWidth(place) {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => onWidth(place.current, setWidth), []);
  return width;
}

/** Whether the page is dark around an element. @param {Element} element */
export function isDark(element) {
  return getComputedStyle(element).getPropertyValue('--dv-dark').trim() === '1';
}

/**
 * Whether turning the wheel over an element means to zoom: it has the focus, or Ctrl or ⌘ is held.
 * @param {WheelEvent} event
 * @param {Element} element
 */
export function wheelZooms(event, element) {
  return event.ctrlKey || event.metaKey || document.activeElement === element;
}

/** A turn of the wheel as a factor; below 1 zooms in. @param {WheelEvent} event */
export function wheelFactor(event) {
  const amount = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
  return Math.exp(Math.max(-1, Math.min(1, amount / 300)));
}
