// A LiveKit room: the bot's own, in which LiveAvatar's face may be, or the one LiveAvatar opens for it.

import { Cameras, isSent } from "./cameras.js";
import { parsed } from "./message.js";
import { carried } from "./network.js";
import { Pulse } from "./pulse.js";
import { CallError } from "./request.js";

/** @typedef {NonNullable<Window["LivekitClient"]>} Client */

// The file that npm publishes: a classic script, which leaves a global when loaded as a module.
const CLIENT = "../vendor/livekit-client/livekit-client.umd.js";
const FULL = /full|limit|max.?participants/i;
const RATE_HZ = 48_000;
const GOODBYE_MS = 200;

/**
 * Joins the room of `session`; without a `microphone`, only to watch and listen. Messages go out
 * under `topic`, if there is one. Of an `avatar` whose identity is known alone picture and sound are
 * taken, and it is over when that one leaves.
 * @param {Room} session
 * @param {Pick<Means, "microphone" | "listener" | "signal"> & { topic?: string, avatar?: string }} means
 */
export async function join(session, { microphone, listener, signal, topic, avatar }) {
  const LiveKit = await loadClient();
  const audioContext = await spentContext();
  signal.throwIfAborted();
  // A page that goes may come back, so it says itself what it means by going.
  const options = { webAudioMix: { audioContext }, disconnectOnPageLeave: false };
  const call = new LiveKitCall(LiveKit, options, listener, { topic, avatar });
  const abandon = () => call.close();
  signal.addEventListener("abort", abandon);
  try {
    await call.connect(session, microphone);
    return call;
  } catch (error) {
    call.close();
    signal.throwIfAborted();
    throw refusal(error, LiveKit);
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

// A server that takes the token and refuses the WebSocket all the same does not tell a browser why:
// LiveKit's does so when the room is full.
/**
 * @param {any} error
 * @param {Client} LiveKit
 */
function refusal(error, { ConnectionErrorReason: Reason }) {
  if (FULL.test(error.message)) return new CallError("roomFull", "full", { cause: error });
  if (error.reason === Reason.WebSocket)
    return new CallError("roomRefuses", "full", { cause: error });
  return new CallError("noRoom", "room", { cause: error });
}

async function loadClient() {
  if (!window.LivekitClient) await import(CLIENT).catch(() => {});
  const client = window.LivekitClient;
  if (!client) throw new CallError("noLiveKit", "room");
  client.setLogLevel("warn");
  return client;
}

// LiveKit's client makes an AudioContext to play sound with, of which browsers complain on a page
// that nobody has touched. The sound is played by video.js, so it gets one that has come to its end.
async function spentContext() {
  const context = new OfflineAudioContext(1, 1, RATE_HZ);
  await context.startRendering();
  return /** @type {AudioContext} */ (/** @type {BaseAudioContext} */ (context));
}

class LiveKitCall {
  #room;
  #listener;
  #topic;
  /** @type {import("livekit-client").LocalTrackPublication | undefined} */
  #publication;
  /** @type {Set<import("livekit-client").RemoteTrack>} */
  #tracks = new Set();
  #live = false;
  #closed = false;
  #sentMs = -Infinity;
  /** @type {string | undefined} */
  #avatar;
  #only;
  #cameras = new Cameras((track) => this.#tell("track", track));
  #pulse = new Pulse({
    carried: async () => carried(await this.stats()),
    missed: () => this.#end({ failed: true, reason: "stopped", kind: "server" }),
  });

  /**
   * @param {Client} LiveKit
   * @param {import("livekit-client").RoomOptions} options
   * @param {CallListener} listener
   * @param {{ topic?: string, avatar?: string }} known
   */
  constructor({ Room, RoomEvent }, options, listener, { topic, avatar }) {
    this.#listener = listener;
    this.#topic = topic;
    this.#avatar = this.#only = avatar;
    this.#room = new Room(options);
    this.#room
      .on(RoomEvent.TrackSubscribed, (track, _, from) => this.#onTrack(track, from))
      .on(RoomEvent.TrackUnsubscribed, (track) => this.#offTrack(track))
      .on(RoomEvent.DataReceived, (bytes, from) => this.#onData(bytes, from))
      .on(RoomEvent.ParticipantConnected, (who) => isSent(who) || this.#tell("open"))
      .on(RoomEvent.ParticipantDisconnected, ({ identity }) => this.#onLeft(identity))
      .on(RoomEvent.Reconnecting, () => this.#tell("dropped"))
      .on(RoomEvent.Reconnected, () => this.#tell("restored"))
      .on(RoomEvent.Disconnected, () =>
        this.#end({ failed: true, reason: "lost", kind: "network" }),
      );
  }

  /**
   * @param {Room} room
   * @param {MediaStream | null} microphone
   */
  async connect({ url, token }, microphone) {
    await this.#room.connect(url, token);
    const track = microphone?.getAudioTracks()[0];
    if (track) {
      const source = /** @type {import("livekit-client").Track.Source} */ ("microphone");
      this.#publication = await this.#room.localParticipant.publishTrack(track, { source });
    }
    this.#live = true;
    // Data reaches only who is in the room already; a later bot is met by ParticipantConnected.
    if (!this.#isAlone) this.#tell("open");
  }

  // What cannot be sent is lost with the connection, of which the room tells by itself.
  /** @param {object} message */
  send(message) {
    if (this.#closed) return;
    const bytes = new TextEncoder().encode(JSON.stringify(message));
    this.#sentMs = performance.now();
    const how = { reliable: true, ...(this.#topic && { topic: this.#topic }) };
    this.#room.localParticipant.publishData(bytes, how).catch(() => {});
  }

  // The microphone's own track is silent already: this only tells the room so.
  /** @param {boolean} muted */
  mute(muted) {
    (muted ? this.#publication?.mute() : this.#publication?.unmute())?.catch(() => {});
  }

  /** @param {MediaStream} stream */
  async replaceMicrophone(stream) {
    await this.#publication?.audioTrack?.replaceTrack(stream.getAudioTracks()[0]);
  }

  /** WebRTC statistics, as a list of RTCStats. */
  async stats() {
    const reports = await Promise.all([...this.#tracks].map((track) => track.getRTCStatsReport()));
    return reports.flatMap((report) => [...(report?.values() ?? [])]);
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#pulse.close();
    const leave = () => void this.#room.disconnect().catch(() => {});
    // The last word, a goodbye, goes out before; who has said none may have no time left.
    if (performance.now() - this.#sentMs < GOODBYE_MS) setTimeout(leave, GOODBYE_MS);
    else leave();
  }

  // An avatar that somebody has sent is nobody to talk to.
  get #isAlone() {
    return [...this.#room.remoteParticipants.values()].every(isSent);
  }

  /**
   * @param {import("livekit-client").RemoteTrack} track
   * @param {import("livekit-client").RemoteParticipant} from
   */
  #onTrack(track, from) {
    if (this.#only && from.identity !== this.#only) return;
    this.#tracks.add(track);
    if (track.kind === "video") this.#cameras.add(track.mediaStreamTrack, from);
    else this.#tell("track", track.mediaStreamTrack);
  }

  /** @param {import("livekit-client").RemoteTrack} track */
  #offTrack(track) {
    this.#tracks.delete(track);
    if (track.kind === "video") this.#cameras.remove(track.mediaStreamTrack);
  }

  /**
   * @param {Uint8Array} bytes
   * @param {import("livekit-client").RemoteParticipant} [from]
   */
  #onData(bytes, from) {
    const message = parsed(new TextDecoder().decode(bytes));
    if (this.#pulse.take(message)) this.#meet(from?.identity);
    else this.#tell("message", message);
  }

  /** @param {string} [bot] */
  #meet(bot) {
    this.#avatar = bot;
    this.#cameras.know(bot);
  }

  // Others may stay, who only watch, or LiveAvatar's face.
  /** @param {string} identity */
  #onLeft(identity) {
    if (identity === this.#avatar || this.#isAlone)
      this.#end({ failed: false, reason: "avatarLeft" });
  }

  /**
   * Before connect() has returned, whoever awaits it hears of the failure instead.
   * @param {Ending} ending
   */
  #end(ending) {
    if (this.#closed || !this.#live) return;
    this.close();
    this.#listener.ended(ending);
  }

  /**
   * @param {Exclude<keyof CallListener, "ended">} event
   * @param {any} [detail]
   */
  #tell(event, detail) {
    if (!this.#closed) this.#listener[event](detail);
  }
}
