// The keys that work wherever one is: L for the speed, the space bar held to talk.

const SPEED = "KeyL";
const TALK = "Space";
const TYPING = "input:not([type=radio]), textarea, select, [contenteditable]";
const PRESSABLE = "button, summary, a, input, select, [role=button]";

// Where nothing has the focus, keys mean the element that was used last.
/** @type {Keys | null} */
let latest = null;

/** `wants(key)` says whether the element has a use for "speed" or "talk" now. */
export class Keys {
  #host;
  #wants;
  #onSpeed;
  #onTalk;
  #talking = false;
  /** @type {AbortController | undefined} */
  #abort;

  /**
   * @param {HTMLElement} host
   * @param {{ wants: (key: "speed" | "talk") => boolean, onSpeed: () => void, onTalk: (held: boolean) => void }} on
   */
  constructor(host, { wants, onSpeed, onTalk }) {
    this.#host = host;
    this.#wants = wants;
    this.#onSpeed = onSpeed;
    this.#onTalk = onTalk;
  }

  listen() {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    document.addEventListener("keydown", (event) => this.#down(event), { signal });
    document.addEventListener("keyup", (event) => this.#up(event), { signal });
    window.addEventListener("blur", () => this.#talk(false), { signal });
    this.#host.addEventListener("focusin", () => this.claim(), { signal });
    latest ??= this;
  }

  /** Keys pressed nowhere in particular mean this element from now on. */
  claim() {
    latest = this;
  }

  stop() {
    this.#talk(false);
    this.#abort?.abort();
    if (latest === this) latest = null;
  }

  /** @param {KeyboardEvent} event */
  #down(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.#isForUs(event)) return;
    const [target] = event.composedPath();
    if (!(target instanceof Element) || target.matches(TYPING)) return;
    if (event.code === SPEED && !event.repeat && this.#wants("speed")) this.#onSpeed();
    if (event.code !== TALK || !this.#wants("talk") || this.#isOtherButton(target)) return;
    event.preventDefault();
    this.#talk(true);
  }

  /** @param {KeyboardEvent} event */
  #up(event) {
    if (event.code !== TALK || !this.#talking) return;
    event.preventDefault();
    this.#talk(false);
  }

  /** @param {KeyboardEvent} event */
  #isForUs(event) {
    if (event.composedPath().includes(this.#host)) return true;
    const { activeElement } = document;
    return latest === this && (!activeElement || activeElement === document.body);
  }

  /**
   * The space bar presses a button that has the focus, unless it is the one that is held to talk.
   * @param {Element} target
   */
  #isOtherButton(target) {
    return target.matches(PRESSABLE) && target.id !== "hold";
  }

  /** @param {boolean} talking */
  #talk(talking) {
    if (talking === this.#talking) return;
    this.#talking = talking;
    this.#onTalk(talking);
  }
}
