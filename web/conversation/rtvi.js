// RTVI 2.2, the messages between a Pipecat bot and its client, read into what a page needs to know.

import { Turns } from "./turns.js";

const VERSION = "2.2.0";
const LABEL = "rtvi-ai";
// From this one on, every bot tells what it says by bot-output.
const OUTPUT_VERSION = 2;
// A turn that gets no answer leads back to listening.
const ANSWER_LIMIT_MS = 20_000;
const TYPING_PERIOD_MS = 3_000;
const GOODBYES = new Map([
  ["silence", "silence"],
  ["duration", "timeUp"],
  ["update", "updating"],
  ["spend", "spent"],
  ["spend-day", "spentToday"],
  ["credits", "noCredits"],
]);

/**
 * One conversation in RTVI. `send` takes a message object; `listener` hears:
 *   ready()                                   the bot is there
 *   state("listening" | "thinking" | "speaking")
 *   userSaid({ text, final, id })             spoken, or typed when `id` is what say() returned
 *   avatarSaid({ segment, spoken, coming, words })   a segment's words until now, and those to
 *                                             come; `words` when they are told as they are spoken
 *   avatarCut()                               the avatar was interrupted
 *   said({ who, text, at_s, interrupted, now_s })   a turn of this conversation that another page saw
 *   takenBack()                               the user's last turn goes on, and was not answered
 *   turn({ turn, steps, exact })              how long an answer took, see turns.js
 *   spend(dollars)                            what the conversation has cost so far
 *   faceLost({ sentence, pictured })          the face is gone, the voice goes on, and perhaps another picture
 *   faceBack()                                the face is there again
 *   notice(sentence)                          something quiet to show
 *   stumbled(sentence)                        an error the bot goes on from, in developers' words
 *   ended({ failed, reason, kind })
 */
export class Rtvi {
  #send;
  #listener;
  #ready = false;
  #userSpeaking = false;
  #botSpeaking = false;
  #answering = false;
  #thinking = false;
  #muted = false;
  #toldMuted = false;
  #blocked = false;
  #toldBlocked = false;
  /** @type {{ width: number, height: number } | undefined} */
  #view;
  /** @type {{ width: number, height: number } | undefined} */
  #toldView;
  #typedMs = -Infinity;
  /** @type {Timer | undefined} */
  #answerTimer;
  #hearsUserInput = false;
  #hearsBotOutput = false;
  /** @type {string | undefined} */
  #helloId;
  #turns;

  /**
   * @param {(message: object) => void} send
   * @param {RtviListener} listener
   */
  constructor(send, listener) {
    this.#send = send;
    this.#listener = listener;
    this.#turns = new Turns((turn) => listener.turn(turn));
  }

  /** The turns so far, see turns.js. */
  get turns() {
    return this.#turns;
  }

