// RTVI, the messages between a Pipecat bot and its client, read into what a page needs to know.

const VERSION = "2.2.0";
const LABEL = "rtvi-ai";
// A turn that gets no answer leads back to listening.
const ANSWER_LIMIT_MS = 20_000;
const GOODBYE = "The conversation has ended.";
const GOODBYES = {
  silence: "It was quiet for a while, so the conversation has ended.",
  duration: "The time for this conversation is up.",
};
const BROKEN = "The avatar ran into a problem and had to stop.";

/**
 * One conversation in RTVI. `send` takes a message object; `listener` hears:
 *   ready()                                   the bot is there
 *   state("listening" | "thinking" | "speaking")
 *   userSaid({ text, final, id })             spoken, or typed when `id` is what say() returned
 *   avatarSaid({ segment, spoken, coming })   a segment's words until now, and those to come
 *   avatarCut()                               the avatar was interrupted
 *   notice(sentence)                          something quiet to show
 *   ended({ failed, reason })
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

  constructor(send, listener) {
    this.#send = send;
    this.#listener = listener;
  }

  /** Introduces this page to the bot. Needless and harmless once the bot has answered. */
  hello() {
    if (this.#ready) return;
    this.#write("client-ready", { version: VERSION, about: { library: "avatar-web" } });
  }

  /** Sends typed text as the user's turn and returns its message id. */
  say(text) {
    this.#think();
    return this.#write("send-text", { content: text });
  }

  close() {
    clearTimeout(this.#answerTimer);
  }

  read({ label, type, data }) {
    if (label === LABEL) this.#readers[type]?.(data ?? {});
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
    "server-message": (data) => this.#onServerMessage(data),
    "error": (data) => this.#onError(data),
    "error-response": (data) => data.error && this.#listener.notice(data.error),
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

  // Text that is not spoken at all comes without `spoken_progress`, and only once.
  #onBotOutput({ text, segment_id: segment, spoken_progress: progress }) {
    const spoken = (progress ? progress.accumulated_text : text).trim();
    const coming = progress ? progress.remaining_text.trim() : "";
    if (spoken || coming) this.#listener.avatarSaid({ segment, spoken, coming });
  }

  #onServerMessage({ type, text, reason }) {
    if (type === "notice") this.#listener.notice(text);
    if (type === "over") this.#listener.ended({ failed: false, reason: goodbye(reason) });
    if (type === "failed") this.#listener.ended({ failed: true, reason: text || BROKEN });
  }

  #onError({ error, fatal }) {
    if (fatal) this.#listener.ended({ failed: true, reason: error ? `${BROKEN} ${error}` : BROKEN });
    else if (error) this.#listener.notice(error);
  }
}

// A reason is one of the bot's words or a sentence of its own.
function goodbye(reason) {
  return GOODBYES[reason] ?? (reason?.includes(" ") ? reason : GOODBYE);
}
