// The captions: the transcript, as a list on the screen.

import { textOf } from "../conversation/transcript.js";

const NEAR_BOTTOM_PX = 48;
// A voice that tells its words as it speaks has told one by then.
const WORDS_LIMIT_MS = 1_200;

/** The captions in `list`, an element that scrolls. */
export class Captions {
  /**
   * The speakers' names.
   * @type {Names}
   */
  names = { user: "", avatar: "" };
  /** What is said of a sentence that was cut off. */
  cutWord = "";
  /** The language of the captions' own words, or "". */
  language = "";
  #list;
  /** @type {Map<Entry, Item>} */
  #items = new Map();
  #knowsWords = false;
  /** @type {Timer | undefined} */
  #wordsTimer;
  #follows = true;
  // Where the newest words were shown last.
  #endPx = 0;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
    list.addEventListener("scroll", () => {
      this.#follows = this.#distance() < NEAR_BOTTOM_PX;
    });
    new ResizeObserver(() => this.#keepEnd()).observe(list);
  }

  clear() {
    this.#list.replaceChildren();
    this.#items.clear();
    this.#follows = true;
    this.#endPx = 0;
    this.#knowsWords = false;
    delete this.#list.dataset.ahead;
    this.stop();
  }

  /** Lets go of what is still planned. */
  stop() {
    clearTimeout(this.#wordsTimer);
    this.#wordsTimer = undefined;
  }

  /** @param {Entry} entry */
  show(entry) {
    const item = this.#items.get(entry) ?? this.#add(entry);
    item.show(entry);
    if (entry.typed) {
      this.#follows = true;
      this.#endPx = 0;
    }
    this.#keepEnd();
  }

  /** @param {Entry} entry */
  drop(entry) {
    this.#items.get(entry)?.remove();
    this.#items.delete(entry);
  }

  /**
   * Words appear when they are spoken. A voice that only tells whole sentences shows them ahead,
   * in a softer colour: `words` says which kind it is, as soon as that is known.
   * @param {boolean} [words]
   */
  voiceTells(words) {
    if (words) this.#knowsWords = true;
    if (this.#knowsWords) {
      this.stop();
      delete this.#list.dataset.ahead;
      return;
    }
    this.#wordsTimer ??= setTimeout(() => {
      this.#list.dataset.ahead = "";
    }, WORDS_LIMIT_MS);
  }

  /** @param {Entry} entry */
  #add(entry) {
    const item = new Item(entry.role, this.names[entry.role], this.cutWord, this.language);
    this.#items.set(entry, item);
    this.#list.append(item.element);
    return item;
  }

  // Whoever reads the newest words goes on to see them, whatever changes; who has scrolled back is
  // left alone, also where the browser has not told of it yet.
  #keepEnd() {
    const isBack = this.#list.scrollTop < this.#endPx - NEAR_BOTTOM_PX;
    if (isBack && this.#distance() >= NEAR_BOTTOM_PX) this.#follows = false;
    if (!this.#follows) return;
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#endPx = this.#list.scrollTop;
  }

  #distance() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight;
  }
}

class Item {
  element = document.createElement("li");
  #words = piece("words");
  #interim = piece("interim");
  #cut = piece("cut");

  /**
   * @param {Role} role
   * @param {string} name
   * @param {string} cutWord
   * @param {string} language
   */
  constructor(role, name, cutWord, language) {
    this.element.dataset.role = role;
    this.element.part = `caption caption-${role}`;
    this.element.dir = "auto";
    this.#words.lang = this.#interim.lang = language;
    this.#cut.textContent = cutWord;
    this.#cut.hidden = true;
    const speaker = piece("speaker", name);
    // What has a direction of its own does not decide that of the words.
    speaker.dir = this.#cut.dir = "auto";
    this.element.append(speaker, this.#words, this.#interim, this.#cut);
  }

  /** @param {Entry} entry */
  show(entry) {
    for (const [place, segment] of entry.segments.entries()) this.#segment(place, segment);
    write(this.#interim, entry.interim);
    this.#cut.hidden = !entry.cut;
    this.element.classList.toggle("unsaid", !textOf(entry) && !entry.interim);
  }

  remove() {
    this.element.remove();
  }

  /**
   * @param {number} place
   * @param {Segment} segment
   */
  #segment(place, { spoken, coming }) {
    const [said, ahead] = (this.#words.children[place] ?? this.#addSegment()).children;
    write(said, spoken && `${spoken} `);
    write(ahead, coming && `${coming} `);
  }

  #addSegment() {
    const segment = document.createElement("span");
    segment.append(piece("said"), piece("coming"));
    this.#words.append(segment);
    return segment;
  }
}

/** @param {string} name */
function piece(name, text = "") {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}

/**
 * @param {Element} element
 * @param {string} text
 */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
