// A Daily room, shown in Daily's own page inside a frame.

import { CallError } from "./request.js";
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

const FULL = "meeting-full";

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
    const full = /** @type {{ error?: { type: string } }} */ (error)?.error?.type === FULL;
    throw new CallError(full ? "roomFull" : "noRoom", full ? "full" : "room", { cause: error });
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

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
      .on("app-message", ({ data }) => this.#tell("message", data))
      .on("participant-joined", () => this.#tell("open"))
      .on("participant-left", () => this.#onLeft())
      .on("left-meeting", () => this.#end({ failed: false, reason: "leftRoom" }))
      .on("error", () => this.#end({ failed: true, reason: "lost", kind: "network" }));
  }

  /**
   * Loaded first and joined second, because a token known while loading becomes part of the URL.
   * @param {Session} session
   * @param {boolean} voice
   */
  async connect({ dailyRoom, dailyToken }, voice) {
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

  #onLeft() {
    if (this.#others() === 0) this.#end({ failed: false, reason: "avatarLeft" });
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
   * @param {"open" | "message"} event
   * @param {unknown} [detail]
   */
  #tell(event, detail) {
    if (!this.#closed) this.#listener[event](detail);
  }
}
