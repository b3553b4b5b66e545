// One conversation: the microphone, the call and its messages, from the click to the end.

import {
  asksItself,
  carriesText,
  joinSession,
  needWebRtc,
  startSession,
  watchRoom,
} from "../call/call.js";
import { incoming, packets } from "../call/network.js";
import { CallError, endingOf } from "../call/request.js";
import { watchVoice } from "./level.js";
import { Microphone } from "./microphone.js";
import { Playout } from "./playout.js";
import { Rtvi } from "./rtvi.js";

const READY_LIMIT_MS = 30_000;
// Rooms send silence a few times a second only.
const HEARING_MS = 1_000;

/**
 * Used once. `place` is { server, transport, body } for a conversation, with a `session` for one to
 * come back to, and `ready` to wait for the server, or { room: { url, token } } to watch one;
 * `frame` is the element for a page of the transport's own.
 *
 * The listener hears, until `ended`:
 *   state("microphone" | "connecting" | "listening" | "thinking" | "speaking" | "reconnecting")
 *   live()                     the avatar is there
 *   track(mediaStreamTrack)
 *   level(0…1), unheard(true | false), microphoneGone(): see microphone.js
 *   voiceOnly()                nothing can be typed or read
 *   userSaid(…), avatarSaid(…), avatarCut(), turn(…), faceLost(…), faceBack(), notice(…),
 *   stumbled(…): see rtvi.js
 *   ended({ failed, reason, kind }), once, with everything released; `reason` is a key of texts.js
 *   or a sentence
 */
export class Conversation {
  #place;
  #frame;
  /** @type {ConversationListener | null} */
  #listener;
  #rtvi;
  /** @type {Call | undefined} */
  #call;
  /** @type {Session | undefined} */
  #session;
  #microphone;
  #canSend = false;
  #live = false;
  #dropped = false;
  #voiceOnly = false;
  #muted = false;
  #held = true;
  #over = false;
  #abort = new AbortController();
  #playout = new Playout(() => this.stats());
  /** @type {MediaStreamTrack[]} */
  #tracks = [];
  /** @type {(() => void)[]} */
  #releases = [];

