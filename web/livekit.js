// A LiveKit room: the bot's own, or the one LiveAvatar opens for its face.

import { CallError } from "./request.js";

// The file that npm publishes: a classic script, which leaves a global when loaded as a module.
const CLIENT = "./vendor/livekit-client/livekit-client.umd.js";

const NO_CLIENT = "LiveKit's program could not be loaded. Reload the page and try again.";
const NO_ROOM = "The room could not be joined. Check the network and try again.";
const LOST = "The connection to the room was lost.";
const SHAKY = "The connection is weak. Trying to keep it …";
const LEFT = "The avatar has left the conversation.";

/** Joins the room that /start opened. */
export async function join(session, { microphone, listener, signal }) {
  const LiveKit = await loadClient();
  signal.throwIfAborted();
  const call = new LiveKitCall(LiveKit, listener);
  const abandon = () => call.close();
  signal.addEventListener("abort", abandon);
  try {
    await call.connect(session, microphone);
    return call;
  } catch (error) {
    call.close();
    signal.throwIfAborted();
    throw new CallError(NO_ROOM, "call", { cause: error });
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

async function loadClient() {
  if (window.LivekitClient) return window.LivekitClient;
  try {
    await import(CLIENT);
  } catch {
    throw new CallError(NO_CLIENT);
  }
  window.LivekitClient.setLogLevel("warn");
  return window.LivekitClient;
}

class LiveKitCall {
  #room;
  #listener;
  #publication;
  #live = false;
  #closed = false;

  constructor({ Room, RoomEvent }, listener) {
    this.#listener = listener;
    this.#room = new Room();
    this.#room
      .on(RoomEvent.TrackSubscribed, (track) => this.#tell("track", track.mediaStreamTrack))
      .on(RoomEvent.DataReceived, (bytes) => this.#onData(bytes))
      .on(RoomEvent.ParticipantConnected, () => this.#tell("open"))
      .on(RoomEvent.ParticipantDisconnected, () => this.#onLeft())
      .on(RoomEvent.Reconnecting, () => this.#tell("trouble", SHAKY))
      .on(RoomEvent.Reconnected, () => this.#tell("trouble", null))
      .on(RoomEvent.Disconnected, () => this.#end(true, LOST));
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

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#room.disconnect();
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
    if (this.#room.remoteParticipants.size === 0) this.#end(false, LEFT);
  }

  // Before connect() has returned, whoever awaits it hears of the failure instead.
  #end(failed, reason) {
    if (this.#closed || !this.#live) return;
    this.close();
    this.#listener.ended({ failed, reason });
  }

  #tell(event, detail) {
    if (!this.#closed) this.#listener[event](detail);
  }
}
