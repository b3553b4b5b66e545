// The element's screen: what each state looks like. It knows nothing of calls.

import { clock } from "../conversation/transcript.js";
import { Captions } from "./captions.js";
import { chosenSpeaker, Devices } from "./devices.js";
import { localize, markup } from "./markup.js";
import { Speed } from "./speed.js";
import { Video } from "./video.js";
import { Welcome } from "./welcome.js";

export const IN_CALL = [
  "microphone",
  "connecting",
  "listening",
  "thinking",
  "speaking",
  "reconnecting",
];
export const LIVE = ["listening", "thinking", "speaking"];
const ENDED = ["over", "failed"];
const NOTICE_MS = 12_000;
const COPIED_MS = 2_000;
const LEAST_LEVEL_CHANGE = 0.02;
const SHEETS = ["speed", "devices"];

/**
 * `on` is what the user can ask for, and what shows by itself: typing() while the user types,
 * sheet(name | null) when one opens or closes, sound(heard) when the browser lets it be heard or not, faceMissed() when the picture is gone in the middle
 * of a call.
 */
export class Screen {
  /**
   * How the call is held.
   * @type {Mode}
   */
  mode = { voice: true, watching: false, asksItself: false, carriesText: true, pushToTalk: false };
  muted = false;
  #starting = false;
  #root;
  #on;
  /** @type {Texts} */
  #text = (key) => key;
  #state = "idle";
  /** @type {string | null} */
  #sheet = null;
  #level = 0;
  #held = false;
  #blocked = false;
  /** @type {string | null} */
  #notice = null;
  /** @type {Timer | undefined} */
  #noticeTimer;
  /** @type {Timer | undefined} */
  #copiedTimer;
  /** @type {Speed} */
  #speed;
  /** @type {Devices} */
  #devices;

