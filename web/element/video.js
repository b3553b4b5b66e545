// The avatar's picture and voice. The stage shows its poster whenever there is no picture.

import { View } from "./view.js";

const STALL_MS = 4_000;
const CHECK_PERIOD_MS = 1_000;
const CAN_TELL_PICTURES = "requestVideoFrameCallback" in HTMLVideoElement.prototype;

/**
 * `stage` carries data-face="on" while pictures arrive. `onSound(false)` hears when the browser
 * refuses to play sound, `onSound(true)` when it plays, `onShown(true | false)` when the picture appears and disappears,
 * `onView(width, height)` in how many device pixels it is seen, 0 when it is not.
 */
export class Video {
  #stage;
  #video;
  #voice;
  #onSound;
  #onShown;
  #view;
  /** @type {Timer | undefined} */
  #timer;
  #pictures = 0;
  #lastPictureMs = 0;
  #over = true;

  /**
   * @param {{
   *   stage: HTMLElement, video: HTMLVideoElement, voice: HTMLAudioElement,
   *   onSound: (heard: boolean) => void, onShown: (shown: boolean) => void,
   *   onView: (width: number, height: number) => void
   * }} wishes
   */
  constructor({ stage, video, voice, onSound, onShown, onView }) {
    this.#stage = stage;
    this.#video = video;
    this.#voice = voice;
    this.#onSound = onSound;
    this.#onShown = onShown;
    this.#view = new View(video, onView);
    // A phone call, a headset's button or another page stops what plays, and starts it no more.
    for (const element of [video, voice]) {
      element.addEventListener("pause", () => this.#goOn(element));
    }
  }

  /** @param {MediaStreamTrack} track */
  add(track) {
    if (track.kind === "audio") this.#play(this.#voice, [...this.#voices(), track]);
    else this.#show(track);
  }

  /** Whether the avatar's picture is seen. */
  get isShown() {
    return this.#stage.dataset.face === "on";
  }

  /** To be called from a click, which lets the browser play sound. */
  unblock() {
    this.#start(this.#voice);
  }

  /**
   * Plays the voice through another speaker, where the browser can; "" is the system's own.
   * @param {string} id
   */
  async useSpeaker(id) {
    if (!this.#voice.setSinkId || this.#voice.sinkId === id) return;
    // A speaker that is gone since it was chosen leaves the system's own.
    await this.#voice.setSinkId(id).catch(() => {});
  }

  /** The avatar's picture stays away, its voice may go on. */
  lose() {
    this.#setShown(false);
    this.#stopWatching();
  }

  clear() {
    this.#stopWatching();
    this.#setShown(false);
    this.#over = true;
    this.#view.watch(false);
    this.#voice.srcObject = null;
    // The last picture stays below the poster while it fades in.
    this.#video.pause();
  }

  /** Lets go of the last picture too. */
  release() {
    this.clear();
    this.#video.srcObject = null;
  }

  // A connection that was taken up again brings new tracks; a room has one for each speaker.
  #voices() {
    return tracksOf(this.#voice).filter((track) => track.readyState === "live");
  }

  /**
   * @param {HTMLMediaElement} element
   * @param {MediaStreamTrack[]} tracks
   */
  #play(element, tracks) {
    element.srcObject = new MediaStream(tracks);
    this.#over = false;
    this.#start(element);
  }

  // Where the browser does not let it, the user is asked to turn the sound on.
  /** @param {HTMLMediaElement} element */
  #goOn(element) {
    if (!this.#over && tracksOf(element).length > 0) this.#start(element);
  }

  // Any other refusal means that a newer picture or voice took over.
  /** @param {HTMLMediaElement} element */
  #start(element) {
    element.play().then(
      () => element === this.#voice && tracksOf(element).length > 0 && this.#onSound(true),
      (error) => error.name === "NotAllowedError" && this.#onSound(false),
    );
  }

  /** @param {MediaStreamTrack} track */
  #show(track) {
    track.onended = () => tracksOf(this.#video).includes(track) && this.lose();
    this.#play(this.#video, [track]);
    this.#view.watch(true);
    const stream = this.#video.srcObject;
    const show = () => this.#video.srcObject === stream && this.#begin();
    if (CAN_TELL_PICTURES) this.#video.requestVideoFrameCallback(show);
    else this.#video.onplaying = show;
  }

  #begin() {
    this.#pictures = this.#count();
    this.#lastPictureMs = performance.now();
    this.#setShown(true);
    this.#timer ??= setInterval(() => this.#check(), CHECK_PERIOD_MS);
  }

  // Browsers paint no pictures of a hidden page.
  #check() {
    const pictures = this.#count();
    const nowMs = performance.now();
    if (pictures !== this.#pictures || document.hidden) this.#lastPictureMs = nowMs;
    this.#pictures = pictures;
    this.#setShown(nowMs - this.#lastPictureMs < STALL_MS);
  }

  #count() {
    return this.#video.getVideoPlaybackQuality?.().totalVideoFrames ?? performance.now();
  }

  /** @param {boolean} shown */
  #setShown(shown) {
    if (this.isShown === shown) return;
    this.#stage.dataset.face = shown ? "on" : "off";
    this.#onShown(shown);
  }

  #stopWatching() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** @param {HTMLMediaElement} element */
const tracksOf = ({ srcObject }) => (srcObject instanceof MediaStream ? srcObject.getTracks() : []);
