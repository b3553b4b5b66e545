// A Daily room, shown in Daily's own page inside a frame.

import { Pulse } from "./pulse.js";
import { CallError, isReachable } from "./request.js";
import { loadScript } from "./script.js";

const PINNED = {
  src: "https://cdn.jsdelivr.net/npm/@daily-co/daily-js@0.92.2/dist/daily.js",
  integrity: "sha384-qkOcWks7O6ZM0W8bDQRvE2Zigs/pWm7ioqYeangGqWoaqMEFUNeAKYLp8J+qWiUS",
};
const FRAME = {
  iframeStyle: { width: "100%", height: "100%", border: "0" },
  showLeaveButton: false,
  // The frame of the last call may still be saying goodbye.
  allowMultipleCallInstances: true,
};
const GOODBYE_LIMIT_MS = 2_000;
const REACHED_LIMIT_MS = 1_500;

// What Daily's fatal errors come from, by their types.
/** @type {Record<string, { reason: string, kind: string }>} */
const CAUSES = {
  "meeting-full": { reason: "roomFull", kind: "full" },
  "not-allowed": { reason: "roomRefuses", kind: "full" },
  "ejected": { reason: "removed", kind: "room" },
  "exp-room": { reason: "roomOver", kind: "room" },
  "exp-token": { reason: "roomOver", kind: "room" },
  "no-room": { reason: "roomOver", kind: "room" },
};
// Why Daily's page has no microphone; of a camera that is missed nobody needs to hear.
/** @type {Record<string, string>} */
const MICROPHONES = {
  "permissions": "microphoneRefused",
  "not-found": "microphoneMissing",
  "mic-in-use": "microphoneBusy",
  "cam-mic-in-use": "microphoneBusy",
  "undefined-mediadevices": "microphoneInsecure",
  "constraints": "microphoneOther",
  "unknown": "microphoneOther",
};

/** @typedef {{ error?: { type: string } }} Fatal */

/**
 * Joins the room that /start opened, inside `frame`; `voice` false joins with the microphone off.
 * @param {Session} session
 * @param {Means} means
 */
export async function join(session, { voice, frame, listener, signal }) {
  const Daily = await loadClient();
  signal.throwIfAborted();
  const call = new DailyCall(Daily, frame, listener);
  const abandon = () => call.close();
  signal.addEventListener("abort", abandon);
  try {
    await call.connect(session, voice);
    return call;
  } catch (error) {
    call.close();
    signal.throwIfAborted();
    const { reason, kind } = causeOf(error) ?? { reason: "noRoom", kind: "room" };
    throw new CallError(reason, kind, { cause: error });
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

/** @param {unknown} error */
const causeOf = (error) => CAUSES[/** @type {Fatal | undefined} */ (error)?.error?.type ?? ""];

async function loadClient() {
  if (!window.Daily) await loadScript(PINNED.src, PINNED.integrity).catch(() => {});
  if (!window.Daily) throw new CallError("noDaily", "room");
  return window.Daily;
}

class DailyCall {
  #daily;
  #frame;
  #listener;
  #live = false;
  #closed = false;
  #voice = false;
  #address = "";
  /** @type {string | undefined} */
  #avatar;
  // The connections of Daily's client that it is taking up again.
  #interrupted = new Set();
  #pulse = new Pulse({
    carried: () => this.#carried(),
    missed: () => this.#end({ failed: true, reason: "stopped", kind: "server" }),
  });

  /**
   * @param {NonNullable<Window["Daily"]>} Daily
   * @param {HTMLElement} frame
   * @param {CallListener} listener
   */
  constructor(Daily, frame, listener) {
    this.#frame = frame;
    this.#listener = listener;
    frame.hidden = false;
    this.#daily = Daily.createFrame(frame, FRAME);
    this.#daily
      .on("app-message", ({ data, fromId }) => this.#onMessage(data, fromId))
      .on("participant-joined", () => this.#tell("open"))
      .on("participant-left", ({ participant, reason }) => this.#onLeft(participant, reason))
      .on("network-connection", ({ type, event }) => this.#onNetwork(type, event))
      .on("camera-error", ({ error, errorMsg }) => this.#onDevices(error, errorMsg))
      .on("left-meeting", () => this.#end({ failed: false, reason: "leftRoom" }))
      .on("error", (error) => this.#onError(error));
  }

  /**
   * Loaded first and joined second, because a token known while loading becomes part of the URL.
   * @param {Session} session
   * @param {boolean} voice
   */
  async connect({ dailyRoom, dailyToken }, voice) {
    this.#voice = voice;
    this.#address = dailyRoom;
    await this.#daily.load({ url: dailyRoom });
    const devices = { startVideoOff: true, startAudioOff: !voice };
    await this.#daily.join({ ...devices, ...(dailyToken && { token: dailyToken }) });
    this.#live = true;
    if (this.#others() > 0) this.#tell("open");
  }

  /** @param {object} message */
  send(message) {
    if (!this.#closed) this.#daily.sendAppMessage(message, "*");
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#daily.setLocalAudio(!muted);
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#pulse.close();
    this.#frame.hidden = true;
    const page = this.#daily.iframe();
    const remove = () => page?.remove();
    if (page) page.hidden = true;
    setTimeout(remove, GOODBYE_LIMIT_MS);
    this.#daily.destroy().then(remove, remove);
  }

  #others() {
    return Object.keys(this.#daily.participants()).filter((id) => id !== "local").length;
  }

  /**
   * @param {unknown} message
   * @param {string} from
   */
  #onMessage(message, from) {
    if (this.#pulse.take(message)) this.#avatar = from;
    else this.#tell("message", message);
  }

  /**
   * Others may stay. Who is only hidden has not left.
   * @param {{ session_id: string }} participant
   * @param {string} [reason]
   */
  #onLeft({ session_id: id }, reason) {
    if (reason === "hidden") return;
    if (id === this.#avatar || this.#others() === 0)
      this.#end({ failed: false, reason: "avatarLeft" });
  }

  /**
   * @param {string} type
   * @param {string} event
   */
  #onNetwork(type, event) {
    const before = this.#interrupted.size;
    if (event === "interrupted") this.#interrupted.add(type);
    else this.#interrupted.delete(type);
    if (!this.#live || Boolean(before) === Boolean(this.#interrupted.size)) return;
    this.#tell(before ? "restored" : "dropped");
  }

  /**
   * @param {{ type: string }} error
   * @param {{ audioOk?: boolean }} [found]
   */
  #onDevices({ type }, found) {
    const reason = MICROPHONES[type];
    if (this.#voice && reason && !found?.audioOk) this.#tell("unheard", reason);
  }

  // Whoever was let in and is not any more has nothing to mend.
  /** @param {unknown} error */
  #onError(error) {
    const cause = causeOf(error);
    if (cause) this.#end({ failed: false, ...cause });
    else this.#end({ failed: true, reason: "lost", kind: "network" });
  }

  // Of what travels in Daily's page nothing is known here, but whether Daily can be reached.
  async #carried() {
    const there = !this.#interrupted.size && (await isReachable(this.#address, REACHED_LIMIT_MS));
    return there ? performance.now() : 0;
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
   * @param {Exclude<keyof CallListener, "ended" | "track">} event
   * @param {any} [detail]
   */
  #tell(event, detail) {
    if (!this.#closed) this.#listener[event](detail);
  }
}
