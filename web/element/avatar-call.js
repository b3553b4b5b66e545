// <avatar-call>: a conversation with an AI avatar, as one element. README.md tells how to use it.

import { setAccess } from "../call/access.js";
import { asksItself, carriesText } from "../call/call.js";
import { Network } from "../call/network.js";
import { CallError, endingOf } from "../call/request.js";
import { Conversation } from "../conversation/conversation.js";
import { keepLeft, recall, remember, takeLeft } from "../conversation/memory.js";
import { asText, Transcript, textOf } from "../conversation/transcript.js";
import { visitAt } from "../conversation/visit.js";
import { Awake } from "./awake.js";
import { Keys } from "./keys.js";
import { loadLineup, roomLineup, untilReady } from "./lineup.js";
import { IN_CALL, LIVE, Screen } from "./screen.js";
import { style } from "./style.js";
import { chooseLanguage, textsIn } from "./texts.js";

const STATS_PERIOD_MS = 5_000;
const STATS_OPEN_PERIOD_MS = 1_000;
const CONSENT = "consent";
// The server of this script, which may be a folder of another one.
const HOME = import.meta.url.replace(/web\/([0-9a-f]{16}\/)?element\/[^/]*$/, "");
const PROPERTIES = [
  "server",
  "transport",
  "persona",
  "avatar",
  "variables",
  "captions",
  "theme",
  "pushToTalk",
  "autostart",
  "roomUrl",
  "roomToken",
  "accessToken",
  "accessLink",
];

/**
 * Attributes: server, transport, persona, avatar, variables (JSON), captions ("on" | "off"),
 * theme ("auto" | "light" | "dark"), push-to-talk, autostart, lang, room-url and room-token.
 * Each is a property, too; `variables` is an object there. The tokens of a room are best set as
 * properties, which no markup shows.
 *
 * @fires state       detail { state, previous }
 * @fires transcript  detail { id, role, text, interim, cut, at_s }
 * @fires metrics     detail { type: "turn", turn, steps, exact, ahead? }, { type: "network", fps,
 *                    offset_ms, loss, round_trip_ms } or { type: "spend", dollars }
 * @fires error       detail { kind, message }
 */
export class AvatarCall extends HTMLElement {
  static observedAttributes = [
    "server",
    "transport",
    "persona",
    "avatar",
    "push-to-talk",
    "lang",
    "room-url",
    "room-token",
  ];

