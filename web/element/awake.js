// Keeps the screen on during a call: a phone that locks itself takes the microphone away.

export class Awake {
  #wanted = false;
  /** @type {WakeLockSentinel | null} */
  #lock = null;

  /** @param {boolean} wanted */
  keep(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) document.addEventListener("visibilitychange", this.#ask);
    else document.removeEventListener("visibilitychange", this.#ask);
    this.#ask();
  }

  #ask = () => void this.#settle();

  // Browsers give it to a page that is seen only, and take it from one that is seen no more.
  async #settle() {
    if (this.#wanted && !document.hidden) {
      const asked = navigator.wakeLock?.request("screen");
      this.#lock = (await asked?.catch(() => null)) ?? this.#lock;
    }
    if (!this.#wanted) await this.#lock?.release();
  }
}
