// A direct connection to the server's SmallWebRTC transport: one peer connection, one data channel.

import { CallError, requestJson } from "./request.js";

const OPEN_TIMEOUT_MS = 30_000;
const SHAKY_LIMIT_MS = 10_000;
// The server takes a client that has not pinged for 3 s as gone.
const PING_PERIOD_MS = 1_000;
const MICROPHONE_RECEIVER = 0;

const NO_PATH =
  "No connection to the avatar could be made. A firewall or VPN may be in the way: try another network.";
const LOST = "The connection to the avatar was lost.";
const SHAKY = "The connection is weak. Trying to keep it …";
const BOT_LEFT = "The avatar has left the conversation.";

/** Joins the session that /start opened; resolves once messages can travel. */
export async function join(session, { microphone, listener, signal }) {
  const call = new WebRtcCall(session, microphone, listener);
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
  #url;
  #listener;
  #peer;
  #channel;
  #peerId;
  #waitingCandidates = [];
  #timers = new Set();
  #shakyTimer;
  #live = false;
  #closed = false;
  #opened = Promise.withResolvers();

  constructor(session, microphone, listener) {
    this.#url = `/sessions/${encodeURIComponent(session.sessionId)}/api/offer`;
    this.#listener = listener;
    this.#opened.promise.catch(() => {});
    this.#peer = new RTCPeerConnection({ iceServers: session.iceConfig?.iceServers ?? [] });
    this.#addMedia(microphone);
    this.#peer.ontrack = ({ track }) => this.#tell("track", track);
    this.#peer.onicecandidate = ({ candidate }) => candidate && this.#sendCandidate(candidate);
    this.#peer.onconnectionstatechange = () => this.#onConnectionState();
    this.#channel = this.#openChannel();
  }

  async connect() {
    this.#after(OPEN_TIMEOUT_MS, () => this.#opened.reject(new CallError(NO_PATH)));
    await this.#negotiate();
    await this.#opened.promise;
  }

  send(message) {
    if (this.#channel.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  mute(muted) {
    const status = { type: "trackStatus", receiver_index: MICROPHONE_RECEIVER, enabled: !muted };
    this.send({ type: "signalling", message: status });
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#opened.reject(new DOMException("The call was closed", "AbortError"));
    this.#timers.forEach(clearTimeout);
    this.#channel.close();
    this.#peer.close();
  }

  // The server looks its receivers up by order: audio first, video second.
  #addMedia(microphone) {
    const track = microphone?.getAudioTracks()[0];
    this.#peer.addTransceiver(track ?? "audio", { direction: track ? "sendrecv" : "recvonly" });
    this.#peer.addTransceiver("video", { direction: "recvonly" });
  }

  #openChannel() {
    const channel = this.#peer.createDataChannel("rtvi");
    channel.onopen = () => {
      this.#live = true;
      this.#ping();
      this.#tell("open");
      this.#opened.resolve();
    };
    channel.onmessage = ({ data }) => this.#onMessage(data);
    channel.onclose = () => this.#end(true, LOST);
    return channel;
  }

  #ping() {
    if (this.#channel.readyState === "open") this.#channel.send(`ping: ${Date.now()}`);
    this.#after(PING_PERIOD_MS, () => this.#ping());
  }

  async #negotiate() {
    await this.#peer.setLocalDescription();
    const { sdp, type } = this.#peer.localDescription;
    const answer = await requestJson(this.#url, {
      method: "POST",
      body: { sdp, type, ...(this.#peerId && { pc_id: this.#peerId }) },
    });
    if (this.#closed) return;
    this.#peerId = answer.pc_id;
    await this.#peer.setRemoteDescription({ sdp: answer.sdp, type: answer.type });
    this.#waitingCandidates.splice(0).forEach((candidate) => this.#sendCandidate(candidate));
  }

  // Candidates that appear before the server has named the connection wait for its answer.
  #sendCandidate(candidate) {
    if (!this.#peerId) return this.#waitingCandidates.push(candidate);
    const { candidate: line, sdpMid, sdpMLineIndex } = candidate;
    const body = {
      pc_id: this.#peerId,
      candidates: [{ candidate: line, sdp_mid: sdpMid, sdp_mline_index: sdpMLineIndex }],
    };
    // A candidate that gets lost is one path fewer: NO_PATH and LOST say so when none is left.
    return requestJson(this.#url, { method: "PATCH", body }).catch(() => {});
  }

  #onMessage(data) {
    const message = JSON.parse(data);
    if (message.type !== "signalling") return this.#tell("message", message);
    if (message.message?.type === "peerLeft") this.#end(false, BOT_LEFT);
    if (message.message?.type === "renegotiate") {
      this.#negotiate().catch((error) => this.#end(true, error.message));
    }
  }

  #onConnectionState() {
    const state = this.#peer.connectionState;
    if (state === "failed" || state === "closed") this.#end(true, LOST);
    if (state === "disconnected") {
      this.#tell("trouble", SHAKY);
      this.#shakyTimer = this.#after(SHAKY_LIMIT_MS, () => this.#end(true, LOST));
    }
    if (state === "connected" && this.#shakyTimer) {
      this.#cancel(this.#shakyTimer);
      this.#shakyTimer = undefined;
      this.#tell("trouble", null);
    }
  }

  // Before the channel is open, whoever awaits the join hears of the failure instead.
  #end(failed, reason) {
    if (this.#closed) return;
    this.#opened.reject(new CallError(NO_PATH));
    this.close();
    if (this.#live) this.#listener.ended({ failed, reason });
  }

  #tell(event, detail) {
    if (!this.#closed) this.#listener[event](detail);
  }

  #after(delayMs, action) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer) {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}
