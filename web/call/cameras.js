// Whose picture of a LiveKit room is the avatar's.
//
// The bot's own, while it publishes one; else that of an avatar which somebody has sent to publish
// for the bot, as LiveAvatar is when it joins the room itself; else whatever came last.

// Set by who mints the avatar's token, and by nobody in the room (LiveKit's agents use it too).
const ON_BEHALF = "lk.publish_on_behalf";
const BOT = 3;
const SENT = 2;
const ANYBODY = 1;

/**
 * Whether a participant publishes for another one, and is neither a user nor the bot.
 * @param {{ attributes?: Readonly<Record<string, string>> }} [participant]
 */
export const isSent = (participant) => Boolean(participant?.attributes?.[ON_BEHALF]);

/** Tells by `show` which picture is to be seen now. */
export class Cameras {
  /** @type {{ track: MediaStreamTrack, identity: string, sentBy?: string }[]} */
  #all = [];
  /** @type {MediaStreamTrack | undefined} */
  #shown;
  /** @type {string | undefined} */
  #bot;
  #show;

  /** @param {(track: MediaStreamTrack) => void} show */
  constructor(show) {
    this.#show = show;
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {{ identity: string, attributes?: Readonly<Record<string, string>> }} from
   */
  add(track, from) {
    this.#all.push({ track, identity: from.identity, sentBy: from.attributes?.[ON_BEHALF] });
    this.#choose();
  }

  /** @param {MediaStreamTrack} track */
  remove(track) {
    this.#all = this.#all.filter((each) => each.track !== track);
    if (this.#shown === track) this.#shown = undefined;
    this.#choose();
  }

  /**
   * It is known who the bot is.
   * @param {string | undefined} identity
   */
  know(identity) {
    if (this.#bot === identity) return;
    this.#bot = identity;
    this.#choose();
  }

  /** @param {{ identity: string, sentBy?: string }} camera */
  #rank({ identity, sentBy }) {
    if (identity === this.#bot) return BOT;
    // One that a former bot has sent may have outlived it.
    return sentBy && sentBy === (this.#bot ?? sentBy) ? SENT : ANYBODY;
  }

  // An avatar that is to follow another one is in the room before: the first is seen until it goes.
  #choose() {
    const highest = Math.max(...this.#all.map((each) => this.#rank(each)));
    const best = this.#all.filter((each) => this.#rank(each) === highest);
    const chosen = (highest === SENT ? best[0] : best.at(-1))?.track;
    if (!chosen || chosen === this.#shown) return;
    this.#shown = chosen;
    this.#show(chosen);
  }
}
