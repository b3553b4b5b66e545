// How large a picture is shown: a smaller one need not be sent larger, nor one that is not seen.

const SETTLE_MS = 300;

/** Tells the area in device pixels once it has settled; nothing when the page is hidden. */
export class View {
  #video;
  #onView;
  #resized = new ResizeObserver(() => this.#change());
  /** @type {Timer | undefined} */
  #timer;
  #watches = false;

  /**
   * @param {HTMLVideoElement} video
   * @param {(width: number, height: number) => void} onView
   */
  constructor(video, onView) {
    this.#video = video;
    this.#onView = onView;
  }

  /** @param {boolean} wanted */
  watch(wanted) {
    if (wanted === this.#watches) return;
    this.#watches = wanted;
    clearTimeout(this.#timer);
    if (wanted) {
      this.#resized.observe(this.#video);
      document.addEventListener("visibilitychange", this.#tell);
    } else {
      this.#resized.disconnect();
      document.removeEventListener("visibilitychange", this.#tell);
    }
  }

  #change() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#tell, SETTLE_MS);
  }

  #tell = () => {
    const seen = !document.hidden;
    const [width, height] = [this.#video.clientWidth, this.#video.clientHeight].map((side) =>
      seen ? Math.round(side * devicePixelRatio) : 0,
    );
    this.#onView(width, height);
  };
}
