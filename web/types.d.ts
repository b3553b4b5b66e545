// The shapes that travel between the page's files, for the type check and for editors: browsers
// never load this.

type Timer = ReturnType<typeof setTimeout>;

type Signal = { signal?: AbortSignal };

/** A token that lets a page in at a server, or a function that fetches one. */
type Access = string | (() => string | Promise<string>);

/** What fills the `{…}` of a text. */
type Values = Record<string, unknown>;

/** The texts of one language, see element/texts.js. */
type Texts = (key: string, values?: Values) => string;

/** How a conversation ended; `reason` is a key of texts.js or a sentence. */
interface Ending {
  failed: boolean;
  reason: string;
  kind?: string;
  values?: Values;
}

/** A face that is gone; `pictured` if another picture is there instead. */
interface FaceLost {
  sentence: string;
  pictured: boolean;
}

/** One of WebRTC's statistics; which fields there are depends on its type and on the browser. */
type Stat = RTCStats &
  Partial<RTCInboundRtpStreamStats & RTCIceCandidatePairStats & RTCTransportStats>;

/** See call/network.js. */
interface Reading {
  fps: number | null;
  offset_ms: number | null;
  loss: number | null;
  round_trip_ms: number | null;
}

/** What /start answers; each transport reads what is its own. */
interface Session {
  sessionId: string;
  iceConfig?: RTCConfiguration;
  url: string;
  token: string;
  dailyRoom: string;
  dailyToken?: string;
  /** For how many seconds a page that drops is waited for, and what it shows to be let in. */
  returnS?: number;
  returnKey?: string;
  /** What shows that a page relays the events of its own conversation, and how it is talked to. */
  relayKey?: string;
  interactivity?: string;
  /** Whether another page has held this conversation before. */
  isTakenUp?: boolean;
}

/** A conversation that a page has let go of, see conversation/memory.js. */
interface Left {
  server: string;
  transport: Transport;
  voice: boolean;
  choice: Fixed;
  session: Session;
  atMs: number;
}

interface Room {
  url: string;
  token: string;
}

/** Where a conversation takes place: what /start is asked for, or a room to watch. */
interface Place {
  server?: string;
  transport?: Transport;
  body?: object;
  room?: Room;
  session?: Session;
  /** Resolves once a conversation can begin there. */
  ready?: () => Promise<unknown>;
}

type Transport = "webrtc" | "livekit" | "heygen" | "full" | "daily";

/** What a call hears with, shows itself in and talks to, see call/call.js. */
interface Means {
  server: string;
  microphone: MediaStream | null;
  voice: boolean;
  frame: HTMLElement;
  listener: CallListener;
  signal: AbortSignal;
}

interface CallListener {
  track(track: MediaStreamTrack): void;
  open(): void;
  message(message: unknown): void;
  dropped(): void;
  restored(): void;
  unheard(reason: string): void;
  ended(ending: Ending): void;
}

/** See call/translation.js. */
interface TranslationListener {
  tell(type: string, data: object, id?: string): void;
  command(command: { event_type: string; text?: string }): void;
  muted(muted: boolean): void;
  active(): void;
  leaves(): void;
}

/** See call/call.js. */
interface Call {
  send(message: object): void;
  mute(muted: boolean): void;
  replaceMicrophone?(stream: MediaStream): Promise<void>;
  stats?(): Promise<Stat[]>;
  close(): void;
}

interface PeerListener {
  track(track: MediaStreamTrack): void;
  open(): void;
  message(message: unknown): void;
  left(): void;
  state(state: RTCPeerConnectionState): void;
}

/** A user's words; `id` is that of a typed message. */
interface Said {
  text: string;
  final: boolean;
  id?: string;
}

/** The avatar's words of one segment, see conversation/transcript.js. */
interface Speech {
  segment: unknown;
  spoken: string;
  coming: string;
  words?: boolean;
}

/** A turn of a conversation as the server has written it down. */
interface Past {
  who: string;
  text: string;
  at_s: number;
  interrupted?: boolean;
  now_s: number;
}

interface Step {
  name: string;
  at_s: number;
}

/** How long an answer took, see conversation/turns.js. */
interface Turn {
  turn: number;
  steps: Step[];
  exact: boolean;
  ahead?: { calls: number; for_nothing: number };
}

