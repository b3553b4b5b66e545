// The avatar's picture and voice. The stage shows its poster whenever there is no picture.

const STALL_MS = 4_000;
const CHECK_PERIOD_MS = 1_000;

/** `stage` carries data-face="on" while frames arrive; `onBlocked` hears when sound is refused. */
export class Face {
  #stage;
  #video;
  #voice;
  #onBlocked;
  #timer;
  #lastFrameMs = 0;

  constructor({ stage, video, voice, onBlocked }) {
    this.#stage = stage;
    this.#video = video;
    this.#voice = voice;
    this.#onBlocked = onBlocked;
    document.addEventListener("visibilitychange", () => (this.#lastFrameMs = performance.now()));
  }

  add(track) {
    if (track.kind === "audio") this.#play(this.#voice, track);
    else this.#show(track);
  }

  /** To be called from a click, which lets the browser play sound. */
  unblock() {
    this.#start(this.#voice);
  }

  clear() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#voice.srcObject = null;
    this.#stage.dataset.face = "off";
    // The last picture stays below the poster while it fades in.
    this.#video.pause();
  }

  #play(element, track) {
    element.srcObject = new MediaStream([track]);
    this.#start(element);
  }

  // Any other refusal means that a newer picture or voice took over.
  #start(element) {
    element.play().catch((error) => error.name === "NotAllowedError" && this.#onBlocked());
  }

  #show(track) {
    track.onended = () => (this.#stage.dataset.face = "off");
    this.#play(this.#video, track);
    if (!this.#video.requestVideoFrameCallback) return this.#trustPlaying();
    this.#awaitFrame(this.#video.srcObject);
    this.#timer ??= setInterval(() => this.#checkForStall(), CHECK_PERIOD_MS);
  }

  #awaitFrame(stream) {
    this.#video.requestVideoFrameCallback(() => {
      if (!this.#timer || this.#video.srcObject !== stream) return;
      this.#lastFrameMs = performance.now();
      this.#stage.dataset.face = "on";
      this.#awaitFrame(stream);
    });
  }

  #trustPlaying() {
    this.#video.onplaying = () => (this.#stage.dataset.face = "on");
  }

  // Browsers paint no frames of a hidden page.
  #checkForStall() {
    if (document.hidden || performance.now() - this.#lastFrameMs < STALL_MS) return;
    this.#stage.dataset.face = "off";
  }
}
