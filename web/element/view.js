// How large a picture is shown: a smaller one need not be sent larger, nor one that is not seen.

const SETTLE_MS = 300;
// A picture in a window of its own is seen whatever the page is.
const OUTSIDE = /** @type {const} */ (["enterpictureinpicture", "leavepictureinpicture"]);

/** Tells the area in device pixels once it has settled; nothing when the page is hidden. */
export class View {
  #video;
  #onView;
  #resized = new ResizeObserver(() => this.#change());
  /** @type {MediaQueryList | undefined} */
  #density;
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
    const how = wanted ? "addEventListener" : "removeEventListener";
    document[how]("visibilitychange", this.#tell);
    for (const event of OUTSIDE) this.#video[how](event, this.#tell);
    if (wanted) this.#resized.observe(this.#video);
    else this.#resized.disconnect();
    this.#watchDensity();
  }

  // A window that comes to another screen has the same size there.
  #watchDensity() {
    this.#density?.removeEventListener("change", this.#change);
    this.#density = this.#watches ? matchMedia(`(resolution: ${devicePixelRatio}dppx)`) : undefined;
    this.#density?.addEventListener("change", this.#change);
  }

  #change = () => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#tell, SETTLE_MS);
    this.#watchDensity();
  };

  #tell = () => {
    const { width, height } = this.#area();
    this.#onView(Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio));
  };

  #area() {
    const outside = /** @type {ShadowRoot} */ (this.#video.getRootNode()).pictureInPictureElement;
    // How large a window of its own is, the browser tells in its own event only.
    if (outside === this.#video) return { width: screen.width, height: screen.height };
    return document.hidden ? { width: 0, height: 0 } : this.#video.getBoundingClientRect();
  }
}
