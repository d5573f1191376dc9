// @ts-check
/**
 * Requests that somebody outside answers later: one at a time, since a page's way to its server may drop
 * events that come together.
 */

const PATIENCE = 20_000; // milliseconds that an answer may take

export class Requests {
  /** @param {(request: any) => void} send gets a request with the `id` that its answer must name */
  constructor(send) {
    this.send = send;
    this.asked = 0;
    /** @type {Map<any, (answer: any) => void>} */
    this.waiting = new Map();
    /** @type {Promise<any>} */
    this.last = Promise.resolve();
  }

  /** Resolves to the answer, or null where none came. @param {object} request @returns {Promise<any>} */
  ask(request) {
    this.last = this.last.then(
      () =>
        new Promise((resolve) => {
          this.asked += 1;
          const id = this.asked;
          const timer = setTimeout(() => this.answer(id, null), PATIENCE);
          this.waiting.set(id, (answer) => {
            clearTimeout(timer);
            resolve(answer);
          });
          this.send({ id, ...request });
        }),
    );
    return this.last;
  }

  answer(id, answer) {
    const take = this.waiting.get(id);
    this.waiting.delete(id);
    take?.(answer);
  }
}