  /** @param {{ place: Place, frame: HTMLElement, listener: ConversationListener }} wishes */
  constructor({ place, frame, listener }) {
    this.#place = place;
    this.#frame = frame;
    this.#listener = listener;
    this.#rtvi = new Rtvi((message) => this.#call?.send(message), {
      ready: () => this.#onReady(),
      state: (state) => this.#onState(state),
      userSaid: (said) => this.#tell("userSaid", said),
      avatarSaid: (said) => this.#onAvatarSaid(said),
      avatarCut: () => this.#playout.hold(() => this.#tell("avatarCut")),
      // Whoever watches has read it already, or came later.
      said: (turn) => this.#watches || this.#tell("said", turn),
      takenBack: () => this.#playout.hold(() => this.#tell("takenBack")),
      turn: (turn) => this.#tell("turn", turn),
      spend: (dollars) => this.#tell("spend", dollars),
      faceLost: (lost) => this.#tell("faceLost", lost),
      faceBack: () => this.#tell("faceBack"),
      notice: (sentence) => this.#tell("notice", sentence),
      stumbled: (sentence) => this.#tell("stumbled", sentence),
      ended: (ending) => this.#finish(ending),
    });
    this.#microphone = new Microphone({
      level: (level) => this.#tell("level", level),
      unheard: (unheard) => this.#tell("unheard", unheard),
      gone: () => this.#tell("microphoneGone"),
    });
    this.#releases.push(() => this.#rtvi.close());
    this.#releases.push(() => this.#microphone.stop());
  }

  /** How long the answers took, see turns.js. */
  get turns() {
    return this.#rtvi.turns;
  }

  /**
   * Without `voice` the microphone is never asked for; `held` is as in hold(). Failures are told,
   * not thrown.
   * @param {{ voice: boolean, held: boolean }} how
   */
  async start({ voice, held }) {
    this.hold(held);
    try {
      needWebRtc();
      if (voice && !this.#watches && !asksItself(this.#place.transport)) await this.#listen();
      if (!this.#over) await this.#connect(voice);
    } catch (error) {
      if (this.#over) return;
      this.#finish(endingOf(error));
      if (!(error instanceof CallError)) throw error;
    }
  }

  /**
   * Sends typed text and returns its message id.
   * @param {string} text
   */
  say(text) {
    return this.#rtvi.say(text);
  }

  interrupt() {
    this.#rtvi.interrupt();
  }

  /** The user is typing. */
  typing() {
    this.#rtvi.typing();
  }

  /**
   * Whether the browser lets the avatar be heard.
   * @param {boolean} heard
   */
  sound(heard) {
    this.#rtvi.sound(!heard);
  }

  /**
   * In how many device pixels the picture is seen, 0 when it is not.
   * @param {number} width
   * @param {number} height
   */
  view(width, height) {
    this.#rtvi.view(width, height);
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#muted = muted;
    this.#openMicrophone();
    this.#call?.mute(muted);
  }

  /**
   * Push-to-talk: whether the user holds the button. True where there is no button to hold.
   * @param {boolean} held
   */
  hold(held) {
    this.#held = held;
    this.#openMicrophone();
  }

  /**
   * Changes to another microphone; null is the system's own choice.
   * @param {string | null} id
   */
  async useMicrophone(id) {
    this.#microphone.choose(id);
    if (!this.#microphone.stream && !this.#live) return;
    const stream = await this.#microphone.start();
    if (this.#over) return this.#microphone.stop();
    if (stream) await this.#call?.replaceMicrophone?.(stream);
  }

  /** WebRTC statistics, as a list of RTCStats. */
  async stats() {
    return (await this.#call?.stats?.()) ?? [];
  }

  /** Whether sound comes from the avatar, be it silence. */
  async hears() {
    const before = await this.#soundPackets();
    await new Promise((resolve) => setTimeout(resolve, HEARING_MS));
    return (await this.#soundPackets()) > before;
  }

  /**
   * Ends it for good.
   * @param {string} reason
   */
  end(reason) {
    this.#rtvi.leave();
    this.#finish({ failed: false, reason });
  }

  /**
   * Lets go of a conversation that goes on, and gives what another page needs to take it up; null
   * where it does not go on.
   */
  letGo() {
    const session = this.#live && this.#session?.returnS ? this.#session : null;
    this.#listener = null;
    this.#playout.close();
    this.#release();
    return session && { ...session, isTakenUp: true };
  }

  /** Ends it for good and tells nobody on the page. */
  abandon() {
    this.#rtvi.leave();
    this.#listener = null;
    this.#playout.close();
    this.#release();
  }

  get #watches() {
    return Boolean(this.#place.room);
  }

  get #hasMessages() {
    return !this.#watches && !this.#voiceOnly && carriesText(this.#place.transport);
  }

  #openMicrophone() {
    const open = this.#held && !this.#muted;
    this.#microphone.isOpen = open;
    this.#rtvi.microphone(!open);
  }

  async #listen() {
    this.#onState("microphone");
    await this.#microphone.start();
    if (this.#over) this.#microphone.stop();
  }

  /** @param {boolean} voice */
  async #connect(voice) {
    this.#onState(this.#place.session ? "reconnecting" : "connecting");
    const means = {
      microphone: this.#microphone.stream,
      voice,
      frame: this.#frame,
      listener: this.#callListener(),
      signal: this.#abort.signal,
    };
    const call = await this.#open(means);
    if (this.#over) return call.close();
    this.#call = call;
    this.#releases.push(() => call.close());
    if (this.#muted) call.mute(true);
    this.#waitUntilLive();
    if (this.#canSend) this.#greet();
    else if (this.#hasMessages) void this.#goOnByVoice();
  }

  /** @param {Omit<Means, "server">} means */
  async #open(means) {
    const { room, session, server = "", transport = "webrtc", body = {}, ready } = this.#place;
    if (room) return watchRoom(room, means);
    await ready?.();
    means.signal.throwIfAborted();
    const place = { server, transport, body };
    this.#session = session ?? (await startSession(place, means.signal));
    return joinSession(this.#session, place, means);
  }

  // Messages do not travel on every network, or in every browser: there is no more to see then.
  async #goOnByVoice() {
    if (!(await this.hears()) || this.#live || this.#over) return;
    if (!this.#microphone.stream)
      return this.#finish({ failed: true, reason: "voiceOnly", kind: "network" });
    this.#voiceOnly = true;
    for (const track of this.#tracks) this.#listenTo(track);
    this.#tell("voiceOnly");
  }

  /** @returns {CallListener} */
  #callListener() {
    return {
      track: (track) => this.#onTrack(track),
      open: () => this.#onOpen(),
      message: (message) => this.#rtvi.read(message),
      dropped: () => this.#onDropped(true),
      restored: () => this.#onDropped(false),
      unheard: (reason) => this.#tell("notice", reason),
      ended: (ending) => this.#finish(ending),
    };
  }

  // The call may open before join() has returned it; #connect greets then.
  #onOpen() {
    this.#canSend = true;
    if (this.#call) this.#greet();
  }

  // Who only watches says nothing.
  #greet() {
    if (!this.#watches) this.#rtvi.hello();
  }

  /** @param {MediaStreamTrack} track */
  #onTrack(track) {
    this.#tracks.push(track);
    this.#tell("track", track);
    if (!this.#hasMessages) this.#listenTo(track);
  }

  // A sentence takes its place when it is announced, and its words come when they are heard.
  /** @param {Speech} said */
  #onAvatarSaid(said) {
    this.#playout.look();
    // One that was cut before is not this one.
    const tell = () => this.#tell("avatarSaid", said);
    if (said.spoken) this.#playout.hold(tell);
    else this.#playout.after(tell);
  }

  // A room without messages for us: its sound tells who is speaking.
  /** @param {MediaStreamTrack} track */
  #listenTo(track) {
    if (!this.#live) {
      this.#onLive();
      this.#onState("listening");
    }
    if (track.kind !== "audio") return;
    /** @param {boolean} speaking */
    const tell = (speaking) => this.#onState(speaking ? "speaking" : "listening");
    this.#releases.push(watchVoice(new MediaStream([track]), tell));
  }

  /** @param {boolean} dropped */
  #onDropped(dropped) {
    this.#dropped = dropped;
    this.#microphone.isExpected = !dropped;
    if (dropped) this.#tell("state", "reconnecting");
    else if (this.#hasMessages) this.#rtvi.resume();
    else this.#onState("listening");
  }

  /** @param {string} state */
  #onState(state) {
    this.#microphone.isExpected = state === "listening" && !this.#dropped;
    if (!this.#dropped) this.#tell("state", state);
  }

  // A room that is watched may well be empty still.
  #waitUntilLive() {
    if (this.#live || this.#watches) return;
    const fail = () => this.#finish({ failed: true, reason: "notReady", kind: "server" });
    const timer = setTimeout(async () => {
      if (this.#hasMessages) await this.#goOnByVoice();
      if (!this.#live) fail();
    }, READY_LIMIT_MS);
    this.#releases.push(() => clearTimeout(timer));
  }

  #onReady() {
    this.#voiceOnly = false;
    if (this.#session?.returnS) this.#rtvi.returns();
    this.#onLive();
  }

  #onLive() {
    this.#live = true;
    this.#tell("live");
  }

  async #soundPackets() {
    return packets(incoming(await this.stats(), "audio"));
  }

  /**
   * @param {keyof ConversationListener} event
   * @param {any} [detail]
   */
  #tell(event, detail) {
    if (!this.#over) /** @type {any} */ (this.#listener)?.[event](detail);
  }

  /** @param {Ending} ending */
  #finish(ending) {
    if (this.#over) return;
    this.#playout.close();
    this.#release();
    this.#listener?.ended(ending);
  }

  #release() {
    this.#over = true;
    this.#abort.abort();
    for (const release of this.#releases.splice(0)) release();
  }
}
