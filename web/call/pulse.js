// The avatar's sign of life in a room, which stays open when its process has died.

const TICK_MS = 1_000;
const SILENT_TICKS = 6;
// A network that lives carries something within this, be it only WebRTC's own asking back.
const STILL_TICKS = 3;
// A beat comes every two seconds: what the network carries is looked at when one is late.
const LATE_TICKS = 3;

/**
 * Tells by `missed`, once, that beats have come and come no more, while the network goes on.
 *
 * Time is counted in ticks of the page's own, so that none passes while the page sleeps. `carried`
 * gives a number that changes as long as the network carries anything. Whoever makes a Pulse closes
 * it.
 */
export class Pulse {
  #carried;
  #missed;
  /** @type {Timer | undefined} */
  #timer;
  #silent = 0;
  #still = 0;
  #before = 0;
  #closed = false;

  /** @param {{ carried: () => Promise<number>, missed: () => void }} means */
  constructor({ carried, missed }) {
    this.#carried = carried;
    this.#missed = missed;
  }

  /**
   * Takes note of a message that is a beat, and says whether it is one.
   * @param {unknown} message
   */
  take(message) {
    const { type, data } = Object(message);
    if (type !== "server-message" || Object(data).type !== "alive") return false;
    this.#silent = 0;
    if (!this.#timer && !this.#closed) this.#wait();
    return true;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #wait() {
    this.#timer = setTimeout(() => void this.#tick(), TICK_MS);
  }

  async #tick() {
    this.#silent += 1;
    if (this.#silent >= LATE_TICKS) await this.#look();
    if (this.#closed) return;
    if (this.#silent < SILENT_TICKS) return this.#wait();
    this.close();
    this.#missed();
  }

  // While nothing is carried at all, it is the network that is gone: of that, others tell.
  async #look() {
    const carried = await this.#carried();
    this.#still = carried === this.#before ? this.#still + 1 : 0;
    this.#before = carried;
    if (this.#still >= STILL_TICKS) this.#silent = 0;
  }
}