  /** Introduces this page to the bot. Needless and harmless once the bot has answered. */
  hello() {
    if (this.#ready) return;
    this.#helloId = this.#write("client-ready", {
      version: VERSION,
      about: { library: "avatar-call" },
    });
  }

  /**
   * Sends typed text as the user's turn and returns its message id.
   * @param {string} text
   */
  say(text) {
    this.#think();
    this.#turns.userStopped();
    return this.#write("send-text", { content: text });
  }

  // RTVI has no word for these: a bot that does not know them goes on.

  /** Asks the bot to stop speaking. */
  interrupt() {
    this.#write("client-message", { t: "interrupt" });
  }

  /** The user is typing, which the bot hears of every few seconds. */
  typing() {
    const nowMs = performance.now();
    if (!this.#ready || nowMs - this.#typedMs < TYPING_PERIOD_MS) return;
    this.#typedMs = nowMs;
    this.#write("client-message", { t: "typing" });
  }

  /**
   * Whether the user's voice is kept from the bot, which takes it for open until it hears this.
   * @param {boolean} muted
   */
  microphone(muted) {
    this.#muted = muted;
    if (!this.#ready || muted === this.#toldMuted) return;
    this.#toldMuted = muted;
    this.#write("client-message", { t: "microphone", d: { muted } });
  }

  /**
   * Whether the browser keeps the bot's voice from the user, who is greeted once it does not.
   * @param {boolean} blocked
   */
  sound(blocked) {
    this.#blocked = blocked;
    if (!this.#ready || blocked === this.#toldBlocked) return;
    this.#toldBlocked = blocked;
    this.#write("client-message", { t: "sound", d: { blocked } });
  }

  /**
   * In how many device pixels the bot's picture is seen, 0 when it is not: it is sent no larger.
   * @param {number} width
   * @param {number} height
   */
  view(width, height) {
    this.#view = { width, height };
    this.#tellView();
  }

  #tellView() {
    const { width, height } = this.#view ?? {};
    const told = this.#toldView;
    if (!this.#ready || (width === told?.width && height === told?.height)) return;
    this.#toldView = this.#view;
    this.#write("client-message", { t: "view", d: { width, height } });
  }

  /** This page can come back when it drops: the bot waits for it. */
  returns() {
    this.#write("client-message", { t: "returns" });
  }

  /** The user leaves and does not come back. */
  leave() {
    if (this.#ready) this.#write("client-message", { t: "leave" });
  }

  /** The connection was gone for a while: what was missed is not waited for. */
  resume() {
    if (this.#ready) this.#write("client-message", { t: "back" });
    // What changed meanwhile may not have reached the bot.
    this.#toldMuted = !this.#muted;
    this.microphone(this.#muted);
    this.#toldView = undefined;
    this.#tellView();
    this.#userSpeaking = this.#botSpeaking = this.#answering = this.#thinking = false;
    this.#tellState();
  }

  close() {
    clearTimeout(this.#answerTimer);
  }

  /**
   * Reads what came from the bot, or from whoever else is in a room.
   * @param {unknown} message
   */
  read(message) {
    const { label, type, id, data } = Object(message);
    if (label === LABEL && Object.hasOwn(this.#readers, type))
      this.#readers[type](Object(data), id);
  }

  /** @type {Record<string, (data: any, id?: string) => void>} */
  #readers = {
    "bot-ready": (data) => this.#onReady(data),
    "user-started-speaking": () => this.#onUserSpeaking(true),
    "user-stopped-speaking": () => this.#onUserSpeaking(false),
    "bot-llm-started": () => this.#onAnswering(true),
    "bot-llm-stopped": () => this.#onAnswering(false),
    "bot-started-speaking": () => this.#onBotSpeaking(true),
    "bot-stopped-speaking": () => this.#onBotSpeaking(false),
    "bot-interrupted": () => this.#listener.avatarCut(),
    "user-input": (data) => this.#onUserInput(data),
    "user-transcription": (data) => this.#onUserTranscription(data),
    "bot-output": (data) => this.#onBotOutput(data),
    "bot-tts-text": (data) => this.#onBotTtsText(data),
    "metrics": (data) => this.#turns.metrics(data),
    "server-message": (data) => this.#onServerMessage(data),
    "error": (data) => this.#onError(data),
    "error-response": (data, id) => this.#onErrorResponse(data, id),
  };

  /**
   * @param {string} type
   * @param {object} data
   */
  #write(type, data) {
    const id = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    this.#send({ label: LABEL, type, id, data });
    return id;
  }

  /** @param {any} data */
  #onReady({ version }) {
    if (this.#ready) return;
    this.#ready = true;
    this.#hearsBotOutput ||= Number.parseInt(version, 10) >= OUTPUT_VERSION;
    this.#listener.ready();
    this.microphone(this.#muted);
    this.sound(this.#blocked);
    this.#tellView();
    this.#tellState();
  }

  /** @param {boolean} speaking */
  #onUserSpeaking(speaking) {
    this.#userSpeaking = speaking;
    if (!speaking) this.#turns.userStopped();
    if (!speaking) return this.#think();
    this.#thinking = false;
    this.#tellState();
  }

  /** @param {boolean} answering */
  #onAnswering(answering) {
    this.#answering = answering;
    if (answering) this.#think();
  }

  /** @param {boolean} speaking */
  #onBotSpeaking(speaking) {
    this.#botSpeaking = speaking;
    if (speaking) this.#turns.botStarted();
    else this.#turns.botStopped();
    this.#thinking = !speaking && this.#answering;
    this.#tellState();
  }

  #think() {
    this.#thinking = !this.#botSpeaking;
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(() => this.#giveUpThinking(), ANSWER_LIMIT_MS);
    this.#tellState();
  }

  #giveUpThinking() {
    if (this.#answering) return;
    this.#thinking = false;
    this.#tellState();
  }

  #tellState() {
    if (!this.#ready) return;
    if (this.#userSpeaking) this.#listener.state("listening");
    else if (this.#botSpeaking) this.#listener.state("speaking");
    else this.#listener.state(this.#thinking ? "thinking" : "listening");
  }

  /** @param {any} data */
  #onUserInput({ text, final, msg_id: id }) {
    this.#hearsUserInput = true;
    this.#listener.userSaid({ text: words(text), final, id });
  }

  // Bots of protocol 2.2 send every transcription twice, as user-input first.
  /** @param {any} data */
  #onUserTranscription({ text, final }) {
    if (!this.#hearsUserInput) this.#listener.userSaid({ text: words(text), final });
  }

  // Text that is not spoken at all comes without `spoken_progress`, and only once. Bots of
  // protocol 1 send each text before and after it is spoken, and no segment.
  /** @param {any} data */
  #onBotOutput({
    text,
    segment_id: segment,
    spoken_progress: progress,
    spoken_status,
    spoken: told,
  }) {
    this.#hearsBotOutput = true;
    if (!spoken_status && told === false) return;
    const spoken = words(progress ? progress.accumulated_text : text);
    const coming = words(progress?.remaining_text);
    if (spoken_status === "in-progress" && !this.#botSpeaking) this.#onBotSpeaking(true);
    if (!spoken && !coming) return;
    const tells = spoken_status === "in-progress";
    this.#listener.avatarSaid({ segment: segment ?? Symbol(spoken), spoken, coming, words: tells });
  }

  // Bots that have no bot-output yet: of others, this may come before the first one.
  /** @param {any} data */
  #onBotTtsText({ text }) {
    const spoken = words(text);
    if (!this.#ready || this.#hearsBotOutput || !spoken) return;
    this.#listener.avatarSaid({ segment: Symbol(spoken), spoken, coming: "" });
  }

  /** @param {any} data */
  #onServerMessage(data) {
    const { type, reason } = data;
    const text = words(data.text);
    if (type === "notice" && text) this.#listener.notice(text);
    if (type === "unheard") this.#onUnheard(text);
    if (type === "face-lost") {
      this.#listener.faceLost({ sentence: text || "faceLost", pictured: data.picture === true });
    }
    if (type === "face-back") this.#listener.faceBack();
    if (type === "said") this.#listener.said(data);
    if (type === "taken-back") this.#listener.takenBack();
    if (type === "turn-latency") this.#turns.measured(data);
    if (type === "spend" && Number.isFinite(data.dollars)) this.#listener.spend(data.dollars);
    if (type === "over") this.#listener.ended({ failed: false, reason: goodbye(words(reason)) });
    if (type === "failed") this.#fail(text);
  }

  /**
   * What the avatar would say and has no voice for: the user reads it, and may go on.
   * @param {string} sentence
   */
  #onUnheard(sentence) {
    this.#answering = this.#thinking = false;
    if (sentence) this.#listener.notice(sentence);
    this.#tellState();
  }

  /** @param {any} data */
  #onError({ error, fatal }) {
    if (fatal) this.#fail(words(error));
    else if (words(error)) this.#listener.stumbled(words(error));
  }

  // Of versions that differ, the bot complains; both sides go on.
  /**
   * @param {any} data
   * @param {string} [id]
   */
  #onErrorResponse({ error }, id) {
    if (words(error) && id !== this.#helloId) this.#listener.stumbled(words(error));
  }

  /** @param {string} sentence */
  #fail(sentence) {
    this.#listener.ended({ failed: true, reason: sentence || "broken", kind: "bot" });
  }
}

/**
 * A reason is one of the bot's words or a sentence of its own.
 * @param {string} reason
 */
function goodbye(reason) {
  return GOODBYES.get(reason) ?? (reason.includes(" ") ? reason : "goodbye");
}

/** @param {unknown} text */
const words = (text) => (typeof text === "string" ? text.trim() : "");
