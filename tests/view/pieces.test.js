// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flush, idle, measured, soon } from '../../daam_core/view/web/pieces.js';

/** @type {(() => void)[]} */
let frames = [];
Object.assign(globalThis, {
  requestAnimationFrame: (/** @type {() => void} */ work) => frames.push(work),
  cancelAnimationFrame: () => {
    frames = [];
  },
});
const frame = () => frames.splice(0).forEach((work) => void work());

test('pieces are done in order, each once, what comes last after those that the others ask for', async () => {
  /** @type {string[]} */
  const done = [];
  const again = () => done.push('again');
  soon(() => done.push('last'), true);
  soon(() => {
    done.push('first');
    soon(() => done.push('asked for'));
  });
  soon(again);
  soon(again);
  soon(() => done.push('left out'))();
  assert.deepEqual(done, []);
  await idle();
  assert.deepEqual(done, ['first', 'again', 'asked for', 'last']);
});

test('a piece that takes long leaves the next one to another task', async () => {
  let tasks = 0;
  const count = setInterval(() => {
    tasks += 1;
  });
  /** @type {number[]} */
  const at = [];
  for (let i = 0; i < 3; i += 1) {
    soon(() => {
      const end = performance.now() + 12;
      while (performance.now() < end);
      at.push(tasks);
    });
  }
  await idle();
  clearInterval(count);
  assert.ok(at[0] < at[1] && at[1] < at[2], String(at));
});

test('an error in one piece does not keep the others', async () => {
  const done = [];
  const kept = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => done.push(error.message));
  soon(() => {
    throw new Error('wrong');
  });
  soon(() => done.push('next'));
  await idle();
  for (const listener of kept) process.on('uncaughtException', listener);
  assert.deepEqual(done, ['wrong', 'next']);
});

test('all widths are read before anything is done about them', async () => {
  /** @type {string[]} */
  const done = [];
  const ask = (/** @type {string} */ name) =>
    measured(
      name,
      () => done.push(`read ${name}`),
      (width) => done.push(`${name} ${width}`),
    );
  ask('a');
  ask('b');
  ask('a');
  ask('c')();
  frame();
  assert.deepEqual(done, ['read a', 'read b', 'a 1', 'b 2']);
  await idle();
});

test('what waits is done at once where it must be', async () => {
  /** @type {string[]} */
  const done = [];
  measured(
    'a',
    () => 7,
    (width) => soon(() => done.push(`drawn ${width}`)),
  );
  soon(() => done.push('last'), true);
  flush();
  assert.deepEqual(done, ['drawn 7', 'last']);
  await idle();
});
