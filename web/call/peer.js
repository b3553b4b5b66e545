// One peer connection to a SmallWebRTC server: its offer, its data channel, its pulse.

import { parsed } from "./message.js";
import { incoming, packets } from "./network.js";
import { requestJson } from "./request.js";

// The server takes a client that has not pinged for 3 s as gone.
const PING_PERIOD_MS = 1_000;
const MICROPHONE_RECEIVER = 0;

/**
 * `url` takes offers. The listener hears track(mediaStreamTrack), open(), message(object), and
 * state("connected" | "disconnected" | "failed" | "closed") of the connection.
 * Whoever makes a Peer closes it.
 */
export class Peer {
  #url;
  #listener;
  #connection;
  #channel;
  /** @type {string | undefined} */
  #id;
  #muted = false;
  /** @type {RTCIceCandidate[]} */
  #waitingCandidates = [];
  /** @type {Timer | undefined} */
  #pingTimer;
  #hasTalked = false;
  #closed = false;

  /**
   * @param {{ url: URL, iceServers: RTCIceServer[], microphone: MediaStream | null }} wishes
   * @param {PeerListener} listener
   */
  constructor({ url, iceServers, microphone }, listener) {
    this.#url = url;
    this.#listener = listener;
    this.#connection = new RTCPeerConnection({ iceServers });
    this.#addMedia(microphone);
    this.#connection.ontrack = ({ track }) => this.#tell("track", track);
    this.#connection.onicecandidate = ({ candidate }) => {
      if (candidate) this.#sendCandidate(candidate);
    };
    this.#connection.onconnectionstatechange = () =>
      this.#tell("state", this.#connection.connectionState);
    this.#channel = this.#openChannel();
  }

  /** The server's name for this connection, once it has answered. */
  get id() {
    return this.#id;
  }

  /** What comes from the server: the avatar's voice and picture, once the server has answered. */
  get tracks() {
    return this.#connection.getReceivers().map(({ track }) => track);
  }

  /** Whether messages may travel. */
  get hasChannel() {
    return this.#channel !== null;
  }

  /** Whether sound travels now. */
  get isConnected() {
    return this.#connection.connectionState === "connected";
  }

  /** Whether sound travels now, and messages do, if they ever did. */
  get isSteady() {
    return this.isConnected && (!this.#hasTalked || this.#channel?.readyState === "open");
  }

  /**
   * Offers this connection. `replaces` is the id of one that it takes the place of, in the same
   * conversation: the server closes that one as soon as it has the offer. With the `key` of the
   * conversation that may be closed, and be another page's.
   * @param {Signal & { replaces?: string, key?: string }} [how]
   */
  async offer({ replaces, key, signal } = {}) {
    await this.#connection.setLocalDescription();
    const { sdp, type } = /** @type {RTCSessionDescription} */ (this.#connection.localDescription);
    const known = replaces
      ? { pc_id: replaces, restart_pc: true }
      : this.#id && { pc_id: this.#id };
    const answer = await requestJson(this.#url, {
      method: "POST",
      body: { sdp, type, ...known, ...(key && { return_key: key }) },
      signal,
    });
    this.#id = answer.pc_id;
    if (this.#closed) return;
    await this.#connection.setRemoteDescription({ sdp: answer.sdp, type: answer.type });
    for (const candidate of this.#waitingCandidates.splice(0)) this.#sendCandidate(candidate);
  }

  /** @param {object} message */
  send(message) {
    if (this.#channel?.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#muted = muted;
    const status = { type: "trackStatus", receiver_index: MICROPHONE_RECEIVER, enabled: !muted };
    this.send({ type: "signalling", message: status });
  }

  /**
   * Sends another microphone's track instead.
   * @param {MediaStreamTrack} track
   */
  async replaceMicrophone(track) {
    await this.#connection.getTransceivers()[MICROPHONE_RECEIVER].sender.replaceTrack(track);
  }

  /** WebRTC statistics, as a list of RTCStats. */
  async stats() {
    return [...(await this.#connection.getStats()).values()];
  }

  /** How many packets of sound and picture have come. */
  async received() {
    return packets(incoming(await this.stats()));
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pingTimer);
    // Otherwise they end a moment later, and are taken for live ones until then.
    for (const track of this.tracks) track.stop();
    this.#channel?.close();
    this.#connection.close();
  }

  /**
   * The server looks its receivers up by order: audio first, video second.
   * @param {MediaStream | null} microphone
   */
  #addMedia(microphone) {
    const track = microphone?.getAudioTracks()[0];
    this.#connection.addTransceiver(track ?? "audio", {
      direction: track ? "sendrecv" : "recvonly",
    });
    preferVp8(this.#connection.addTransceiver("video", { direction: "recvonly" }));
  }

  // Some browsers are built without channels for data.
  #openChannel() {
    const channel = this.#connection.createDataChannel?.("rtvi");
    if (!channel) return null;
    channel.onopen = () => {
      this.#hasTalked = true;
      this.#ping();
      this.#pingTimer = setInterval(() => this.#ping(), PING_PERIOD_MS);
      if (this.#muted) this.mute(true);
      this.#tell("open");
    };
    channel.onmessage = ({ data }) => this.#onMessage(data);
    channel.onclose = () => this.#tell("state", "closed");
    return channel;
  }

  #ping() {
    if (this.#channel?.readyState === "open") this.#channel.send(`ping: ${Date.now()}`);
  }

  /**
   * Candidates that appear before the server has named the connection wait for its answer.
   * @param {RTCIceCandidate} candidate
   */
  #sendCandidate(candidate) {
    if (this.#closed) return;
    if (!this.#id) return void this.#waitingCandidates.push(candidate);
    const { candidate: line, sdpMid, sdpMLineIndex } = candidate;
    const body = {
      pc_id: this.#id,
      candidates: [{ candidate: line, sdp_mid: sdpMid, sdp_mline_index: sdpMLineIndex }],
    };
    // A candidate that gets lost is one path fewer: the connection's state says when none is left.
    requestJson(this.#url, { method: "PATCH", body }).catch(() => {});
  }

  /** @param {string} data */
  #onMessage(data) {
    const message = parsed(data);
    if (message?.type !== "signalling") return this.#tell("message", message);
    if (message.message?.type === "peerLeft") this.#tell("left");
    if (message.message?.type === "renegotiate") {
      this.offer().catch(() => this.#tell("state", "failed"));
    }
  }

  /**
   * @param {keyof PeerListener} event
   * @param {any} [detail]
   */
  #tell(event, detail) {
    if (!this.#closed) this.#listener[event](detail);
  }
}

/**
 * Safari lists H.264 first, which costs a server more and looks no better.
 * @param {RTCRtpTransceiver} transceiver
 */
function preferVp8(transceiver) {
  const codecs = RTCRtpReceiver.getCapabilities?.("video")?.codecs ?? [];
  const isVp8 = (/** @type {RTCRtpCodec} */ { mimeType }) => /vp8/i.test(mimeType);
  if (!codecs.some(isVp8)) return;
  const others = codecs.filter((codec) => !isVp8(codec));
  transceiver.setCodecPreferences?.([...codecs.filter(isVp8), ...others]);
}
