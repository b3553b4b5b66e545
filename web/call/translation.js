// LiveAvatar's events and commands (FULL mode), read as RTVI: what the rest of the page knows.

const VERSION = "2.2.0";
const LONGEST_TEXT = 2_000;
const TOO_LONG = "That was too long: only its first 2,000 characters were taken.";
// An avatar that falls silent this soon after its user has begun to speak or typed something was
// interrupted, and so it was by a click, after which LiveAvatar may take longer.
const CUT_MS = 1_500;
const HUSH_MS = 5_000;
/** @type {Record<string, object>} */
const ENDS = {
  MAX_DURATION_REACHED: { type: "over", reason: "duration" },
  IDLE_TIMEOUT: { type: "over", reason: "silence" },
  NO_CREDITS: { type: "over", reason: "credits" },
  SERVER_ERROR: { type: "failed", text: "stopped" },
  DISPATCH_FAILED: { type: "failed", text: "stopped" },
  AGENT_HANG_UP: { type: "failed", text: "stopped" },
};

/**
 * One conversation. `send()` takes what the page says in RTVI, `read()` what LiveAvatar tells;
 * `talk` says whether the user holds a button to talk. The listener hears:
 *   tell(type, data, id)  an RTVI message for the page
 *   command(command)      something for LiveAvatar to do
 *   muted(true | false)   whether the user's voice is kept from LiveAvatar
 *   active()              the user has done something without a word
 *   leaves()              the user leaves for good
 */
export class Translation {
  #listener;
  #talk;
  #now;
  #met = false;
  /** @type {{ id: string } | null} */
  #hello = null;
  #pressed = false;
  #speaking = false;
  #answering = false;
  #cutUntilMs = -Infinity;
  #turn = 0;
  /** @type {number | null} */
  #stoppedMs = null;
  /** @type {Map<string, number>} */
  #steps = new Map();
  /** @type {{ id: string, text: string, whole: boolean }[]} */
  #said = [];
  #segments = 0;
  #heard = "";

  /**
   * @param {TranslationListener} listener
   * @param {{ talk: boolean, now?: () => number }} how
   */
  constructor(listener, { talk, now = () => performance.now() }) {
    this.#listener = listener;
    this.#talk = talk;
    this.#now = now;
  }

  /** @param {any} message */
  send({ type, id, data }) {
    if (type === "client-ready") this.#greet(id);
    if (type === "send-text") this.#type(String(data.content));
    if (type !== "client-message") return;
    if (data.t === "interrupt") this.hush();
    if (data.t === "typing") this.#listener.active();
    if (data.t === "leave") this.#listener.leaves();
    if (data.t === "microphone") this.#microphone(Boolean(data.d?.muted));
  }

  /** The avatar is there: who has said hello is answered now, and who says it later at once. */
  meet() {
    this.#met = true;
    if (this.#hello) this.#greet(this.#hello.id);
  }

  /**
   * Has the avatar say something as it is.
   * @param {string} text
   */
  say(text) {
    this.#listener.command({ event_type: "avatar.speak_text", text });
  }

  /** Silences the avatar. */
  hush() {
    this.#cutUntilMs = this.#now() + HUSH_MS;
    this.#listener.command({ event_type: "avatar.interrupt" });
  }

  /** @param {any} event */
  read(event) {
    const { event_type: name, payload } = Object(event);
    const text = event?.text ?? payload?.text;
    if (typeof name !== "string") return;
    const type = NAMES.get(name.replaceAll(".", "_")) ?? name;
    if (!Object.hasOwn(this.#readers, type)) return;
    this.#readers[type](typeof text === "string" ? text : "", event);
  }

  /** @type {Record<string, (text: string, event: any) => void>} */
  #readers = {
    "user.speak_started": () => this.#onUser(true),
    "user.speak_ended": () => this.#onUser(false),
    "user.transcription": (text) => this.#onHeard(text, true),
    "user.transcription.chunk": (text) => this.#onHeard(text, false),
    "avatar.speak_started": () => this.#onSpeaking(),
    "avatar.speak_ended": () => this.#onSilent(),
    "avatar.transcription": (text) => this.#onThought(text, true),
    "avatar.transcription.chunk": (text) => this.#onThought(text, false),
    "user.push_to_talk_start_failed": () => this.#notice("talkFailed"),
    "session.stopped": (_, event) => this.#onStopped(event),
  };

  // Only LiveAvatar's own picture or sound shows that there is somebody to talk to.
  /** @param {string} id */
  #greet(id) {
    this.#hello = this.#met ? null : { id };
    if (this.#met) this.#listener.tell("bot-ready", { version: VERSION }, id);
  }

  /** @param {string} text */
  #type(text) {
    if (text.length > LONGEST_TEXT) this.#notice(TOO_LONG);
    this.#cutUntilMs = this.#now() + CUT_MS;
    this.#forgetUnsaid();
    this.#heard = "";
    this.#stop();
    const part = text.slice(0, LONGEST_TEXT);
    this.#listener.command({ event_type: "avatar.speak_response", text: part });
  }

  // Without a button the microphone's own track is silent, which is all there is to tell.
  /** @param {boolean} muted */
  #microphone(muted) {
    this.#listener.muted(muted);
    if (!this.#talk || this.#pressed === !muted) return;
    this.#pressed = !muted;
    const event_type = muted ? "user.stop_push_to_talk" : "user.start_push_to_talk";
    this.#listener.command({ event_type });
  }

  /** @param {boolean} begins */
  #onUser(begins) {
    if (begins) {
      this.#cutUntilMs = this.#now() + CUT_MS;
      this.#forgetUnsaid();
      this.#stoppedMs = null;
    } else this.#stop();
    this.#tell(begins ? "user-started-speaking" : "user-stopped-speaking");
  }

