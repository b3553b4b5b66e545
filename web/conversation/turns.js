// How long the avatar's answers took, step by step, from the end of the user's speech.

// A service's name in Pipecat's metrics tells which part it is.
/** @type {[string, RegExp][]} */
const PARTS = [
  ["ears", /stt/i],
  ["mind", /llm/i],
  ["voice", /tts/i],
];
const SPOKEN = "voice";

/**
 * Bots of this project measure each turn themselves and send it as `turn-latency`. Of any other
 * Pipecat bot the steps are put together from its metrics: each part's time to its first result.
 *
 * A turn is { turn, steps: [{ name, at_s }], exact }: `name` is "ears", "mind", "voice" or "face",
 * `at_s` seconds since the user stopped speaking, `exact` whether the bot measured it itself. It
 * may tell by `ahead` how many answers were begun early so far, and how many of them in vain.
 */
export class Turns {
  #onTurn;
  /** @type {Turn[]} */
  #list = [];
  #exact = false;
  /** @type {number | null} */
  #stoppedMs = null;
  /** @type {Map<string, number>} */
  #firsts = new Map();
  /** @type {Turn | null} */
  #pending = null;

  /** @param {(turn: Turn) => void} onTurn */
  constructor(onTurn) {
    this.#onTurn = onTurn;
  }

  /** All turns, oldest first. */
  get list() {
    return this.#list;
  }

  /** The median time until the voice was heard, in seconds, or null. */
  get median_s() {
    const times = this.#list
      .map(({ steps }) => steps.find(({ name }) => name === SPOKEN)?.at_s)
      .filter((at_s) => at_s !== undefined)
      .sort((one, other) => one - other);
    if (times.length === 0) return null;
    const middle = times.length / 2;
    return (times[Math.ceil(middle) - 1] + times[Math.floor(middle)]) / 2;
  }

  userStopped() {
    this.#settle();
    this.#stoppedMs = performance.now();
    this.#firsts.clear();
  }

  /**
   * Pipecat's metrics: lists of { processor, value } in seconds.
   * @param {any} metrics
   */
  metrics({ ttfb }) {
    for (const { processor, value } of list(ttfb)) {
      const part = PARTS.find(([, name]) => name.test(processor))?.[0];
      if (part && value > 0 && !this.#firsts.has(part)) this.#firsts.set(part, value);
    }
  }

  botStarted() {
    if (this.#exact || this.#stoppedMs === null) return;
    const voice_s = (performance.now() - this.#stoppedMs) / 1000;
    this.#stoppedMs = null;
    this.#pending = { turn: this.#list.length + 1, steps: this.#steps(voice_s), exact: false };
  }

  botStopped() {
    this.#settle();
  }

  /**
   * The bot's own measurement of a turn.
   * @param {any} turn
   */
  measured({ turn, steps, ahead }) {
    const known = list(steps).filter(isStep);
    if (known.length === 0) return;
    if (!this.#exact) this.#list = [];
    this.#exact = true;
    this.#pending = null;
    this.#add({ turn, steps: known, exact: true, ...counted(ahead) });
  }

  /**
   * The times of mind and voice count from each other; what is left before them is the ears'.
   * @param {number} voice_s
   */
  #steps(voice_s) {
    const { mind, voice } = Object.fromEntries(this.#firsts);
    const mind_s = voice_s - (voice ?? 0);
    const steps = [{ name: SPOKEN, at_s: voice_s }];
    if (voice && mind_s > 0) steps.unshift({ name: "mind", at_s: mind_s });
    if (voice && mind && mind_s > mind) steps.unshift({ name: "ears", at_s: mind_s - mind });
    return steps;
  }

  // Only what is not measured by the bot itself is kept, which may tell a moment later.
  #settle() {
    const pending = this.#pending;
    this.#pending = null;
    if (pending) this.#add(pending);
  }

  /** @param {Turn} turn */
  #add(turn) {
    this.#list.push(turn);
    this.#onTurn(turn);
  }
}

// What a bot sends may be anything.
/** @param {any} sent */
const isStep = ({ name, at_s }) => typeof name === "string" && Number.isFinite(at_s);

/** @param {any} ahead */
const counted = (ahead) =>
  ahead?.calls > 0 && ahead.for_nothing >= 0 ? { ahead: { ...ahead } } : {};

/**
 * @param {unknown} sent
 * @returns {any[]}
 */
const list = (sent) => (Array.isArray(sent) ? sent.map(Object) : []);
