// The user's microphone: opened, held to talk, muted, changed, listened to, and let go.

import { CallError } from "../call/request.js";
import { watchLevel } from "./level.js";
import { recall, remember } from "./memory.js";

const PROCESSING = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
// Below this, a microphone that is open and not muted is as good as unplugged: soon, if it has
// never been heard; later, if its user may just be silent.
const FLAT_LEVEL = 0.005;
const NEVER_HEARD_MS = 10_000;
const FLAT_MS = 30_000;
const CHOICE = "microphone";

/** @type {Record<string, string>} */
const REFUSALS = {
  NotAllowedError: "microphoneRefused",
  NotFoundError: "microphoneMissing",
  NotReadableError: "microphoneBusy",
};

/** The id of the device that was chosen last, or null. */
export const chosenMicrophone = () => recall(CHOICE);

/**
 * The listener hears level(0…1), unheard(true | false) when the level stays flat although the
 * microphone is open, and gone() when the device is.
 */
export class Microphone {
  #listener;
  /** @type {MediaStream | null} */
  #stream = null;
  #open = true;
  #asked = 0;
  #expected = false;
  #heardMs = 0;
  #everHeard = false;
  #unheard = false;
  #unwatch = () => {};

  /** @param {MicrophoneListener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /** The MediaStream of one audio track, or null. */
  get stream() {
    return this.#stream;
  }

  /**
   * Opens the remembered device, or the default one; null if another one was asked for meanwhile.
   * Throws CallError("…", "microphone").
   */
  async start() {
    this.#asked += 1;
    const asked = this.#asked;
    const stream = await open(chosenMicrophone());
    if (asked !== this.#asked) return release(stream);
    this.stop();
    this.#stream = stream;
    const [track] = stream.getAudioTracks();
    track.enabled = this.#open;
    track.onended = () => this.#onEnded(stream);
    this.#heardMs = performance.now();
    this.#everHeard = false;
    this.#unwatch = watchLevel(stream, (level) => this.#onLevel(level));
    return stream;
  }

  /**
   * Remembers a device; null for the system's own choice.
   * @param {string | null} id
   */
  choose(id) {
    remember(CHOICE, id);
  }

  /**
   * Whether the user's voice goes out.
   * @param {boolean} open
   */
  set isOpen(open) {
    this.#open = open;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = open;
  }

  /**
   * Whether the user may be expected to speak now.
   * @param {boolean} expected
   */
  set isExpected(expected) {
    if (expected && !this.#expected) this.#heardMs = performance.now();
    this.#expected = expected;
  }

  stop() {
    this.#unwatch();
    this.#unwatch = () => {};
    this.#stream = release(this.#stream);
  }

  /** @param {MediaStream} stream */
  #onEnded(stream) {
    if (stream === this.#stream) this.#listener.gone();
  }

  // What the browser does not listen to is not known to be silent.
  /** @param {number | null} level */
  #onLevel(level) {
    this.#listener.level((this.#open && level) || 0);
    const nowMs = performance.now();
    const loud = level !== null && level > FLAT_LEVEL;
    this.#everHeard ||= loud;
    if (loud || level === null || !this.#open || !this.#expected) this.#heardMs = nowMs;
    const limitMs = this.#everHeard ? FLAT_MS : NEVER_HEARD_MS;
    this.#tellUnheard(nowMs - this.#heardMs > limitMs, loud);
  }

  /**
   * Once told, it holds until something is heard.
   * @param {boolean} flat
   * @param {boolean} loud
   */
  #tellUnheard(flat, loud) {
    const unheard = flat || (this.#unheard && !loud);
    if (unheard === this.#unheard) return;
    this.#unheard = unheard;
    this.#listener.unheard(unheard);
  }
}

/** @param {MediaStream | null} stream */
function release(stream) {
  for (const track of stream?.getTracks() ?? []) {
    track.onended = null;
    track.stop();
  }
  return null;
}

/** @param {string | null} deviceId */
async function open(deviceId) {
  if (!navigator.mediaDevices) throw new CallError("microphoneInsecure", "microphone");
  try {
    return await (deviceId ? openChosen(deviceId) : ask());
  } catch (error) {
    const { name } = /** @type {Error} */ (error);
    const withheld = name === "NotAllowedError" && isWithheld();
    const refusal = withheld ? "microphoneWithheld" : REFUSALS[name];
    throw new CallError(refusal ?? "microphoneOther", "microphone");
  }
}

// Whether the page that shows this one in a frame keeps the microphone from it: browsers then ask
// nobody. Not all of them tell.
const isWithheld = () => document.featurePolicy?.allowsFeature("microphone") === false;

// Chromium takes the system's own device for an "ideal" one. One that is gone since it was chosen
// leaves the system's own, too.
/** @param {string} deviceId */
async function openChosen(deviceId) {
  try {
    return await ask({ deviceId: { exact: deviceId } });
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "OverconstrainedError") throw error;
    return ask();
  }
}

/** @param {MediaTrackConstraints} [device] */
const ask = (device) =>
  navigator.mediaDevices.getUserMedia({ audio: { ...PROCESSING, ...device } });
