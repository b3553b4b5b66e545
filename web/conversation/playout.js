// Holds back what is told of the avatar's words for as long as its sound waits in this browser.

import { incoming } from "../call/network.js";

// Statistics cost more than all else that is done for a word.
const PERIOD_MS = 1_000;
const LONGEST_MS = 3_000;

/** `stats()` gives WebRTC statistics, as a list of RTCStats. */
export class Playout {
  #stats;
  #waitMs = 0;
  #before = { delay_s: 0, count: 0 };
  /** @type {{ act: () => void, dueMs: number }[]} */
  #held = [];
  #dueMs = 0;
  /** @type {Timer | undefined} */
  #timer;
  #readMs = -Infinity;

  /** @param {() => Promise<Stat[]>} stats */
  constructor(stats) {
    this.#stats = stats;
  }

  /** Looks how long sounds wait now, unless that is known. To be called before words are due. */
  look() {
    if (performance.now() - this.#readMs > PERIOD_MS) void this.#read();
  }

  /**
   * Does `act` when the sound that arrives now is heard, and never before what was held earlier.
   * @param {() => void} act
   */
  hold(act) {
    const nowMs = performance.now();
    this.#dueMs = Math.max(this.#dueMs, nowMs + this.#waitMs);
    if (this.#dueMs <= nowMs) return act();
    this.#held.push({ act, dueMs: this.#dueMs });
    this.#timer ??= setTimeout(() => this.#release(), this.#dueMs - nowMs);
  }

  /**
   * Does `act` once all is done that is held now.
   * @param {() => void} act
   */
  after(act) {
    if (this.#held.length === 0) return act();
    this.#held.push({ act, dueMs: this.#dueMs });
  }

  /** Does what is still held. */
  close() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { act } of this.#held.splice(0)) act();
  }

  #release() {
    this.#timer = undefined;
    const nowMs = performance.now();
    const due = this.#held.filter(({ dueMs }) => dueMs <= nowMs).length;
    for (const { act } of this.#held.splice(0, due)) act();
    const [next] = this.#held;
    if (next) this.#timer ??= setTimeout(() => this.#release(), next.dueMs - nowMs);
  }

  // A connection that was taken up again counts anew.
  async #read() {
    this.#readMs = performance.now();
    const [audio] = incoming(await this.#stats(), "audio");
    if (!audio?.jitterBufferEmittedCount) return;
    const { jitterBufferDelay: delay_s = 0, jitterBufferEmittedCount: count } = audio;
    const before = count < this.#before.count ? { delay_s: 0, count: 0 } : this.#before;
    this.#before = { delay_s, count };
    if (count === before.count) return;
    const wait_s = (delay_s - before.delay_s) / (count - before.count);
    this.#waitMs = Math.min(LONGEST_MS, wait_s * 1000);
  }
}
