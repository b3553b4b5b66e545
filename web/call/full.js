// LiveAvatar's own room, in which LiveAvatar runs the conversation: its events become the messages
// that the rest of the page knows, and the server is told of them.

import { join as joinRoom } from "./livekit.js";
import { Relay } from "./relay.js";
import { Translation } from "./translation.js";

const TOPIC = "agent-control";
const AVATAR = "heygen";
const TALK = "PUSH_TO_TALK";
const LABEL = "rtvi-ai";
/** Nobody is told, where the server asks for nothing.
 * @type {Pick<Relay, "see" | "mute" | "act" | "close">} */
const NOBODY = { see() {}, mute() {}, act() {}, close() {} };
// What the user does, and not the server.
const USERS = ["avatar.speak_response", "avatar.interrupt"];

/**
 * Joins the session that /start has opened.
 * @param {Session} session
 * @param {Means} means
 * @returns {Promise<Call>}
 */
export async function join(session, means) {
  const call = new FullCall(session, means);
  await call.connect(session, means);
  return call;
}

class FullCall {
  #listener;
  #translation;
  #relay;
  /** @type {Call | undefined} */
  #room;
  #met = false;

  /**
   * @param {Session} session
   * @param {Means} means
   */
  constructor({ sessionId, relayKey = "", interactivity }, { server, listener }) {
    this.#listener = listener;
    this.#translation = new Translation(
      {
        tell: (type, data, id) => listener.message({ label: LABEL, type, id, data }),
        command: (command) => this.#command(command),
        muted: (muted) => this.#relay.mute(muted),
        active: () => this.#relay.act(),
        leaves: () => this.#leave(),
      },
      { talk: interactivity === TALK },
    );
    this.#relay = relayKey
      ? new Relay({
          url: new URL(`sessions/${sessionId}/events`, server),
          key: relayKey,
          told: (message) => this.#onTold(message),
          lost: () => this.#end({ failed: true, reason: "stopped", kind: "server" }),
        })
      : NOBODY;
  }

  /**
   * @param {Session} session
   * @param {Means} means
   */
  async connect(session, { microphone, signal }) {
    const listener = {
      ...this.#listener,
      track: (/** @type {MediaStreamTrack} */ track) => this.#onTrack(track),
      message: (/** @type {any} */ event) => this.#onEvent(event),
      ended: (/** @type {Ending} */ ending) => this.#end(ending),
    };
    try {
      const room = { topic: TOPIC, avatar: AVATAR };
      this.#room = await joinRoom(session, { microphone, listener, signal, ...room });
    } catch (error) {
      this.#relay.close();
      throw error;
    }
  }

  /** @param {object} message */
  send(message) {
    this.#translation.send(message);
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#room?.mute(muted);
  }

  /** @param {MediaStream} stream */
  async replaceMicrophone(stream) {
    await this.#room?.replaceMicrophone?.(stream);
  }

  /** WebRTC statistics, as a list of RTCStats. */
  async stats() {
    return (await this.#room?.stats?.()) ?? [];
  }

  // A session whose avatar never came is nobody's, so it ends with the call.
  close() {
    if (this.#met) this.#relay.close();
    else this.#leave();
    this.#room?.close();
  }

  // A server that is told ends the session itself.
  #leave() {
    if (this.#relay === NOBODY) this.#room?.send({ event_type: "session.stop" });
    this.#relay.close();
  }

  /** @param {{ event_type: string, text?: string }} command */
  #command(command) {
    if (USERS.includes(command.event_type)) this.#relay.see(command);
    this.#room?.send(command);
  }

  /** @param {MediaStreamTrack} track */
  #onTrack(track) {
    this.#met = true;
    this.#listener.track(track);
    this.#translation.meet();
  }

  /** @param {any} event */
  #onEvent(event) {
    if (typeof event?.event_type !== "string") return;
    this.#relay.see(event);
    this.#translation.read(event);
  }

  /** @param {any} message */
  #onTold(message) {
    if (message.type === "say") this.#translation.say(String(message.text));
    else if (message.type === "hush") this.#translation.hush();
    else this.#listener.message({ label: LABEL, type: "server-message", data: message });
  }

  /** @param {Ending} ending */
  #end(ending) {
    this.close();
    this.#listener.ended(ending);
  }
}