  #stop() {
    this.#stoppedMs = this.#now();
    this.#steps.clear();
    if (!this.#speaking && this.#said.length > 0) this.#steps.set("mind", 0);
  }

  /**
   * @param {string} text
   * @param {boolean} final
   */
  #onHeard(text, final) {
    if (final) this.#onSaid(text);
    this.#tell("user-transcription", { text, final });
  }

  // Who goes on before they are answered is heard again, with all of it.
  /** @param {string} text */
  #onSaid(text) {
    this.#step("ears");
    const before = letters(this.#heard);
    if (before && letters(text).startsWith(before))
      this.#tell("server-message", { type: "taken-back" });
    this.#heard = text;
  }

  /**
   * @param {string} text
   * @param {boolean} whole
   */
  #onThought(text, whole) {
    this.#step("mind");
    if (this.#answering === whole) this.#tell(whole ? "bot-llm-stopped" : "bot-llm-started");
    this.#answering = !whole;
    const segment = this.#current();
    segment.text = whole ? text : joined(segment.text, text);
    segment.whole = whole;
    if (this.#speaking) this.#show(segment, false);
  }

  #current() {
    const last = this.#said.at(-1);
    if (last && !last.whole) return last;
    this.#segments += 1;
    const segment = { id: `said-${this.#segments}`, text: "", whole: false };
    this.#said.push(segment);
    return segment;
  }

  // No word has a time: a text is still to come until the voice has said all of it.
  /**
   * @param {{ id: string, text: string }} segment
   * @param {boolean} over
   */
  #show({ id, text }, over) {
    this.#tell("bot-output", {
      segment_id: id,
      spoken_status: over ? "completed" : "new",
      spoken_progress: { accumulated_text: over ? text : "", remaining_text: over ? "" : text },
    });
  }

  #onSpeaking() {
    this.#speaking = true;
    this.#cutUntilMs = -Infinity;
    this.#heard = "";
    this.#step("voice");
    this.#tell("bot-started-speaking");
    for (const segment of this.#said) this.#show(segment, false);
    if (this.#stoppedMs === null) return;
    const steps = [...this.#steps].map(([name, at_s]) => ({ name, at_s }));
    this.#turn += 1;
    this.#tell("server-message", { type: "turn-latency", turn: this.#turn, steps });
    this.#stoppedMs = null;
  }

  #onSilent() {
    const said = this.#said;
    this.#speaking = false;
    this.#said = [];
    if (this.#now() < this.#cutUntilMs) this.#tell("bot-interrupted");
    else for (const segment of said) this.#show(segment, true);
    this.#tell("bot-stopped-speaking");
  }

  // An answer of which nothing was heard is followed by another one.
  #forgetUnsaid() {
    if (!this.#speaking) this.#said = [];
  }

  /** @param {any} event */
  #onStopped(event) {
    const reason = event.stop_reason ?? event.end_reason ?? event.payload?.stop_reason;
    this.#tell("server-message", ENDS[reason] ?? { type: "over", reason: "goodbye" });
  }

  /** @param {string} name */
  #step(name) {
    if (this.#stoppedMs === null || this.#steps.has(name)) return;
    this.#steps.set(name, Math.max(0, this.#now() - this.#stoppedMs) / 1000);
  }

  /** @param {string} text */
  #notice(text) {
    this.#tell("server-message", { type: "notice", text });
  }

  /**
   * @param {string} type
   * @param {object} [data]
   */
  #tell(type, data = {}) {
    this.#listener.tell(type, data);
  }
}

// Names are read with dots and with underscores.
const NAMES = new Map(
  [
    "user.speak_started",
    "user.speak_ended",
    "user.transcription",
    "user.transcription.chunk",
    "avatar.speak_started",
    "avatar.speak_ended",
    "avatar.transcription",
    "avatar.transcription.chunk",
    "user.push_to_talk_start_failed",
    "session.stopped",
  ].map((name) => [name.replaceAll(".", "_"), name]),
);

/**
 * Pieces of an answer put together, be each of them more of it or all of it until then.
 * @param {string} before
 * @param {string} piece
 */
const joined = (before, piece) => (piece.startsWith(before) ? piece : before + piece);

/** @param {string} text */
const letters = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
