// What was said, as a list: one entry per turn, growing as words arrive.

const NEAR_BOTTOM_PX = 48;

/** The captions in `list`, an element that scrolls. */
export class Captions {
  /** The speakers' names, by role. */
  names;
  #list;
  #last = null;
  #segments = new Map();
  #typed = new Set();

  constructor(list, names) {
    this.#list = list;
    this.names = names;
  }

  clear() {
    this.#list.replaceChildren();
    this.#last = null;
    this.#segments.clear();
    this.#typed.clear();
  }

  /** Shows typed text at once; the bot's echo of `id` is not shown again. */
  userTyped(text, id) {
    this.#typed.add(id);
    this.#start("user").settle(text);
    this.#last.closed = true;
    this.#scroll(true);
  }

  /** An interim text is replaced by the next one; a final one stays. */
  userSaid({ text, final, id }) {
    if (this.#typed.has(id) || !text.trim()) return;
    const entry = this.#current("user");
    if (final) entry.settle(text.trim());
    else entry.suggest(text.trim());
    this.#scroll();
  }

  /** All that was spoken of a segment so far, and what of it is still to come. */
  avatarSaid({ segment, spoken, coming }) {
    if (!this.#segments.has(segment)) {
      this.#segments.set(segment, new Segment(this.#current("avatar").addPart()));
    }
    this.#segments.get(segment).show(spoken, coming);
    this.#scroll();
  }

  /** The avatar stopped in mid-sentence: what was still to come will not be said. */
  avatarCut() {
    const open = [...this.#segments.values()].filter((segment) => segment.isOpen);
    open.forEach((segment, place) => segment.cut({ begun: place === 0 }));
  }

  #current(role) {
    if (this.#last?.role === role && !this.#last.closed) return this.#last;
    return this.#start(role);
  }

  #start(role) {
    this.#last?.drop();
    this.#last = new Entry(this.#list, role, this.names[role]);
    return this.#last;
  }

  #scroll(always = false) {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    const lastHeight = this.#list.lastElementChild?.offsetHeight ?? 0;
    const distance = scrollHeight - scrollTop - clientHeight - lastHeight;
    if (always || distance < NEAR_BOTTOM_PX) this.#list.scrollTop = scrollHeight;
  }
}

class Segment {
  #spoken = document.createElement("span");
  #coming = document.createElement("span");
  #part;
  #cut = false;

  constructor(part) {
    this.#part = part;
    this.#coming.className = "coming";
    part.append(this.#spoken, this.#coming);
  }

  get isOpen() {
    return this.#coming.textContent !== "";
  }

  show(spoken, coming) {
    if (this.#cut) return;
    this.#spoken.textContent = spoken ? `${spoken} ` : "";
    this.#coming.textContent = coming ? `${coming} ` : "";
  }

  // Voices without word timing never tell how far they came in the sentence they had begun.
  cut({ begun }) {
    this.#cut = true;
    if (!begun) return this.#part.remove();
    if (this.#spoken.textContent) this.#coming.textContent = "– ";
    else this.#coming.append("– ");
  }
}

class Entry {
  closed = false;
  #element = document.createElement("li");
  #words = document.createElement("span");
  #interim = document.createElement("span");

  constructor(list, role, name) {
    this.role = role;
    this.#element.dataset.role = role;
    const speaker = document.createElement("span");
    speaker.className = "speaker";
    speaker.textContent = name;
    this.#words.className = "words";
    this.#interim.className = "interim";
    this.#element.append(speaker, this.#words, this.#interim);
    list.append(this.#element);
  }

  addPart() {
    const part = document.createElement("span");
    this.#words.append(part);
    return part;
  }

  suggest(text) {
    this.#interim.textContent = text;
  }

  settle(text) {
    this.addPart().textContent = `${text} `;
    this.#interim.textContent = "";
  }

  /** What was only guessed and never settled goes when the next turn starts. */
  drop() {
    this.#interim.textContent = "";
    if (!this.#words.textContent) this.#element.remove();
  }
}
