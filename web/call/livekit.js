// A LiveKit room: the bot's own, or the one LiveAvatar opens for its face.

import { CallError } from "./request.js";

// The file that npm publishes: a classic script, which leaves a global when loaded as a module.
const CLIENT = "../vendor/livekit-client/livekit-client.umd.js";
const FULL = /full|limit|max.?participants/i;
const RATE_HZ = 48_000;

/** Joins the room of `session`, { url, token }; without a `microphone`, only to watch and listen. */
export async function join(session, { microphone, listener, signal }) {
  const LiveKit = await loadClient();
  const audioContext = await spentContext();
  signal.throwIfAborted();
  const call = new LiveKitCall(LiveKit, { webAudioMix: { audioContext } }, listener);
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
function refusal(error, { ConnectionErrorReason: Reason }) {
  if (FULL.test(error.message)) return new CallError("roomFull", "full", { cause: error });
  if (error.reason === Reason.WebSocket) return new CallError("roomRefuses", "full", { cause: error });
  return new CallError("noRoom", "room", { cause: error });
}

async function loadClient() {
  if (window.LivekitClient) return window.LivekitClient;
  try {
    await import(CLIENT);
  } catch {
    throw new CallError("noLiveKit", "room");
  }
  window.LivekitClient.setLogLevel("warn");
  return window.LivekitClient;
}

// LiveKit's client makes an AudioContext to play sound with, of which browsers complain on a page
// that nobody has touched. The sound is played by face.js, so it gets one that has come to its end.
async function spentContext() {
  const context = new OfflineAudioContext(1, 1, RATE_HZ);
  await context.startRendering();
  return context;
}

class LiveKitCall {
  #room;
  #listener;
  #publication;
  #tracks = new Set();
  #live = false;
  #closed = false;

  constructor({ Room, RoomEvent }, options, listener) {
    this.#listener = listener;
    this.#room = new Room(options);
    this.#room
      .on(RoomEvent.TrackSubscribed, (track) => this.#onTrack(track))
      .on(RoomEvent.TrackUnsubscribed, (track) => this.#tracks.delete(track))
      .on(RoomEvent.DataReceived, (bytes) => this.#onData(bytes))
      .on(RoomEvent.ParticipantConnected, () => this.#tell("open"))
      .on(RoomEvent.ParticipantDisconnected, () => this.#onLeft())
      .on(RoomEvent.Reconnecting, () => this.#tell("dropped"))
      .on(RoomEvent.Reconnected, () => this.#tell("restored"))
      .on(RoomEvent.Disconnected, () => this.#end({ failed: true, reason: "lost", kind: "network" }));
  }

  async connect({ url, token }, microphone) {
    await this.#room.connect(url, token);
    const track = microphone?.getAudioTracks()[0];
    if (track) {
      const options = { source: "microphone" };
      this.#publication = await this.#room.localParticipant.publishTrack(track, options);
    }
    this.#live = true;
    // Data reaches only who is in the room already; a later bot is met by ParticipantConnected.
    if (this.#room.remoteParticipants.size > 0) this.#tell("open");
  }

  send(message) {
    if (this.#closed) return;
    const bytes = new TextEncoder().encode(JSON.stringify(message));
    this.#room.localParticipant.publishData(bytes, { reliable: true });
  }

  mute(muted) {
    if (muted) this.#publication?.mute();
    else this.#publication?.unmute();
  }

  async replaceMicrophone(stream) {
    await this.#publication?.track.replaceTrack(stream.getAudioTracks()[0]);
  }

  /** WebRTC statistics, as a list of RTCStats. */
  async stats() {
    const reports = await Promise.all([...this.#tracks].map((track) => track.getRTCStatsReport()));
    return reports.flatMap((report) => [...(report?.values() ?? [])]);
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#room.disconnect();
  }

  #onTrack(track) {
    this.#tracks.add(track);
    this.#tell("track", track.mediaStreamTrack);
  }

  // A room carries packets of other programs too: only JSON objects are for us.
  #onData(bytes) {
    let message;
    try {
      message = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      return;
    }
    if (message && typeof message === "object") this.#tell("message", message);
  }

  #onLeft() {
    if (this.#room.remoteParticipants.size === 0) this.#end({ failed: false, reason: "avatarLeft" });
  }

  // Before connect() has returned, whoever awaits it hears of the failure instead.
  #end(ending) {
    if (this.#closed || !this.#live) return;
    this.close();
    this.#listener.ended(ending);
  }

  #tell(event, detail) {
    if (!this.#closed) this.#listener[event](detail);
  }
}
