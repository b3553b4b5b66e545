// Keeps what the page does with the browser; it changes nothing. The functions are for tests to call.

const watched = {
  /** @type {string[]} */
  states: [],
  microphones: 0,
  /** @type {unknown[]} */
  wishes: [],
  /** @type {MediaStreamTrack[]} */
  tracks: [],
  /** @type {RTCPeerConnection[]} */
  peers: [],
  /** @type {RTCDataChannel[]} */
  channels: [],
  /** @type {string[]} */
  sent: [],
  /** @type {AudioContext[]} */
  contexts: [],
  /** @type {Set<number>} */
  timers: new Set(),
  /** @type {string[]} */
  violations: [],
};

new MutationObserver(() => {
  const state = document.querySelector("avatar-call")?.dataset.state;
  if (state && state !== watched.states.at(-1)) watched.states.push(state);
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-state"] });

/**
 * An element of the shadow tree, by its id.
 * @param {string} id
 */
const inside = (id) =>
  /** @type {any} */ (document.querySelector("avatar-call")?.shadowRoot?.getElementById(id));

document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  watched.violations.push(`${violatedDirective} ${blockedURI}`),
);

// A page without a secure address has none.
const devices = navigator.mediaDevices;
const getUserMedia = devices?.getUserMedia.bind(devices);
const askedFor = async (/** @type {MediaStreamConstraints | undefined} */ wish) => {
  watched.microphones += 1;
  watched.wishes.push(wish?.audio);
  const stream = await getUserMedia(wish);
  watched.tracks.push(...stream.getTracks());
  return stream;
};
if (devices) devices.getUserMedia = askedFor;

const Peer = RTCPeerConnection;
window.RTCPeerConnection = class extends Peer {
  /** @param {[RTCConfiguration?]} wishes */
  constructor(...wishes) {
    super(...wishes);
    watched.peers.push(this);
    this.addEventListener("track", ({ track }) => watched.tracks.push(track));
  }

  /** @param {[string, RTCDataChannelInit?]} wishes */
  createDataChannel(...wishes) {
    const channel = super.createDataChannel(...wishes);
    watched.channels.push(channel);
    const send = channel.send.bind(channel);
    const note = (/** @type {string} */ text) => {
      watched.sent.push(text);
      send(text);
    };
    return Object.assign(channel, { send: note });
  }
};

const Context = AudioContext;
window.AudioContext = class extends Context {
  /** @param {[AudioContextOptions?]} wishes */
  constructor(...wishes) {
    super(...wishes);
    watched.contexts.push(this);
  }
};

// What ticks until it is stopped.
const { setInterval: tick, clearInterval: untick } = window;
Object.assign(window, {
  setInterval: (/** @type {[TimerHandler, number?]} */ ...wishes) => {
    const timer = tick(...wishes);
    watched.timers.add(timer);
    return timer;
  },
  clearInterval: (/** @type {number} */ timer) => {
    watched.timers.delete(timer);
    untick(timer);
  },
});

// The avatar's voice, from now until hush() gives it as a WebM in a data: URL for each of its tracks,
// of which a recorder takes only one; resolves to when it begins, in seconds of the page's clock,
// once it is recorded.
async function listen() {
  /** @type {MediaStreamTrack[]} */
  const tracks = inside("voice").srcObject.getAudioTracks();
  const begun_s = performance.now() / 1000;
  const recordings = tracks.map(record);
  Object.assign(window, { hush: () => Promise.all(recordings.map(({ end }) => end())) });
  await Promise.all(recordings.map(({ begun }) => begun));
  return begun_s;
}

/** @param {MediaStreamTrack} track */
function record(track) {
  const recorder = new MediaRecorder(new MediaStream([track]));
  /** @type {Blob[]} */
  const pieces = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const begun = new Promise((resolve) => {
    recorder.onstart = resolve;
  });
  recorder.start();
  const end = () =>
    new Promise((resolve) => {
      recorder.onstop = () => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.readAsDataURL(new Blob(pieces));
      };
      recorder.stop();
    });
  return { begun, end };
}

/**
 * The pace of the face, in pictures a second of the pictures' own time: that of the first `count`
 * pictures in a row that come at `wanted` or faster, or the best there was within `limit_s`.
 * @param {number} count
 * @param {number} wanted
 * @param {number} limit_s
 */
function pace(count, wanted, limit_s) {
  /** @type {HTMLVideoElement} */
  const video = inside("face");
  const end_ms = performance.now() + limit_s * 1000;
  /** @type {VideoFrameCallbackMetadata[]} */
  const last = [];
  let best = 0;
  return new Promise((resolve) => {
    /** @type {VideoFrameRequestCallback} */
    const next = (now_ms, picture) => {
      last.push(picture);
      if (last.length > count) best = Math.max(best, rate(last.splice(0, 1)[0], picture));
      if (best >= wanted || now_ms > end_ms) return resolve(best);
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  });
}

/**
 * @param {VideoFrameCallbackMetadata} first
 * @param {VideoFrameCallbackMetadata} last
 */
function rate(first, last) {
  const pictures = last.presentedFrames - first.presentedFrames;
  return pictures / (((last.rtpTimestamp ?? NaN) - (first.rtpTimestamp ?? NaN)) / 90_000);
}

Object.assign(window, { watched, inside, listen, pace, resized });

/**
 * Waits until pictures come in a size whose width is as wanted; their width and height.
 * @param {(width: number) => boolean} wanted
 */
async function resized(wanted) {
  const video = /** @type {HTMLVideoElement} */ (inside("face"));
  while (!wanted(video.videoWidth)) await new Promise((go) => video.addEventListener("resize", go));
  return [video.videoWidth, video.videoHeight];
}