  /** @type {Screen} */
  #screen;
  #keys;
  #awake = new Awake();
  #text = textsIn("en");
  /** @type {Lineup | null} */
  #lineup = null;
  /** @type {Promise<unknown>} */
  #loading = Promise.resolve();
  /**
   * That a conversation can begin; null where it is to be asked.
   * @type {Promise<unknown> | null}
   */
  #readiness = null;
  /** @type {Conversation | null} */
  #conversation = null;
  #transcript = this.#emptyTranscript();
  #network = new Network();
  #state = "idle";
  #voice = true;
  /** @type {number | null} */
  #startedMs = null;
  /** @type {Timer | undefined} */
  #statsTimer;
  #roomToken = "";
  /** @type {Access} */
  #accessToken = "";
  #accessLink = "";
  /** @type {{ server: string, link: string, access: Access } | null} */
  #visit = null;
  /**
   * The last wish for a line-up; null while the element is in no page.
   * @type {object | null}
   */
  #asked = null;
  #abort = new AbortController();

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    this.#screen = new Screen(root, {
      start: (voice) => this.#begin(voice),
      again: () => this.#again(),
      goOnTyping: () => this.#begin(false),
      typing: () => this.#onTyping(),
      say: (text) => this.say(text),
      mute: (muted) => this.mute(muted),
      hold: (held) => this.#hold(held),
      interrupt: () => this.interrupt(),
      end: () => this.stop(),
      microphone: (id) => void this.#useMicrophone(id),
      sheet: () => this.#watchNetwork(),
      sound: (heard) => this.#conversation?.sound(heard),
      view: (width, height) => this.#conversation?.view(width, height),
      transcript: () => this.transcript,
      faceMissed: () => void this.#onFaceMissed(),
    });
    this.#keys = new Keys(this, {
      wants: (key) => this.#wants(key),
      onSpeed: () => this.#screen.openSheet(this.#screen.sheet === "speed" ? null : "speed"),
      onTalk: (held) => this.#hold(held),
    });
  }

  // Properties

  /** The base URL of the server, that of this script by default. */
  get server() {
    return this.getAttribute("server") ?? "";
  }

  set server(url) {
    this.#reflect("server", url);
  }

  get transport() {
    return this.getAttribute("transport") ?? "";
  }

  /** @param {string} name */
  set transport(name) {
    this.#reflect("transport", name);
  }

  get persona() {
    return this.getAttribute("persona") ?? "";
  }

  set persona(id) {
    this.#reflect("persona", id);
  }

  get avatar() {
    return this.getAttribute("avatar") ?? "";
  }

  set avatar(id) {
    this.#reflect("avatar", id);
  }

  /** What the persona's ${variables} stand for: an object of texts. */
  get variables() {
    try {
      return JSON.parse(this.getAttribute("variables") || "{}");
    } catch {
      return {};
    }
  }

  set variables(values) {
    this.#reflect("variables", values && JSON.stringify(values));
  }

  get captions() {
    return this.getAttribute("captions") === "off" ? "off" : "on";
  }

  set captions(shown) {
    this.#reflect("captions", shown);
  }

  get theme() {
    return this.getAttribute("theme") ?? "auto";
  }

  set theme(name) {
    this.#reflect("theme", name);
  }

  get pushToTalk() {
    return this.hasAttribute("push-to-talk");
  }

  set pushToTalk(wanted) {
    this.toggleAttribute("push-to-talk", Boolean(wanted));
  }

  get autostart() {
    return this.hasAttribute("autostart");
  }

  set autostart(wanted) {
    this.toggleAttribute("autostart", Boolean(wanted));
  }

  get roomUrl() {
    return this.getAttribute("room-url") ?? "";
  }

  set roomUrl(url) {
    this.#reflect("room-url", url);
  }

  get roomToken() {
    return this.#roomToken || (this.getAttribute("room-token") ?? "");
  }

  set roomToken(token) {
    this.#roomToken = token;
    if (this.isConnected && !IN_CALL.includes(this.#state)) this.#prepare();
  }

  /** What lets this page in: a token, or a function that fetches one. */
  get accessToken() {
    return this.#accessToken;
  }

  set accessToken(access) {
    this.#accessToken = access;
    this.#letIn();
  }

  /** The secret of a link that lets one visitor in, once. */
  get accessLink() {
    return this.#accessLink;
  }

  set accessLink(link) {
    this.#accessLink = link;
    this.#letIn();
  }

  /**
   * "idle", "microphone", "connecting", "listening", "thinking", "speaking", "reconnecting",
   * "over" or "failed"; `data-state` says the same.
   */
  get state() {
    return this.#state;
  }

  /** What was said in this conversation or the last one, as plain text, one turn a line. */
  get transcript() {
    return asText(this.#transcript.entries, this.#screen.names);
  }

  // Methods

  /**
   * Begins a conversation. To be called from a click: that is the user's consent to being heard,
   * unless it was given before. Otherwise the element asks for it, and waits. With `voice` false
   * the microphone is left alone.
   */
  async start({ voice = true } = {}) {
    const agreed = !voice || navigator.userActivation?.isActive || this.#isConsented();
    await this.#loading;
    if (!this.#lineup || IN_CALL.includes(this.#state)) return;
    if (agreed || this.#isConsented()) this.#begin(voice);
    else this.#screen.focus("start");
  }

  /** Ends the conversation. */
  stop() {
    this.#conversation?.end("youEnded");
  }

  /**
   * Sends text as the user's turn; true if it went out.
   * @param {string} text
   */
  say(text) {
    if (!this.#conversation || !LIVE.includes(this.#state) || this.#isWatching) return false;
    const part = text.slice(0, 2500); // a server takes less, and says so
    this.#transcript.userTyped(part, this.#conversation.say(part));
    return true;
  }

  /** Makes the avatar stop speaking and listen. */
  interrupt() {
    this.#conversation?.interrupt();
  }

  /** Turns the microphone off, or on again with `false`. */
  mute(muted = true) {
    if (!this.#conversation) return;
    this.#screen.showMuted(muted);
    this.#conversation.mute(muted);
  }

  // The element's life

  connectedCallback() {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    window.addEventListener("pagehide", () => this.#letGo(), { signal });
    window.addEventListener("pageshow", ({ persisted }) => persisted && this.#prepare(), {
      signal,
    });
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#onDevices(), { signal });
    this.#keys.listen();
    this.#takeEarlyProperties();
    this.#setLanguage();
    this.#show("idle");
    this.#prepare();
  }

  disconnectedCallback() {
    this.#abort.abort();
    this.#keys.stop();
    this.#conversation?.abandon();
    this.#conversation = null;
    this.#lineup = null;
    this.#asked = null;
    this.#watchNetwork();
    this.#screen.openSheet(null);
    this.#screen.release();
    this.#awake.keep(false);
    this.#state = "idle";
  }

  // Moved within the page by moveBefore(), the conversation goes on.
  connectedMoveCallback() {}

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (!this.#asked) return;
    if (name === "lang") this.#setLanguage();
    if (name === "push-to-talk") this.#onPushToTalk();
    else if (!IN_CALL.includes(this.#state)) this.#prepare();
  }

  // Before

  get #base() {
    const url = new URL(this.server || HOME, document.baseURI);
    return url.href.endsWith("/") ? url.href : `${url.href}/`;
  }

  get #isWatching() {
    return this.hasAttribute("room-url");
  }

  get #transport() {
    const named = /** @type {Transport} */ (this.transport);
    return named || this.#lineup?.transport || "webrtc";
  }

  // A page may have set them before this script had arrived.
  #takeEarlyProperties() {
    for (const name of PROPERTIES.filter((name) => Object.hasOwn(this, name))) {
      const value = Reflect.get(this, name);
      Reflect.deleteProperty(this, name);
      Reflect.set(this, name, value);
    }
  }

  // A conversation goes on with what lets the page in from now on.
  #letIn() {
    if (!this.isConnected) return;
    if (IN_CALL.includes(this.#state)) this.#useAccess();
    else this.#prepare();
  }

  #useAccess() {
    setAccess(this.#base, this.#accessToken || this.#visitAccess());
  }

  // Several attributes that change at once are one change.
  #prepare() {
    const asked = {};
    this.#asked = asked;
    this.#screen.holdStart();
    this.#loading = this.#load(asked);
  }

  /** @param {object} asked */
  async #load(asked) {
    await null;
    if (asked !== this.#asked) return;
    this.#useAccess();
    try {
      const lineup = this.#isWatching
        ? roomLineup(this.#base)
        : await loadLineup(this.#base, this.#abort.signal);
      if (asked === this.#asked) this.#ready(lineup);
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#onEnded(endingOf(error));
      if (!(error instanceof CallError)) throw error;
    }
  }

  // The same as long as the link is, which is exchanged once.
  #visitAccess() {
    const [server, link] = [this.#base, this.#accessLink];
    if (this.#visit?.server !== server || this.#visit.link !== link)
      this.#visit = { server, link, access: visitAt(server, link) };
    return this.#visit.access;
  }

  /** @param {Lineup} lineup */
  #ready(lineup) {
    this.#lineup = lineup;
    this.#setMode(this.#voice);
    this.#screen.showLineup(lineup, { persona: this.persona, avatar: this.avatar });
    if (["over", "failed"].includes(this.#state) && this.#startedMs === null) this.#show("idle");
    this.#screen.showStarting(lineup.starting);
    this.#readiness = lineup.starting ? null : Promise.resolve();
    if (lineup.starting) void this.#waitUntilReady(this.#asked);
    const left = this.#isWatching ? null : takeLeft(this.#base);
    if (this.#isWatching) this.#watch();
    else if (left && (!left.voice || this.#isConsented())) this.#begin(left.voice, left);
    else if (this.autostart && this.#state === "idle" && this.#isConsented()) this.#begin(true);
  }

  // A conversation that has begun meanwhile waits for the same, and is told by itself.
  /** @param {object | null} asked */
  async #waitUntilReady(asked) {
    try {
      await this.#untilReady();
    } catch (error) {
      if (asked !== this.#asked || IN_CALL.includes(this.#state)) return;
      this.#onEnded(endingOf(error));
      if (!(error instanceof CallError)) throw error;
    }
    if (asked === this.#asked) this.#screen.showStarting(false);
  }

  // After a failure the server may be another one.
  async #untilReady() {
    this.#readiness ??= untilReady(this.#base, this.#abort.signal);
    try {
      await this.#readiness;
    } catch (error) {
      this.#readiness = null;
      throw error;
    }
  }

  #watch() {
    if (this.roomUrl && this.roomToken) return this.#begin(false);
    this.#onEnded({ failed: true, reason: "roomUnnamed", kind: "room" });
  }

  #setLanguage() {
    const language = chooseLanguage([this.lang, ...navigator.languages]);
    this.#text = textsIn(language);
    this.#screen.setLanguage(language, this.#text);
    if (this.#lineup) this.#screen.showLineup(this.#lineup, this);
  }

  /** @param {boolean} voice */
  #setMode(voice) {
    this.#voice = voice;
    this.#screen.mode = {
      voice,
      watching: this.#isWatching,
      asksItself: asksItself(this.#transport),
      carriesText: carriesText(this.#transport),
      pushToTalk: this.pushToTalk,
    };
  }

  // Consent is to one server and to what it says it keeps: it ends when that changes.
  get #consentName() {
    return `${CONSENT} ${this.#base}`;
  }

  get #consentText() {
    return `heard; kept: ${JSON.stringify(this.#lineup?.kept ?? null)}`;
  }

  #isConsented() {
    return this.#lineup !== null && recall(this.#consentName) === this.#consentText;
  }

  // During

  /**
   * @param {boolean} voice
   * @param {Left} [left] a conversation to come back to
   */
  #begin(voice, left) {
    if (!this.#lineup || this.#conversation) return;
    if (left) this.#screen.welcome.choice = left.choice;
    if (voice && !this.#isWatching) remember(this.#consentName, this.#consentText);
    this.#setMode(voice);
    this.#keys.claim();
    this.#startedMs = null;
    this.#network = new Network();
    this.#transcript = this.#emptyTranscript();
    this.#screen.begin();
    this.#conversation = new Conversation({
      place: { ...(left ?? this.#place()), ready: () => this.#untilReady() },
      frame: this.#screen.frame,
      listener: this.#listener(),
    });
    void this.#conversation.start({ voice, held: !this.pushToTalk });
    this.#screen.focus("status");
  }

  #emptyTranscript() {
    return new Transcript({
      onChange: (entry) => this.#onEntry(entry),
      onDrop: (entry) => this.#screen.captions.drop(entry),
    });
  }

  /** @returns {Place} */
  #place() {
    if (this.#isWatching) return { room: { url: this.roomUrl, token: this.roomToken } };
    const fixed = {
      ...(this.persona && { persona: this.persona }),
      ...(this.avatar && { avatar: this.avatar }),
    };
    const talk = this.pushToTalk && this.#transport === "full";
    const button = talk && { interactivity: "PUSH_TO_TALK" };
    const body = { variables: this.variables, ...this.#screen.welcome.choice, ...fixed, ...button };
    return { server: this.#base, transport: this.#transport, body };
  }

  /** @returns {ConversationListener} */
  #listener() {
    const screen = this.#screen;
    return {
      state: (state) => this.#show(state),
      live: () => this.#onLive(),
      voiceOnly: () => this.#onVoiceOnly(),
      track: (track) => screen.video.add(track),
      level: (level) => screen.showLevel(level),
      unheard: (unheard) => this.#onUnheard(unheard),
      microphoneGone: () => this.#showChooser("microphoneGone", "gone"),
      userSaid: (said) => this.#transcript.userSaid(said),
      avatarSaid: (said) => this.#onAvatarSaid(said),
      avatarCut: () => this.#transcript.avatarCut(),
      said: (turn) => this.#onPast(turn),
      takenBack: () => this.#transcript.takenBack(),
      turn: (turn) => this.#onTurn(turn),
      spend: (dollars) => this.#onSpend(dollars),
      faceLost: (lost) => this.#onFaceLost(lost),
      faceBack: () => screen.hideNotice("faceLost"),
      notice: (sentence) => screen.showNotice(sentence),
      stumbled: (message) => this.#tell("error", { kind: "bot", message }),
      ended: (ending) => this.#onEnded(ending),
    };
  }

  #onLive() {
    this.#startedMs ??= performance.now();
    this.#watchNetwork();
  }

  #onVoiceOnly() {
    this.#screen.mode = { ...this.#screen.mode, carriesText: false };
    this.#screen.showState(this.#state);
    this.#screen.showNotice("voiceOnly");
  }

  /** @param {Past} turn */
  #onPast(turn) {
    this.#startedMs = performance.now() - turn.now_s * 1000;
    this.#transcript.restore(turn);
  }

  // The page goes, and may come back: loaded anew, or as it was.
  #letGo() {
    const session = this.#conversation?.letGo();
    const [server, transport, voice] = [this.#base, this.#transport, this.#voice];
    const { choice } = this.#screen.welcome;
    if (session) keepLeft({ server, transport, voice, choice, session, atMs: Date.now() });
    if (this.#conversation) this.#onEnded({ failed: false, reason: "youEnded" });
  }

  /** @param {string} state */
  #show(state) {
    const previous = this.#state;
    this.#state = state;
    this.#awake.keep(IN_CALL.includes(state));
    this.dataset.state = state;
    this.#screen.showState(state);
    if (state !== previous) this.#tell("state", { state, previous });
  }

  /** @param {Speech} said */
  #onAvatarSaid(said) {
    this.#screen.captions.voiceTells(said.words);
    this.#transcript.avatarSaid(said);
  }

  /** @param {Entry} entry */
  #onEntry(entry) {
    this.#screen.captions.show(entry);
    const { id, role, interim, at_s, cut } = entry;
    this.#tell("transcript", { id, role, text: textOf(entry), interim, cut: Boolean(cut), at_s });
  }

  /** @param {Turn} turn */
  #onTurn(turn) {
    this.#screen.showTurns(this.#conversation?.turns.list ?? []);
    this.#tell("metrics", { type: "turn", ...turn });
  }

  /** @param {number} dollars */
  #onSpend(dollars) {
    this.#screen.showSpend(dollars);
    this.#tell("metrics", { type: "spend", dollars });
  }

  /** @param {FaceLost} lost */
  #onFaceLost({ sentence, pictured }) {
    if (!pictured) this.#screen.video.lose();
    this.#tellFaceLost(sentence);
  }

  // When the voice is gone, too, it is the connection that is missed, which tells so itself.
  async #onFaceMissed() {
    const conversation = this.#conversation;
    const hears = await conversation?.hears();
    const same = conversation === this.#conversation && LIVE.includes(this.#state);
    if (hears && same && !this.#screen.video.isShown) this.#tellFaceLost("faceLost");
  }

  /** @param {string} sentence */
  #tellFaceLost(sentence) {
    this.#screen.showNotice(sentence, { kind: "faceLost" });
    this.#tell("error", { kind: "face", message: this.#text(sentence) });
  }

  /** @param {boolean} unheard */
  #onUnheard(unheard) {
    if (unheard) this.#showChooser("unheard", "unheard");
    else this.#screen.hideNotice("unheard");
  }

  /**
   * @param {string} sentence
   * @param {string} kind
   */
  #showChooser(sentence, kind) {
    const action = { text: "chooseMicrophone", do: () => this.#screen.openSheet("devices") };
    this.#screen.showNotice(sentence, { kind, action });
    this.#tell("error", { kind: "microphone", message: this.#text(sentence) });
  }

  #onDevices() {
    if (this.#screen.sheet === "devices") void this.#screen.refreshDevices();
  }

  /** @param {string | null} id */
  async #useMicrophone(id) {
    try {
      await this.#conversation?.useMicrophone(id);
      this.#screen.hideNotice("gone");
      this.#screen.hideNotice("unheard");
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.#showChooser(error.message, "gone");
    }
  }

  // Typing is a sign of life, also before it becomes a message.
  #onTyping() {
    if (LIVE.includes(this.#state)) this.#conversation?.typing();
  }

  /** @param {boolean} held */
  #hold(held) {
    if (!this.#conversation || !this.pushToTalk) return;
    this.#screen.showHeld(held);
    this.#conversation.hold(held);
  }

  #onPushToTalk() {
    this.#setMode(this.#voice);
    this.#screen.showState(this.#state);
    this.#conversation?.hold(!this.pushToTalk);
    // The button to hold takes the place of the one that would unmute.
    if (this.pushToTalk) this.mute(false);
  }

  /** @param {"speed" | "talk"} key */
  #wants(key) {
    if (key === "speed") return this.#state !== "idle";
    return this.pushToTalk && this.#voice && LIVE.includes(this.#state);
  }

  // Often while somebody looks, seldom otherwise, never without a call.
  #watchNetwork() {
    clearInterval(this.#statsTimer);
    if (!this.#conversation) return;
    const open = this.#screen.sheet === "speed";
    const period = open ? STATS_OPEN_PERIOD_MS : STATS_PERIOD_MS;
    this.#statsTimer = setInterval(() => void this.#readNetwork(), period);
    if (open) void this.#readNetwork();
  }

  async #readNetwork() {
    const conversation = this.#conversation;
    const stats = await conversation?.stats();
    if (!stats?.length || conversation !== this.#conversation) return;
    const reading = this.#network.read(stats);
    this.#screen.showNetwork(reading);
    this.#tell("metrics", { type: "network", ...reading });
  }

  // After

  /** @param {Ending} ending */
  #onEnded(ending) {
    const figures = this.#figures();
    this.#conversation = null;
    this.#watchNetwork();
    this.#screen.showEnding(ending, figures);
    this.#show(ending.failed ? "failed" : "over");
    if (!ending.failed) return;
    const message = this.#text(ending.reason, ending.values);
    this.#tell("error", { kind: ending.kind ?? "call", message });
  }

  #figures() {
    if (!this.#conversation || this.#startedMs === null) return null;
    return {
      duration_s: (performance.now() - this.#startedMs) / 1000,
      turns: this.#transcript.turns,
      words: this.#transcript.entries.length,
      median_s: this.#conversation.turns.median_s,
    };
  }

  #again() {
    if (this.#lineup) return this.#begin(this.#voice);
    this.#show("idle");
    this.#prepare();
  }

  /**
   * @param {string} name
   * @param {object} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /**
   * @param {string} name
   * @param {string | null} [value]
   */
  #reflect(name, value) {
    if (value === null || value === undefined || value === "") this.removeAttribute(name);
    else this.setAttribute(name, value);
  }
}

if (!customElements.get("avatar-call")) customElements.define("avatar-call", AvatarCall);
