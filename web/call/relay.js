// What a page sees of a conversation that LiveAvatar runs, told to the server, and its answers.

import { CallError, requestJson } from "./request.js";

const LIMIT_MS = 5_000;
// A server that takes nothing for so long has stopped.
const PACE = { periodMs: 1_000, lostMs: 10_000 };
// Of one message; what is left goes with the next one.
const MOST_EVENTS = 100;
const MOST_CHARS = 16_000;
const LONGEST_TEXT = 8_000;
// Of these statuses, none gets better: for the conversation, and for one message of it.
const FINAL = [401, 403, 404];
const UNREADABLE = [400, 413, 422];

/** @typedef {{ number: number, atMs: number, event: object }} Seen */

/**
 * Tells the server every second what was seen, also that there is somebody who sees it.
 *
 * Each event has a number, counted from 1, and is told again until the server has said that it has
 * it; so it is with the messages that the server numbers.
 *
 * `told(message)` hears each message of the server's answers, `lost()`, once, that it takes nothing
 * any more. Whoever makes a Relay closes it.
 */
export class Relay {
  #url;
  #key;
  #told;
  #lost;
  #pace;
  /** @type {Seen[]} */
  #seen = [];
  #numbered = 0;
  #heard = 0;
  #muted = false;
  #active = false;
  #takenMs = performance.now();
  #closed = false;
  /** @type {Timer | undefined} */
  #timer;

  /**
   * @param {{ url: URL, key: string, told: (message: any) => void, lost: () => void }} means
   * @param {typeof PACE} pace
   */
  constructor({ url, key, told, lost }, pace = PACE) {
    this.#url = url;
    this.#key = key;
    this.#told = told;
    this.#lost = lost;
    this.#pace = pace;
    void this.#send();
  }

  /**
   * Takes note of an event, or of a command of the user's.
   * @param {any} event
   */
  see(event) {
    const text = event.text ?? event.payload?.text;
    const short = typeof text === "string" ? { text: text.slice(0, LONGEST_TEXT) } : {};
    const { event_type, stop_reason, end_reason } = event;
    const kept = { event_type, stop_reason, end_reason, ...short };
    this.#numbered += 1;
    this.#seen.push({ number: this.#numbered, atMs: performance.now(), event: kept });
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#muted = muted;
  }

  /** The user has done something without a word. */
  act() {
    this.#active = true;
  }

  /** Tells the rest, and that the user leaves; nothing is heard of any more. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    const body = { ...this.#message(this.#next()), leaves: true };
    requestJson(this.#url, { method: "POST", body, keepalive: true }).catch(() => {});
  }

  async #send() {
    const seen = this.#next();
    const last = seen.at(-1)?.number ?? 0;
    const active = this.#active;
    this.#active = false;
    try {
      const signal = AbortSignal.timeout(LIMIT_MS);
      const body = this.#message(seen, active);
      const answer = await requestJson(this.#url, { method: "POST", body, signal });
      this.#takenMs = performance.now();
      this.#forget(answer.taken ?? last);
      this.#hear(list(answer.messages), answer.told);
    } catch (error) {
      const status = (error instanceof CallError && error.status) || 0;
      if (UNREADABLE.includes(status)) this.#forget(last);
      this.#active ||= active;
      this.#onFailure(status);
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#send(), this.#pace.periodMs);
  }

  /** @param {number} status */
  #onFailure(status) {
    const late = performance.now() - this.#takenMs > this.#pace.lostMs;
    if (this.#closed || !(late || FINAL.includes(status))) return;
    this.#closed = true;
    this.#lost();
  }

  /** @param {number} taken */
  #forget(taken) {
    this.#seen = this.#seen.filter(({ number }) => number > taken);
  }

  /**
   * @param {any[]} messages
   * @param {number} [told] the number of the last of them
   */
  #hear(messages, told) {
    for (const [at, message] of messages.entries()) {
      const number = told === undefined ? this.#heard + 1 : told - messages.length + 1 + at;
      if (this.#closed || number <= this.#heard) continue;
      this.#heard = number;
      this.#told(message);
    }
  }

  #next() {
    let chars = 0;
    let count = 0;
    for (const { event } of this.#seen) {
      chars += JSON.stringify(event).length;
      if (count === MOST_EVENTS || (count > 0 && chars > MOST_CHARS)) break;
      count += 1;
    }
    return this.#seen.slice(0, count);
  }

  /**
   * @param {Seen[]} seen
   * @param {boolean} [active]
   */
  #message(seen, active = false) {
    const nowMs = performance.now();
    const events = seen.map(({ number, atMs, event }) => {
      return { number, age_s: (nowMs - atMs) / 1000, event };
    });
    return { key: this.#key, events, heard: this.#heard, muted: this.#muted, active };
  }
}

/**
 * @param {unknown} sent
 * @returns {any[]}
 */
const list = (sent) => (Array.isArray(sent) ? sent.map(Object) : []);
