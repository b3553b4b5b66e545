// A direct connection to the server's SmallWebRTC transport, taken up again when it drops.

import { Peer } from "./peer.js";
import { pledge, within } from "./promises.js";
import { CallError, isReachable } from "./request.js";

const OPEN_TIMEOUT_MS = 30_000;
// The server gives a silent connection up after about half a minute, unless it says otherwise.
const RESUME_LIMIT_MS = 25_000;
const CHANNEL_LIMIT_MS = 5_000;
const RETRY_PERIOD_MS = 700;
const PROBE_LIMIT_MS = 1_500;
const HEARING_MS = 600;
const OFFER_LIMIT_MS = 10_000;
const RENEWED_LIMIT_MS = 4_000;
const NOT_FOUND = 404;

/**
 * Joins the session that /start opened at `server`, be it for another page before; resolves once
 * messages can travel, or once it is clear that only sound and picture do.
 * @param {Session} session
 * @param {Means} means
 */
export async function join(session, { server, microphone, listener, signal }) {
  const call = new WebRtcCall(session, server, microphone, listener);
  const abandon = () => call.close();
  signal.addEventListener("abort", abandon);
  try {
    await call.connect();
    return call;
  } catch (error) {
    call.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

class WebRtcCall {
  #server;
  #wishes;
  #listener;
  /** @type {Peer} */
  #peer;
  #muted = false;
  #live = false;
  #talks = false;
  #closed = false;
  #resuming = false;
  #key;
  #isAnew;
  #limitMs;
  /** @type {Timer | undefined} */
  #channelTimer;
  /** @type {string | undefined} */
  #peerId;
  #abort = new AbortController();
  #opened = /** @type {Pledge<void>} */ (pledge());
  #awake = /** @type {Pledge<void>} */ (pledge());

  /**
   * @param {Session} session
   * @param {string} server
   * @param {MediaStream | null} microphone
   * @param {CallListener} listener
   */
  constructor(session, server, microphone, listener) {
    this.#server = server;
    this.#listener = listener;
    this.#key = session.returnKey;
    this.#isAnew = session.isTakenUp;
    this.#limitMs = (session.returnS ?? 0) * 1000 || RESUME_LIMIT_MS;
    this.#wishes = {
      url: new URL(`sessions/${encodeURIComponent(session.sessionId)}/api/offer`, server),
      iceServers: session.iceConfig?.iceServers ?? [],
      microphone,
    };
    this.#opened.promise.catch(() => {});
    window.addEventListener("online", this.#wake, { signal: this.#abort.signal });
    this.#peer = this.#newPeer();
  }

  async connect() {
    const timer = setTimeout(() => this.#opened.reject(new CallError("noPath")), OPEN_TIMEOUT_MS);
    try {
      const key = this.#isAnew ? this.#key : undefined;
      await this.#peer.offer({ key, signal: this.#abort.signal });
      this.#peerId = this.#peer.id;
      await this.#opened.promise;
      this.#live = true;
    } catch (error) {
      if (this.#isAnew && error instanceof CallError && error.status === NOT_FOUND)
        throw new CallError("gone", "server");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {object} message */
  send(message) {
    this.#peer.send(message);
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#muted = muted;
    this.#peer.mute(muted);
  }

  /** @param {MediaStream} stream */
  async replaceMicrophone(stream) {
    this.#wishes.microphone = stream;
    await this.#peer.replaceMicrophone(stream.getAudioTracks()[0]);
  }

  stats() {
    return this.#peer.stats();
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#channelTimer);
    this.#opened.reject(new DOMException("The call was closed", "AbortError"));
    this.#abort.abort();
    this.#wake();
    this.#peer.close();
  }

  // Only the connection that is current is listened to.
  /** @returns {Peer} */
  #newPeer() {
    /** @type {<T extends unknown[]>(act: (...detail: T) => void) => (...detail: T) => void} */
    const ifCurrent =
      (act) =>
      (...detail) => {
        if (peer === this.#peer && !this.#closed) act(...detail);
      };
    const peer = new Peer(this.#wishes, {
      track: ifCurrent((track) => this.#listener.track(track)),
      open: ifCurrent(() => this.#onOpen()),
      message: ifCurrent((message) => this.#listener.message(message)),
      left: ifCurrent(() => this.#end({ failed: false, reason: "avatarLeft" })),
      state: ifCurrent((state) => this.#onState(state)),
    });
    return peer;
  }

  #onOpen() {
    if (this.#talks) return this.#wake();
    this.#talks = true;
    this.#listener.open();
    this.#opened.resolve();
  }

  /** @param {RTCPeerConnectionState} state */
  #onState(state) {
    if (state === "connected") return this.#onConnected();
    if (!["disconnected", "failed", "closed"].includes(state)) return;
    if (this.#live) void this.#resume();
    else if (state !== "disconnected") this.#opened.reject(new CallError("noPath"));
  }

  // Where messages do not travel, voice and picture do.
  #onConnected() {
    this.#wake();
    if (this.#live) return;
    const limitMs = this.#peer.hasChannel ? CHANNEL_LIMIT_MS : 0;
    this.#channelTimer = setTimeout(this.#opened.resolve, limitMs);
  }

  async #resume() {
    if (this.#resuming || this.#closed) return;
    this.#resuming = true;
    this.#listener.dropped();
    let back = false;
    try {
      back = await this.#comesBack();
    } finally {
      this.#resuming = false;
      if (!back) this.#end({ failed: true, reason: "lost", kind: "network" });
    }
    if (this.#closed) return;
    this.#peer.mute(this.#muted);
    this.#listener.restored();
  }

  async #comesBack() {
    const endMs = performance.now() + this.#limitMs;
    let back = await this.#isBack();
    while (!this.#closed && !back && performance.now() < endMs) {
      await this.#rest(RETRY_PERIOD_MS);
      back = await this.#isBack();
    }
    return back;
  }

  // An offer that is under way must not be sent twice, so it waits until the server answers at all.
  async #isBack() {
    if (await this.#isHeard()) return true;
    if (!(await isReachable(new URL("api/lineup", this.#server), PROBE_LIMIT_MS))) return false;
    return this.#closed || (await this.#isHeard()) || this.#renew();
  }

  // A browser that comes from a new address is answered there, but still spoken to at the old one.
  async #isHeard() {
    if (!this.#peer.isSteady) return false;
    const before = await this.#peer.received();
    await new Promise((resolve) => setTimeout(resolve, HEARING_MS));
    return this.#closed || (await this.#peer.received()) > before;
  }

  async #renew() {
    const peer = this.#newPeer();
    const signal = within(this.#abort.signal, OFFER_LIMIT_MS);
    try {
      await peer.offer({ replaces: this.#peerId, key: this.#key, signal });
    } catch (error) {
      peer.close();
      if (error instanceof CallError && error.status === NOT_FOUND)
        this.#end({ failed: true, reason: "gone", kind: "server" });
      return this.#isHeard();
    }
    this.#adopt(peer);
    const endMs = performance.now() + RENEWED_LIMIT_MS;
    while (!this.#closed && !peer.isSteady && performance.now() < endMs) {
      await this.#rest(endMs - performance.now());
    }
    return peer.isSteady;
  }

  // The server has closed the old connection: a goodbye from our side can do no harm any more.
  // The new one's tracks came with the answer, when it was not listened to yet.
  /** @param {Peer} peer */
  #adopt(peer) {
    if (this.#closed) return peer.close();
    const old = this.#peer;
    this.#peer = peer;
    this.#peerId = peer.id;
    old.close();
    for (const track of peer.tracks) this.#listener.track(track);
  }

  /** @param {Ending} ending */
  #end(ending) {
    if (this.#closed) return;
    this.#opened.reject(new CallError("noPath"));
    this.close();
    if (this.#live) this.#listener.ended(ending);
  }

  /**
   * Waits, but no longer than until something has happened.
   * @param {number} durationMs
   */
  async #rest(durationMs) {
    this.#awake = pledge();
    const timer = setTimeout(this.#awake.resolve, durationMs);
    await this.#awake.promise;
    clearTimeout(timer);
  }

  #wake = () => this.#awake.resolve();
}
