// What was said: one entry per turn, growing as words arrive.

/**
 * An entry is { id, role, at_s, segments, interim, typed, cut }. `role` is "user" or "avatar",
 * `at_s` counts from the start, a segment is { spoken, coming }, `interim` a guess at what the user
 * is saying, and `cut` whether the avatar was interrupted.
 *
 * `onChange(entry)` hears of every change, `onDrop(entry)` when one turns out to be empty.
 */
export class Transcript {
  #onChange;
  #onDrop;
  /** @type {Entry[]} */
  #entries = [];
  #lastId = 0;
  /** @type {Map<unknown, { entry: Entry, segment: Segment }>} */
  #segments = new Map();
  /** @type {Set<string | undefined>} */
  #typed = new Set();
  #startMs = performance.now();
  #closed = true;
  #tellsWords = false;

  /** @param {Record<"onChange" | "onDrop", (entry: Entry) => void>} listener */
  constructor({ onChange, onDrop }) {
    this.#onChange = onChange;
    this.#onDrop = onDrop;
  }

  /** The entries that hold words, oldest first. */
  get entries() {
    return this.#entries.filter((entry) => textOf(entry));
  }

  /** How often the user had a turn. */
  get turns() {
    return this.entries.filter(({ role }) => role === "user").length;
  }

  /**
   * Shows typed text at once; the bot's echo of `id` is not shown again.
   * @param {string} text
   * @param {string} id
   */
  userTyped(text, id) {
    this.#typed.add(id);
    const entry = this.#begin("user");
    entry.typed = true;
    this.#settle(entry, text);
    this.#closed = true;
  }

  /**
   * An interim text is replaced by the next one; a final one stays.
   * @param {Said} said
   */
  userSaid({ text, final, id }) {
    if (this.#typed.has(id) || !text?.trim()) return;
    const entry = this.#current("user");
    if (final) return this.#settle(entry, text.trim());
    entry.interim = text.trim();
    this.#onChange(entry);
  }

  /**
   * All that was spoken of a segment so far, and what of it is still to come. `words` says that
   * this voice tells its words as it speaks them.
   * @param {Speech} speech
   */
  avatarSaid({ segment: id, spoken, coming, words }) {
    if (words) this.#tellsWords = true;
    const { entry, segment } = this.#segments.get(id) ?? this.#addSegment(id);
    // A segment may be announced after it has been spoken.
    if (segment.isOver || (segment.spoken && !spoken)) return;
    Object.assign(segment, { spoken, coming });
    this.#onChange(entry);
  }

  /** The avatar stopped in mid-sentence: what was still to come will not be said. */
  avatarCut() {
    const known = [...this.#segments.values()].filter(({ segment }) => segment.coming);
    for (const [place, { segment }] of known.entries()) this.#cut(segment, place === 0);
    for (const entry of new Set(known.map(({ entry }) => entry))) {
      entry.cut = true;
      if (textOf(entry)) this.#onChange(entry);
      else this.#drop(entry);
    }
  }

  /**
   * A whole turn of before this page was there; `now_s` is how long the conversation has lasted.
   * @param {Past} turn
   */
  restore({ who, text, at_s, interrupted, now_s }) {
    this.#startMs = performance.now() - now_s * 1000;
    const entry = this.#begin(who === "user" ? "user" : "avatar");
    Object.assign(entry, { at_s, cut: Boolean(interrupted) });
    this.#settle(entry, text);
    this.#closed = true;
  }

  /** The user goes on with the last turn: it comes again whole, and its answer was not given. */
  takenBack() {
    for (const role of ["avatar", "user"]) {
      const last = this.#entries.at(-1);
      if (last?.role === role && !last.typed) this.#drop(last);
    }
    this.#closed = true;
  }

  /**
   * Voices without word timing never tell how far they came in the sentence they had begun.
   * @param {Segment} segment
   * @param {boolean} begun
   */
  #cut(segment, begun) {
    if (begun && !this.#tellsWords) segment.spoken ||= segment.coming;
    segment.coming = "";
    segment.isOver = true;
  }

  /** @param {unknown} id */
  #addSegment(id) {
    const entry = this.#current("avatar");
    /** @type {Segment} */
    const segment = { spoken: "", coming: "" };
    const known = { entry, segment };
    entry.segments.push(segment);
    this.#segments.set(id, known);
    return known;
  }

  /**
   * @param {Entry} entry
   * @param {string} text
   */
  #settle(entry, text) {
    entry.segments.push({ spoken: text, coming: "" });
    entry.interim = "";
    this.#onChange(entry);
  }

  /** @param {Role} role */
  #current(role) {
    const last = this.#entries.at(-1);
    return last?.role === role && !this.#closed ? last : this.#begin(role);
  }

  /**
   * What was only guessed and never settled goes when the next turn starts.
   * @param {Role} role
   * @returns {Entry}
   */
  #begin(role) {
    const last = this.#entries.at(-1);
    if (last?.interim) this.#dropGuess(last);
    const at_s = (performance.now() - this.#startMs) / 1000;
    /** @type {Entry} */
    const entry = { id: ++this.#lastId, role, at_s, segments: [], interim: "" };
    this.#entries.push(entry);
    this.#closed = false;
    return entry;
  }

  /** @param {Entry} entry */
  #dropGuess(entry) {
    entry.interim = "";
    if (entry.segments.length > 0) this.#onChange(entry);
    else this.#drop(entry);
  }

  /** @param {Entry} entry */
  #drop(entry) {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#onDrop(entry);
  }
}

/**
 * What of an entry has really been said.
 * @param {Entry} entry
 */
export function textOf({ segments }) {
  return segments
    .map(({ spoken }) => spoken)
    .filter(Boolean)
    .join(" ");
}

// Text from right to left keeps its order, and leaves that of its line alone, between these marks.
const FROM_RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
/** @param {string} text */
const isolated = (text) => (FROM_RIGHT.test(text) ? `\u2068${text}\u2069` : text);

/**
 * The whole transcript as plain text, one entry a line.
 * @param {Entry[]} entries
 * @param {Names} names
 */
export function asText(entries, names) {
  /** @param {Entry} entry */
  const line = (entry) => {
    const end = entry.cut ? " –" : "";
    const [name, text] = [names[entry.role], textOf(entry)].map(isolated);
    return `[${clock(entry.at_s)}] ${name}: ${text}${end}`;
  };
  return `${entries.map(line).join("\n")}\n`;
}

/**
 * Seconds as minutes and seconds.
 * @param {number} duration_s
 */
export function clock(duration_s) {
  const whole = Math.floor(duration_s);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