  /**
   * @param {ShadowRoot} root
   * @param {Wishes} on
   */
  constructor(root, on) {
    root.append(markup());
    this.#root = root;
    this.#on = on;
    this.captions = new Captions(this.#at("captions"));
    this.video = new Video({
      stage: this.#at("stage"),
      video: this.#at("face"),
      voice: this.#at("voice"),
      onSound: (heard) => this.#onSound(heard),
      onShown: (shown) => this.#onFace(shown),
      onView: (width, height) => this.#on.view(width, height),
    });
    this.welcome = new Welcome(this.#at, () => this.showPerson());
    this.#speed = new Speed(this.#at, this.#text);
    this.#devices = this.#makeDevices();
    this.#wire();
  }

  /** The element that holds a page of the transport's own. */
  get frame() {
    return this.#at("frame");
  }

  /** The sheet that is open: "speed", "devices" or null. */
  get sheet() {
    return this.#sheet;
  }

  /** The speakers' names, by role. */
  get names() {
    return this.captions.names;
  }

  /**
   * @param {string} language
   * @param {Texts} text
   */
  setLanguage(language, text) {
    this.#text = text;
    this.#at("call").lang = language;
    localize(this.#root, text);
    this.#speed = new Speed(this.#at, text);
    this.#devices = this.#makeDevices();
    this.captions.cutWord = text("cut");
    this.showPerson();
    this.showState(this.#state);
  }

  /**
   * Whether the server is getting ready: who begins waits for it.
   * @param {boolean} starting
   */
  showStarting(starting) {
    this.#starting = starting;
    this.showState(this.#state);
  }

  /** Nothing can be started until the line-up is shown. */
  holdStart() {
    this.#at("start").disabled = this.#at("start-typing").disabled = true;
  }

  /**
   * @param {Lineup} lineup
   * @param {Fixed} fixed
   */
  showLineup(lineup, fixed) {
    this.welcome.show(lineup, fixed, this.#text);
    this.showPerson();
    this.#at("start").disabled = this.#at("start-typing").disabled = false;
    this.#at("start-typing").hidden = !this.mode.carriesText;
  }

  /** Name and picture of whom the user talks with. */
  showPerson() {
    const { name, picture, language } = this.welcome;
    this.captions.names = { user: this.#text("you"), avatar: name ?? this.#text("avatar") };
    this.captions.language = language;
    this.#at("name").textContent = name ?? this.#text("avatar");
    this.welcome.showName(name, this.#text);
    this.#showPortrait(picture);
  }

  /** Clears what the last conversation left. */
  begin() {
    this.captions.clear();
    this.#at("reason").textContent = "";
    this.showMuted(false);
    this.hideNotice();
    this.openSheet(null);
    this.showTurns([]);
    this.showSpend(null);
    void this.video.useSpeaker(chosenSpeaker());
    this.video.unblock();
  }

  /** @param {string} state */
  showState(state) {
    this.#state = state;
    const inCall = IN_CALL.includes(state);
    const live = LIVE.includes(state);
    const { voice, watching, asksItself, carriesText, pushToTalk } = this.mode;
    const talks = voice && !asksItself && !watching;
    this.#say(this.#stateWords(state));
    this.#show("welcome", state === "idle");
    this.#show("ending", ENDED.includes(state));
    this.#show("afterwards", ENDED.includes(state));
    this.#show("controls", inCall);
    this.#show("captions", state !== "idle" && carriesText);
    this.#show("no-text", inCall && !carriesText);
    this.#show("composer", carriesText && !watching);
    this.#show("mute", talks && !pushToTalk);
    this.#show("hold", talks && pushToTalk);
    this.#show("interrupt", carriesText && !watching);
    this.#at("send").disabled = this.#at("mute").disabled = this.#at("hold").disabled = !live;
    this.#at("interrupt").disabled = state !== "speaking";
    if (live) return;
    this.#letGo();
    this.showLevel(0);
    this.hideNotice("faceLost");
  }

  /**
   * `figures` are of a conversation that took place.
   * @param {Ending} ending
   * @param {Figures | null} figures
   */
  showEnding({ failed, reason, kind, values }, figures) {
    this.video.clear();
    this.captions.stop();
    this.hideNotice();
    this.openSheet(null);
    this.showState(failed ? "failed" : "over");
    const canType = kind === "microphone" && this.mode.carriesText;
    this.#at("reason").textContent = this.#text(reason, values);
    this.#at("again").textContent = this.#text(failed ? "retry" : "again");
    this.#show("go-on-typing", canType);
    this.#showFigures(figures);
    this.focus(canType ? "go-on-typing" : "again");
  }

  /** @param {boolean} muted */
  showMuted(muted) {
    this.muted = muted;
    const button = this.#at("mute");
    button.dataset.muted = String(muted);
    button.title = this.#text(muted ? "unmute" : "mute");
    this.#at("mute-words").textContent = this.#text(muted ? "unmute" : "mute");
    this.showState(this.#state);
  }

  /** @param {boolean} held */
  showHeld(held) {
    this.#at("hold").setAttribute("aria-pressed", String(held));
    this.#at("hold-words").textContent = this.#text(held ? "holding" : "hold");
    this.#held = held;
    this.showState(this.#state);
  }

  // A button that cannot be used any more does not tell when it is let go.
  #letGo() {
    if (!this.#held) return;
    this.showHeld(false);
    this.#on.hold(false);
  }

  /**
   * The microphone's level, 0 to 1.
   * @param {number} level
   */
  showLevel(level) {
    if (Math.abs(level - this.#level) < LEAST_LEVEL_CHANGE && (level > 0 || this.#level === 0))
      return;
    this.#level = level;
    const button = this.#at(this.mode.pushToTalk ? "hold" : "mute");
    const meter = /** @type {HTMLElement} */ (button.querySelector(".level"));
    meter.style.transform = `scaleX(${level.toFixed(2)})`;
  }

  /**
   * A sentence and, perhaps, the one useful button: { text, do() }. A notice of a `kind` stays
   * until it is hidden; others go by themselves.
   * @param {string} sentence
   * @param {{ kind?: string, action?: NoticeAction }} [how]
   */
  showNotice(sentence, { kind, action } = {}) {
    clearTimeout(this.#noticeTimer);
    this.#notice = kind ?? "passing";
    const button = this.#at("notice-action");
    this.#at("notice").classList.add("shown");
    this.#at("notice-words").textContent = this.#text(sentence);
    button.hidden = !action;
    button.textContent = action ? this.#text(action.text) : "";
    button.onclick = () => {
      this.hideNotice();
      action?.do();
    };
    if (!kind) this.#noticeTimer = setTimeout(() => this.hideNotice(), NOTICE_MS);
  }

  /**
   * Hides the notice, or only one of a `kind`.
   * @param {string} [kind]
   */
  hideNotice(kind) {
    if (!this.#notice || (kind && kind !== this.#notice)) return;
    clearTimeout(this.#noticeTimer);
    this.#notice = null;
    this.#at("notice").classList.remove("shown");
    this.#at("notice-words").textContent = "";
    this.#at("notice-action").hidden = true;
  }

  /**
   * Opens a sheet in the captions' place; null closes.
   * @param {string | null} name
   */
  openSheet(name) {
    const before = this.#sheet;
    if (name === before) return;
    this.#sheet = name;
    this.#at("call").toggleAttribute("data-sheet", Boolean(name));
    for (const sheet of SHEETS) {
      this.#show(`${sheet}-sheet`, sheet === name);
      this.#at(sheet).setAttribute("aria-expanded", String(sheet === name));
    }
    if (name === "devices") void this.#onDevicesSheet();
    if (name) this.focus(`${name}-sheet`);
    else if (before) this.focus(before);
    this.#on.sheet(name);
  }

  refreshDevices() {
    return this.#devices.refresh(this.mode.voice && !this.mode.asksItself && !this.mode.watching);
  }

  #onDevicesSheet() {
    this.hideNotice("unheard");
    this.hideNotice("gone");
    return this.refreshDevices();
  }

  /** @param {Turn[]} turns */
  showTurns(turns) {
    this.#speed.showTurns(turns);
  }

  /** @param {number | null} dollars */
  showSpend(dollars) {
    this.#speed.showSpend(dollars);
  }

  /** @param {Reading} reading */
  showNetwork(reading) {
    this.#speed.showNetwork(reading);
  }

  /**
   * Moves the focus, but only if it is ours or nobody's.
   * @param {string} id
   */
  focus(id) {
    const nobodys = !document.activeElement || document.activeElement === document.body;
    const ours = this.#root.activeElement !== null || document.activeElement === this.#root.host;
    if (ours || nobodys) this.#at(id).focus({ preventScroll: true });
  }

  /** Lets go of everything that is planned or playing. */
  release() {
    clearTimeout(this.#noticeTimer);
    clearTimeout(this.#copiedTimer);
    this.captions.stop();
    this.video.release();
    this.hideNotice();
  }

  // A picture that is missed in the middle of a call, not one that goes with it.
  /** @param {boolean} shown */
  #onFace(shown) {
    if (shown) this.hideNotice("faceLost");
    else if (LIVE.includes(this.#state)) this.#on.faceMissed();
  }

  #at = /** @type {At} */ (
    /** @type {unknown} */ ((/** @type {string} */ id) => this.#root.getElementById(id))
  );

  #makeDevices() {
    return new Devices(this.#at, this.#text, {
      onMicrophone: (id) => this.#on.microphone(id),
      onSpeaker: (id) => void this.video.useSpeaker(id),
    });
  }

  /**
   * @param {string} id
   * @param {boolean} shown
   */
  #show(id, shown) {
    this.#at(id).hidden = !shown;
  }

  #wire() {
    /** @type {(id: string, act: () => void) => void} */
    const click = (id, act) => this.#at(id).addEventListener("click", act);
    click("call", () => this.#blocked && this.video.unblock());
    click("start", () => this.#on.start(true));
    click("start-typing", () => this.#on.start(false));
    click("again", () => this.#on.again());
    click("go-on-typing", () => this.#on.goOnTyping());
    click("mute", () => this.#on.mute(!this.muted));
    click("interrupt", () => this.#on.interrupt());
    click("end", () => this.#on.end());
    click("copy", () => void this.#copy());
    click("download", () => this.#download());
    for (const sheet of SHEETS) {
      click(sheet, () => this.openSheet(this.#sheet === sheet ? null : sheet));
      click(`${sheet}-close`, () => this.openSheet(null));
    }
    this.#at("composer").addEventListener("submit", (event) => this.#send(event));
    this.#at("text").addEventListener("input", () => this.#on.typing());
    this.#at("call").addEventListener(
      "keydown",
      ({ key }) => key === "Escape" && this.openSheet(null),
    );
    this.#wireHold(this.#at("hold"));
  }

  /** @param {HTMLElement} button */
  #wireHold(button) {
    button.addEventListener("pointerdown", ({ pointerId }) => {
      button.setPointerCapture(pointerId);
      this.#on.hold(true);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(end, () => this.#on.hold(false));
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** @param {Event} event */
  #send(event) {
    event.preventDefault();
    const field = this.#at("text");
    const text = field.value.trim();
    if (!text || !LIVE.includes(this.#state)) return;
    this.#on.say(text);
    field.value = "";
  }

  // Screen readers speak the words each time they are written.
  /** @param {string} words */
  #say(words) {
    if (this.#at("state-words").textContent !== words) this.#at("state-words").textContent = words;
  }

  /** @param {string} state */
  #stateWords(state) {
    const { voice, watching, pushToTalk } = this.mode;
    if (this.#starting && ["idle", "connecting"].includes(state)) return this.#text("starting");
    if (watching && state === "connecting") return this.#text("waiting");
    if (state !== "listening") return this.#text(state);
    if (watching) return this.#text("watching");
    if (!voice) return this.#text("listeningTyped");
    if (pushToTalk && !this.#held) return this.#text("listeningHold");
    return this.#text(this.muted ? "listeningMuted" : "listening");
  }

  /** @param {string | null} url */
  #showPortrait(url) {
    const portrait = this.#at("portrait");
    if (portrait.dataset.url === (url ?? "")) return;
    portrait.dataset.url = url ?? "";
    portrait.onload = () => (portrait.hidden = !url);
    portrait.onerror = () => (portrait.hidden = true);
    if (url) portrait.src = url;
    else portrait.hidden = true;
  }

  /** @param {boolean} heard */
  #onSound(heard) {
    this.#blocked = !heard;
    const action = { text: "unblock", do: () => this.video.unblock() };
    if (heard) this.hideNotice("blocked");
    else this.showNotice("soundBlocked", { kind: "blocked", action });
    this.#on.sound(heard);
  }

  /** @param {Figures | null} figures */
  #showFigures(figures) {
    this.#show("figures", Boolean(figures));
    this.#show("takeaway", Boolean(figures?.turns || figures?.words));
    if (!figures) return;
    const { duration_s, turns, median_s } = figures;
    this.#at("duration").textContent = clock(duration_s);
    this.#at("turns").textContent = `${turns}`;
    this.#at("median").textContent =
      median_s === null ? "–" : this.#text("seconds", { value: median_s.toFixed(1) });
  }

  // Browsers give the clipboard only to secure pages and to frames that are allowed to use it.
  async #copy() {
    const copied = await navigator.clipboard?.writeText(this.#on.transcript()).then(
      () => true,
      () => false,
    );
    const button = this.#at("copy");
    button.textContent = this.#text(copied ? "copied" : "notCopied");
    clearTimeout(this.#copiedTimer);
    this.#copiedTimer = setTimeout(() => {
      button.textContent = this.#text("copy");
    }, COPIED_MS);
  }

  #download() {
    const url = URL.createObjectURL(new Blob([this.#on.transcript()], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${this.names.avatar}.txt`;
    link.click();
    URL.revokeObjectURL(url);
  }
}
