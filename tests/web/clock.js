// A clock that stands still until a test turns it on.

import { mock } from "node:test";

/** Takes the place of performance.now() and setTimeout() until stop(). */
export class Clock {
  #nowMs = 1_000;
  #now = mock.method(performance, "now", () => this.#nowMs);

  constructor() {
    mock.timers.enable({ apis: ["setTimeout"] });
  }

  /**
   * Lets time pass, one timer after the other.
   * @param {number} ms
   */
  pass(ms) {
    for (let passed = 0; passed < ms; passed += 1) {
      this.#nowMs += 1;
      mock.timers.tick(1);
    }
  }

  stop() {
    mock.timers.reset();
    this.#now.mock.restore();
  }
}
