// RTVI 2.2, the messages between a Pipecat bot and its client, read into what a page needs to know.

import { Turns } from "./turns.js";

const VERSION = "2.2.0";
const LABEL = "rtvi-ai";
// A turn that gets no answer leads back to listening.
const ANSWER_LIMIT_MS = 20_000;
const GOODBYES = { silence: "silence", duration: "timeUp" };

/**
 * One conversation in RTVI. `send` takes a message object; `listener` hears:
 *   ready()                                   the bot is there
 *   state("listening" | "thinking" | "speaking")
 *   userSaid({ text, final, id })             spoken, or typed when `id` is what say() returned
 *   avatarSaid({ segment, spoken, coming, words })   a segment's words until now, and those to
 *                                             come; `words` when they are told as they are spoken
 *   avatarCut()                               the avatar was interrupted
 *   turn({ turn, steps, exact })              how long an answer took, see turns.js
 *   faceLost(sentence)                        the picture is gone, the voice goes on
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
  #answerTimer;
  #hearsUserInput = false;
  #hearsBotOutput = false;
  #helloId;
  #turns;

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
    this.#helloId = this.#write("client-ready", { version: VERSION, about: { library: "avatar-call" } });
  }

  /** Sends typed text as the user's turn and returns its message id. */
  say(text) {
    this.#think();
    this.#turns.userStopped();
    return this.#write("send-text", { content: text });
  }

  /** Asks the bot to stop speaking. RTVI has no word for it: bots that know none go on. */
  interrupt() {
    this.#write("client-message", { t: "interrupt" });
  }

  /** The connection was gone for a while: what was missed is not waited for. */
  resume() {
    this.#userSpeaking = this.#botSpeaking = this.#answering = this.#thinking = false;
    this.#tellState();
  }

  close() {
    clearTimeout(this.#answerTimer);
  }

  read({ label, type, id, data }) {
    if (label === LABEL) this.#readers[type]?.(data ?? {}, id);
  }

  #readers = {
    "bot-ready": () => this.#onReady(),
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

  #write(type, data) {
    const id = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    this.#send({ label: LABEL, type, id, data });
    return id;
  }

  #onReady() {
    if (this.#ready) return;
    this.#ready = true;
    this.#listener.ready();
    this.#tellState();
  }

  #onUserSpeaking(speaking) {
    this.#userSpeaking = speaking;
    if (!speaking) this.#turns.userStopped();
    if (!speaking) return this.#think();
    this.#thinking = false;
    this.#tellState();
  }

  #onAnswering(answering) {
    this.#answering = answering;
    if (answering) this.#think();
  }

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

  #onUserInput({ text, final, msg_id: id }) {
    this.#hearsUserInput = true;
    this.#listener.userSaid({ text, final, id });
  }

  // Bots of protocol 2.2 send every transcription twice, as user-input first.
  #onUserTranscription({ text, final }) {
    if (!this.#hearsUserInput) this.#listener.userSaid({ text, final });
  }

  // Text that is not spoken at all comes without `spoken_progress`, and only once. Bots of
  // protocol 1 send each text before and after it is spoken, and no segment.
  #onBotOutput({ text, segment_id: segment, spoken_progress: progress, spoken_status, spoken: told }) {
    this.#hearsBotOutput = true;
    if (!spoken_status && told === false) return;
    const spoken = (progress ? progress.accumulated_text : text).trim();
    const coming = progress ? progress.remaining_text.trim() : "";
    if (spoken_status === "in-progress" && !this.#botSpeaking) this.#onBotSpeaking(true);
    const words = spoken_status === "in-progress";
    if (spoken || coming) {
      this.#listener.avatarSaid({ segment: segment ?? Symbol(text), spoken, coming, words });
    }
  }

  // Bots that have no bot-output yet.
  #onBotTtsText({ text }) {
    if (this.#hearsBotOutput || !text?.trim()) return;
    this.#listener.avatarSaid({ segment: Symbol(text), spoken: text.trim(), coming: "" });
  }

  #onServerMessage(data) {
    const { type, text, reason } = data ?? {};
    if (type === "notice") this.#listener.notice(text);
    if (type === "face-lost") this.#listener.faceLost(text || "faceLost");
    if (type === "turn-latency") this.#turns.measured(data);
    if (type === "over") this.#listener.ended({ failed: false, reason: goodbye(reason) });
    if (type === "failed") this.#fail(text);
  }

  #onError({ error, fatal }) {
    if (fatal) this.#fail(error);
    else if (error) this.#listener.stumbled(error);
  }

  // Of versions that differ, the bot complains; both sides go on.
  #onErrorResponse({ error }, id) {
    if (error && id !== this.#helloId) this.#listener.stumbled(error);
  }

  #fail(sentence) {
    this.#listener.ended({ failed: true, reason: sentence || "broken", kind: "bot" });
  }
}

// A reason is one of the bot's words or a sentence of its own.
function goodbye(reason) {
  return GOODBYES[reason] ?? (reason?.includes(" ") ? reason : "goodbye");
}