interface RtviListener {
  ready(): void;
  state(state: string): void;
  userSaid(said: Said): void;
  avatarSaid(speech: Speech): void;
  avatarCut(): void;
  said(turn: Past): void;
  takenBack(): void;
  turn(turn: Turn): void;
  spend(dollars: number): void;
  faceLost(lost: FaceLost): void;
  faceBack(): void;
  notice(sentence: string): void;
  stumbled(sentence: string): void;
  ended(ending: Ending): void;
}

interface MicrophoneListener {
  level(level: number): void;
  unheard(unheard: boolean): void;
  gone(): void;
}

interface ConversationListener
  extends Omit<RtviListener, "ready">,
    Omit<MicrophoneListener, "gone"> {
  live(): void;
  voiceOnly(): void;
  track(track: MediaStreamTrack): void;
  microphoneGone(): void;
}

type Role = "user" | "avatar";
type Names = Record<Role, string>;

interface Segment {
  spoken: string;
  coming: string;
  isOver?: boolean;
}

/** One turn of the transcript, see conversation/transcript.js. */
interface Entry {
  id: number;
  role: Role;
  at_s: number;
  segments: Segment[];
  interim: string;
  typed?: boolean;
  cut?: boolean;
}

/** Somebody or some face to choose. */
interface Choice {
  id: string | null;
  name: string;
  picture?: string | null;
}

interface Persona extends Choice {
  face?: string | null;
  language?: string;
}

interface LineupPart {
  kind: string;
  value: string;
  local?: boolean;
  why?: string;
}

interface Kept {
  transcripts: boolean;
  where?: string;
  vendors?: string[];
}

/** What a server says of itself, completed, see element/lineup.js. */
interface Lineup {
  transport: Transport;
  parts: LineupPart[];
  persona: { id: string | null; name: string | null };
  personas: Persona[];
  faces: Choice[];
  poster: string | null;
  kept: Kept | null;
  /** The server is getting ready. */
  starting: boolean;
}

/** The persona and the face that the page around the element wants. */
interface Fixed {
  persona?: string;
  avatar?: string;
}

/** How a call is held. */
interface Mode {
  voice: boolean;
  watching: boolean;
  asksItself: boolean;
  carriesText: boolean;
  pushToTalk: boolean;
}

interface Figures {
  duration_s: number;
  turns: number;
  words: number;
  median_s: number | null;
}

interface NoticeAction {
  text: string;
  do(): unknown;
}

/** A promise, and what settles it, see call/promises.js. */
interface Pledge<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** What the user can ask the screen for, see element/screen.js. */
interface Wishes {
  start(voice: boolean): void;
  again(): void;
  goOnTyping(): void;
  typing(): void;
  say(text: string): void;
  mute(muted: boolean): void;
  hold(held: boolean): void;
  interrupt(): void;
  end(): void;
  microphone(id: string | null): void;
  sheet(name: string | null): void;
  sound(heard: boolean): void;
  view(width: number, height: number): void;
  transcript(): string;
  faceMissed(): void;
}

/** Finds an element of the shadow tree by its id. */
interface At {
  (id: "face"): HTMLVideoElement;
  (id: "voice"): HTMLAudioElement;
  (id: "portrait"): HTMLImageElement;
  (id: "waterfall"): SVGSVGElement;
  (id: "text"): HTMLInputElement;
  (id: "microphones" | "speakers"): HTMLSelectElement;
  (
    id:
      | "again"
      | "copy"
      | "hold"
      | "interrupt"
      | "mute"
      | "notice-action"
      | "send"
      | "start"
      | "start-typing",
  ): HTMLButtonElement;
  (id: string): HTMLElement;
}

interface Document {
  featurePolicy?: { allowsFeature(feature: string): boolean };
}

interface Window {
  Daily?: typeof import("@daily-co/daily-js").default;
  LivekitClient?: typeof import("livekit-client");
}

interface HTMLElementTagNameMap {
  "avatar-call": import("./element/avatar-call.js").AvatarCall;
}

// Chromium's, to listen without being heard.
interface AudioContextOptions {
  sinkId?: string | { type: "none" };
}
