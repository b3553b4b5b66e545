// What a FULL session of LiveAvatar says over its room's data, as RTVI, and the other way round.

const LABEL = "rtvi-ai";
const VERSION = "2.2.0";
export const TOPIC = "agent-control";
// Why a session ended, as RTVI's bots of this project say it; other reasons are no failure.
/** @type {Record<string, string>} */
const REASONS = { MAX_DURATION_REACHED: "duration", IDLE_TIMEOUT: "silence", NO_CREDITS: "spend" };
const FAILURES = ["SERVER_ERROR", "DISPATCH_FAILED", "AVATAR_DELETED"];
/** @type {Record<string, string>} */
const COMMANDS = { interrupt: "avatar.interrupt", leave: "session.stop" };

/**
 * `tell(message)` hears RTVI messages, `order(command)` gets commands for the topic TOPIC.
 *
 * The events do not say which words have been heard, or that the avatar was cut short: its words
 * are to come until it has ended, and are cut where it ends after the user has begun.
 */
export class Dialect {
  #tell;
  #order;
  /** @type {{ segment_id: number, text: string, isOpen: boolean }[]} */
  #coming = [];
  #segments = 0;
  #speaks = false;
  #isCut = false;

  /**
   * @param {(message: object) => void} tell
   * @param {(command: object) => void} order
   */
  constructor(tell, order) {
    this.#tell = tell;
    this.#order = order;
  }

  /**
   * A message of RTVI; what a FULL session has no word for is not sent.
   * @param {any} message
   */
  send({ type, id, data }) {
    if (type === "client-ready") this.#write("bot-ready", { version: VERSION }, id);
    else if (type === "send-text") this.#ask(data.content);
    else if (type === "client-message" && Object.hasOwn(COMMANDS, data.t))
      this.#do(COMMANDS[data.t]);
  }

  /**
   * What came over the room's data.
   * @param {unknown} event
   */
  read(event) {
    const { event_type: type, text, payload, ...fields } = Object(event);
    const words = text ?? Object(payload).text;
    if (typeof type === "string" && Object.hasOwn(this.#readers, type))
      this.#readers[type](typeof words === "string" ? words : "", fields);
  }

  /** @type {Record<string, (text: string, fields: any) => void>} */
  #readers = {
    "user.speak_started": () => this.#onUser(),
    "user.speak_ended": () => this.#write("user-stopped-speaking"),
    "user.transcription": (text) => this.#write("user-transcription", { text, final: true }),
    "user.transcription.chunk": (text) => this.#write("user-transcription", { text, final: false }),
    "avatar.speak_started": () => this.#onStarted(),
    "avatar.speak_ended": () => this.#onEnded(),
    "avatar.transcription": (text) => this.#onWords(text, true),
    "avatar.transcription.chunk": (text) => this.#onWords(text, false),
    "session.stopped": (_, fields) => this.#onStopped(fields.stop_reason ?? fields.end_reason),
  };

  /** @param {string} text */
  #ask(text) {
    this.#isCut = this.#speaks;
    this.#order({ event_type: "avatar.speak_response", event_id: uuid(), text });
  }

  /** @param {string} event_type */
  #do(event_type) {
    if (event_type === COMMANDS.interrupt) this.#isCut = this.#speaks;
    this.#order({ event_type, event_id: uuid() });
  }

  /**
   * @param {string} type
   * @param {object} [data]
   * @param {string} [id]
   */
  #write(type, data, id = uuid()) {
    this.#tell({ label: LABEL, type, id, data });
  }

  #onUser() {
    this.#isCut = this.#speaks;
    this.#write("user-started-speaking");
  }

  #onStarted() {
    this.#speaks = true;
    this.#isCut = false;
    this.#write("bot-started-speaking");
  }

  #onEnded() {
    if (this.#isCut) this.#write("bot-interrupted");
    else for (const { segment_id, text } of this.#coming) this.#show(segment_id, text, "");
    this.#coming = [];
    this.#speaks = this.#isCut = false;
    this.#write("bot-stopped-speaking");
  }

  /**
   * Words of an answer as they are written, and then all of them, or only that.
   * @param {string} text
   * @param {boolean} isWhole
   */
  #onWords(text, isWhole) {
    let last = this.#coming.at(-1);
    if (!last?.isOpen) {
      last = { segment_id: ++this.#segments, text: "", isOpen: true };
      this.#coming.push(last);
    }
    last.text = isWhole ? text : last.text + text;
    last.isOpen = !isWhole;
    this.#show(last.segment_id, "", last.text);
  }

  /**
   * @param {number} segment_id
   * @param {string} accumulated_text
   * @param {string} remaining_text
   */
  #show(segment_id, accumulated_text, remaining_text) {
    this.#write("bot-output", {
      segment_id,
      spoken_progress: { accumulated_text, remaining_text },
    });
  }

  /** @param {unknown} told */
  #onStopped(told) {
    const reason = String(told);
    if (FAILURES.includes(reason)) this.#write("server-message", { type: "failed" });
    else this.#write("server-message", { type: "over", reason: REASONS[reason] ?? "" });
  }
}

const uuid = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
