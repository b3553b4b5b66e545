// Keeps what the page does with the browser; it changes nothing. The functions are for tests to call.

const watched = {
  states: [],
  microphones: 0,
  wishes: [],
  tracks: [],
  peers: [],
  contexts: [],
  timers: new Set(),
  violations: [],
};

new MutationObserver(() => {
  const state = document.querySelector("avatar-call")?.dataset.state;
  if (state && state !== watched.states.at(-1)) watched.states.push(state);
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-state"] });

// An element of the shadow tree, by its id.
const inside = (id) => document.querySelector("avatar-call").shadowRoot.getElementById(id);

document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  watched.violations.push(`${violatedDirective} ${blockedURI}`),
);

const devices = navigator.mediaDevices;
const getUserMedia = devices.getUserMedia.bind(devices);
devices.getUserMedia = async (wish) => {
  watched.microphones += 1;
  watched.wishes.push(wish.audio);
  const stream = await getUserMedia(wish);
  watched.tracks.push(...stream.getTracks());
  return stream;
};

const Peer = RTCPeerConnection;
window.RTCPeerConnection = class extends Peer {
  constructor(...wishes) {
    super(...wishes);
    watched.peers.push(this);
    this.addEventListener("track", ({ track }) => watched.tracks.push(track));
  }
};

const Context = AudioContext;
window.AudioContext = class extends Context {
  constructor(...wishes) {
    super(...wishes);
    watched.contexts.push(this);
  }
};

// What ticks until it is stopped.
const { setInterval: tick, clearInterval: untick } = window;
window.setInterval = (...wishes) => {
  const timer = tick(...wishes);
  watched.timers.add(timer);
  return timer;
};
window.clearInterval = (timer) => {
  watched.timers.delete(timer);
  untick(timer);
};

// The avatar's voice, from now until hush() gives it as WebM in a data: URL; resolves to when it
// begins, in seconds of the page's clock, once it is recorded.
function listen() {
  const recorder = new MediaRecorder(inside("voice").srcObject);
  const pieces = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const begun_s = performance.now() / 1000;
  recorder.start();
  window.hush = () =>
    new Promise((resolve) => {
      recorder.onstop = () => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.readAsDataURL(new Blob(pieces));
      };
      recorder.stop();
    });
  return new Promise((resolve) => (recorder.onstart = () => resolve(begun_s)));
}

// The pace of the face, in pictures a second of the pictures' own time: that of the first `count`
// pictures in a row that come at `wanted` or faster, or the best there was within `limit_s`.
function pace(count, wanted, limit_s) {
  const video = inside("face");
  const end_ms = performance.now() + limit_s * 1000;
  const last = [];
  let best = 0;
  return new Promise((resolve) => {
    const next = (now_ms, picture) => {
      last.push(picture);
      if (last.length > count) best = Math.max(best, rate(last.shift(), picture));
      if (best >= wanted || now_ms > end_ms) return resolve(best);
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  });
}

function rate(first, last) {
  const pictures = last.presentedFrames - first.presentedFrames;
  return pictures / ((last.rtpTimestamp - first.rtpTimestamp) / 90_000);
}

Object.assign(window, { watched, inside, listen, pace });
