// The page: what each state looks like, and what each button does.

import { asksItself, carriesText } from "./call.js";
import { Captions } from "./captions.js";
import { Conversation } from "./conversation.js";
import { Face } from "./face.js";
import { requestJson } from "./request.js";

const STATE_WORDS = {
  idle: "Ready when you are",
  microphone: "Asking for the microphone: please allow it in your browser",
  connecting: "Connecting …",
  listening: "Listening",
  thinking: "Thinking …",
  speaking: "Speaking",
  over: "The conversation is over",
  failed: "This did not work",
};
const LISTENING_SILENTLY = "Ready for your message";
const LISTENING_MUTED = "Your microphone is off";
const PART_WORDS = {
  stt: "Ears",
  llm: "Mind",
  tts: "Voice",
  avatar: "Face",
  transport: "Connection",
};
const IN_CALL = ["microphone", "connecting", "listening", "thinking", "speaking"];
const LIVE = ["listening", "thinking", "speaking"];
const NOTICE_MS = 12_000;
const USER_ENDED = "You ended the conversation.";
const USER_LEFT = "You left the page.";

const root = document.documentElement;
const at = (id) => document.getElementById(id);
const captions = new Captions(at("captions"), { user: "You", avatar: "Avatar" });
const face = new Face({
  stage: at("stage"),
  video: at("face"),
  voice: at("voice"),
  onBlocked: () => (at("unblock").hidden = false),
});

let lineup = null;
let conversation = null;
let voice = true;
let muted = false;
let noticeTimer;

async function loadLineup() {
  try {
    lineup = await requestJson("/api/lineup");
  } catch (error) {
    return showEnding({ failed: true, reason: error.message });
  }
  if (lineup.persona?.name) showName(lineup.persona.name);
  if (lineup.size) at("stage").style.setProperty("--ratio", lineup.size[0] / lineup.size[1]);
  if (lineup.poster) showPortrait(lineup.poster);
  showParts(lineup.parts ?? []);
  at("start").disabled = false;
  at("start-typing").disabled = false;
  at("start-typing").hidden = !carriesText(lineup.transport);
}

function showName(name) {
  document.title = `Talk with ${name}`;
  document.querySelectorAll("[data-name]").forEach((element) => (element.textContent = name));
  captions.names.avatar = name;
}

function showPortrait(url) {
  const portrait = at("portrait");
  portrait.onload = () => (portrait.hidden = false);
  portrait.src = url;
}

function showParts(parts) {
  at("lineup").hidden = parts.length === 0;
  at("parts").replaceChildren(
    ...parts.flatMap(({ kind, value, local, why }) => {
      const term = document.createElement("dt");
      const meaning = document.createElement("dd");
      term.textContent = PART_WORDS[kind] ?? kind;
      meaning.textContent = [local ? `${value} (local)` : value, why].filter(Boolean).join(": ");
      return [term, meaning];
    }),
  );
}

function begin(withVoice) {
  voice = withVoice;
  captions.clear();
  at("reason").textContent = "";
  showMuted(false);
  showNotice(null);
  face.unblock();
  conversation = new Conversation({
    transport: lineup.transport,
    variables: Object.fromEntries(new URLSearchParams(location.search)),
    frame: at("frame"),
    listener: {
      state: showState,
      track: (track) => face.add(track),
      level: (level) => at("level").style.setProperty("--level", muted ? 0 : level),
      userSaid: (said) => captions.userSaid(said),
      avatarSaid: (said) => captions.avatarSaid(said),
      avatarCut: () => captions.avatarCut(),
      notice: (sentence) => showNotice(sentence, NOTICE_MS),
      trouble: (sentence) => showNotice(sentence),
      ended: showEnding,
    },
  });
  conversation.start({ voice });
  at("status").focus();
}

function showState(state) {
  root.dataset.state = state;
  const inCall = IN_CALL.includes(state);
  showWords(stateWords(state));
  at("welcome").hidden = state !== "idle";
  at("ending").hidden = state !== "over" && state !== "failed";
  at("controls").hidden = !inCall;
  at("captions").hidden = state === "idle" || !carriesText(lineup?.transport);
  at("no-text").hidden = !inCall || carriesText(lineup?.transport);
  at("composer").hidden = !carriesText(lineup?.transport);
  at("send").disabled = !LIVE.includes(state);
  at("mute").hidden = !voice || asksItself(lineup?.transport);
  at("mute").disabled = !LIVE.includes(state);
}

// Screen readers speak the words each time they are written.
function showWords(words) {
  if (at("state-words").textContent !== words) at("state-words").textContent = words;
}

function stateWords(state) {
  if (state === "listening" && !voice) return LISTENING_SILENTLY;
  if (state === "listening" && muted) return LISTENING_MUTED;
  return STATE_WORDS[state];
}

function showEnding({ failed, reason, kind }) {
  conversation = null;
  face.clear();
  showNotice(null);
  at("unblock").hidden = true;
  showState(failed ? "failed" : "over");
  at("reason").textContent = reason;
  at("again").textContent = failed ? "Try again" : "Start again";
  at("go-on-typing").hidden = kind !== "microphone" || !carriesText(lineup.transport);
  at("again").focus();
}

function showMuted(isMuted) {
  muted = isMuted;
  at("mute").dataset.muted = muted;
  at("mute-words").textContent = muted ? "Unmute" : "Mute";
  showState(root.dataset.state);
}

function showNotice(sentence, durationMs) {
  clearTimeout(noticeTimer);
  at("notice").textContent = sentence ?? "";
  at("notice").hidden = !sentence;
  if (durationMs) noticeTimer = setTimeout(() => showNotice(null), durationMs);
}

function tryAgain() {
  if (lineup) return begin(voice);
  showState("idle");
  return loadLineup();
}

function sendTyped(event) {
  event.preventDefault();
  const text = at("text").value.trim();
  if (!text || !LIVE.includes(root.dataset.state)) return;
  captions.userTyped(text, conversation.say(text));
  at("text").value = "";
}

at("start").addEventListener("click", () => begin(true));
at("start-typing").addEventListener("click", () => begin(false));
at("again").addEventListener("click", tryAgain);
at("go-on-typing").addEventListener("click", () => begin(false));
at("composer").addEventListener("submit", sendTyped);
at("end").addEventListener("click", () => conversation?.end(USER_ENDED));
at("unblock").addEventListener("click", () => {
  at("unblock").hidden = true;
  face.unblock();
});
at("mute").addEventListener("click", () => {
  showMuted(!muted);
  conversation?.mute(muted);
});
window.addEventListener("pagehide", () => conversation?.end(USER_LEFT));

loadLineup();
