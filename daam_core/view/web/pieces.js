// @ts-check
/**
 * Work in pieces: what need not be there at once is done in tasks of its own, between which the page paints and
 * answers; and what asks for sizes asks together, so that the page is laid out once for all of them.
 */

const AT_A_TIME = 8; // milliseconds after which the next piece waits for a task of its own

/** @type {Set<() => void>} */
const waiting = new Set();
/** @type {Set<() => void>} what comes after all of these */
const last = new Set();
/** @type {Map<object, {width: () => number, work: (width: number) => void}>} */
const unmeasured = new Map();
/** @type {(() => void)[]} */
let told = [];
let [running, frame] = [false, 0];

/** A task of its own; the timer, which waits longer, where the browser has no better way. @param {() => void} work */
function task(work) {
  const { scheduler } = /** @type {any} */ (globalThis); // is young
  if (scheduler?.postTask) scheduler.postTask(work);
  else setTimeout(work);
}

function next() {
  running = waiting.size + last.size > 0;
  if (running) task(some);
  else tell();
}

/** The next piece: in the order in which they were asked for. */
function take() {
  for (const set of [waiting, last]) {
    for (const work of set) {
      set.delete(work);
      return work;
    }
  }
  return null;
}

/** A few pieces. */
function some() {
  const end = performance.now() + AT_A_TIME;
  try {
    let work = take();
    while (work) {
      work();
      work = performance.now() < end ? take() : null;
    }
  } finally {
    next();
  }
}

/**
 * Does something soon, once however often it is asked for before that. Returns the way to have it left undone.
 * @param {() => void} work
 * @param {boolean} [atLast] after everything else that waits
 */
export function soon(work, atLast = false) {
  const set = atLast ? last : waiting;
  set.add(work);
  if (!running) next();
  return () => {
    set.delete(work);
  };
}

function measure() {
  cancelAnimationFrame(frame);
  frame = 0;
  const jobs = Array.from(unmeasured.values(), ({ width, work }) => /** @type {const} */ ([width(), work]));
  unmeasured.clear();
  for (const [width, work] of jobs) work(width); // after all sizes were read, since this changes them
  tell();
}

/**
 * Tells the width of something with the next frame, before that is painted.
 * @param {object} key who asks: asking again before then asks once
 * @param {() => number} width reads it
 * @param {(width: number) => void} work
 */
export function measured(key, width, work) {
  unmeasured.set(key, { width, work });
  if (!frame) frame = requestAnimationFrame(measure);
  return () => {
    unmeasured.delete(key);
  };
}

/** Everything that waits, at once: the page is about to be printed. */
export function flush() {
  if (unmeasured.size) measure();
  for (let work = take(); work; work = take()) work();
}

function tell() {
  if (running || frame) return;
  for (const one of told) one();
  told = [];
}

/** When nothing waits any more. @returns {Promise<void>} */
export function idle() {
  return new Promise((done) => {
    if (running || frame) told.push(done);
    else done();
  });
}
