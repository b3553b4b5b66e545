// One conversation: the microphone, the call and its messages, from the click to the end.

import { asksItself, carriesText, openCall } from "./call.js";
import { watchLevel, watchVoice } from "./level.js";
import { openMicrophone, stopMicrophone } from "./microphone.js";
import { CallError } from "./request.js";
import { Rtvi } from "./rtvi.js";

const READY_LIMIT_MS = 30_000;

const NOT_READY = "The avatar did not get ready in time. Try again in a moment.";
const PAGE_BROKE = "Something went wrong on this page. Try again.";
const UNPLUGGED = "The microphone is gone. You can go on by typing.";

/**
 * Used once; `listener` hears, until `ended`:
 *   state("microphone" | "connecting" | "listening" | "thinking" | "speaking")
 *   track(mediaStreamTrack), level(0…1 of the microphone)
 *   userSaid(…), avatarSaid(…), avatarCut(), notice(sentence): see rtvi.js
 *   trouble(sentence | null)
 *   ended({ failed, reason, kind }), once, with everything released
 */
export class Conversation {
  #transport;
  #variables;
  #frame;
  #listener;
  #rtvi;
  #call;
  #microphone;
  #canSend = false;
  #live = false;
  #over = false;
  #abort = new AbortController();
  #releases = [];

  constructor({ transport, variables, frame, listener }) {
    this.#transport = transport;
    this.#variables = variables;
    this.#frame = frame;
    this.#listener = listener;
    this.#rtvi = new Rtvi((message) => this.#call?.send(message), {
      ready: () => this.#onLive(),
      state: (state) => this.#tell("state", state),
      userSaid: (said) => this.#tell("userSaid", said),
      avatarSaid: (said) => this.#tell("avatarSaid", said),
      avatarCut: () => this.#tell("avatarCut"),
      notice: (sentence) => this.#tell("notice", sentence),
      ended: (ending) => this.#finish(ending),
    });
    this.#releases.push(() => this.#rtvi.close());
  }

  /** Without `voice` the microphone is never asked for. Failures are told, not thrown. */
  async start({ voice }) {
    try {
      if (voice && !asksItself(this.#transport)) await this.#openMicrophone();
      if (!this.#over) await this.#connect(voice);
    } catch (error) {
      if (this.#over) return;
      const known = error instanceof CallError;
      this.#finish({ failed: true, reason: known ? error.message : PAGE_BROKE, kind: error.kind });
      if (!known) throw error;
    }
  }

  /** Sends typed text and returns its message id. */
  say(text) {
    return this.#rtvi.say(text);
  }

  mute(muted) {
    this.#microphone?.getAudioTracks().forEach((track) => (track.enabled = !muted));
    this.#call?.mute(muted);
  }

  end(reason) {
    this.#finish({ failed: false, reason });
  }

  async #openMicrophone() {
    this.#tell("state", "microphone");
    const stream = await openMicrophone();
    if (this.#over) return stopMicrophone(stream);
    this.#microphone = stream;
    this.#releases.push(() => stopMicrophone(stream));
    this.#releases.push(watchLevel(stream, (level) => this.#tell("level", level)));
    stream.getAudioTracks()[0].onended = () => this.#tell("notice", UNPLUGGED);
  }

  async #connect(voice) {
    this.#tell("state", "connecting");
    const call = await openCall(this.#transport, {
      microphone: this.#microphone,
      voice,
      variables: this.#variables,
      frame: this.#frame,
      listener: this.#callListener(),
      signal: this.#abort.signal,
    });
    if (this.#over) return call.close();
    this.#call = call;
    this.#releases.push(() => call.close());
    this.#waitUntilLive();
    if (this.#canSend) this.#rtvi.hello();
  }

  #callListener() {
    return {
      track: (track) => this.#onTrack(track),
      open: () => this.#onOpen(),
      message: (message) => this.#rtvi.read(message),
      trouble: (sentence) => this.#tell("trouble", sentence),
      ended: (ending) => this.#finish(ending),
    };
  }

  // The call may open before join() has returned it; #connect says hello then.
  #onOpen() {
    this.#canSend = true;
    if (this.#call) this.#rtvi.hello();
  }

  #onTrack(track) {
    this.#tell("track", track);
    if (!carriesText(this.#transport)) this.#listenTo(track);
  }

  // A room without messages: its sound tells who is speaking.
  #listenTo(track) {
    this.#onLive();
    this.#tell("state", "listening");
    if (track.kind !== "audio") return;
    const tell = (speaking) => this.#tell("state", speaking ? "speaking" : "listening");
    this.#releases.push(watchVoice(new MediaStream([track]), tell));
  }

  #waitUntilLive() {
    if (this.#live) return;
    const fail = () => this.#finish({ failed: true, reason: NOT_READY });
    const timer = setTimeout(() => this.#live || fail(), READY_LIMIT_MS);
    this.#releases.push(() => clearTimeout(timer));
  }

  #onLive() {
    this.#live = true;
  }

  #tell(event, detail) {
    if (!this.#over) this.#listener[event](detail);
  }

  #finish(ending) {
    if (this.#over) return;
    this.#over = true;
    this.#abort.abort();
    this.#releases.splice(0).forEach((release) => release());
    this.#listener.ended(ending);
  }
}
