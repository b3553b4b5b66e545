// The messages here are Pipecat's: tests/web/test_rtvi.py holds them to its models.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { Rtvi } from "../../../web/conversation/rtvi.js";
import { Clock } from "../clock.js";

/** @type {(name: string) => Record<string, any>} */
const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
const RECEIVED = read("received.json");
const SENT = read("sent.json");
const ANSWER_LIMIT_MS = 20_000;

/** @type {Clock} */
let clock;
/** @type {any[]} */
let sent;
/** @type {[string, any][]} */
let heard;
/** @type {Rtvi} */
let rtvi;

beforeEach(() => {
  clock = new Clock();
  sent = [];
  heard = [];
  /** @type {any} */
  const listener = new Proxy(
    {},
    { get: (_, name) => (/** @type {any} */ detail) => heard.push([String(name), detail]) },
  );
  rtvi = new Rtvi((message) => sent.push(message), listener);
});
afterEach(() => {
  rtvi.close();
  clock.stop();
});

/** What the page hears when Pipecat sends messages, by their names in received.json. */
const hear = (/** @type {string[]} */ ...names) => {
  heard.splice(0);
  for (const name of names) rtvi.read(RECEIVED[name]);
  return heard.splice(0);
};

/** What was written since the last time, without the ids. */
const written = () => sent.splice(0).map(({ id, ...message }) => message);

test("the page writes what Pipecat reads", () => {
  rtvi.hello();
  rtvi.interrupt();
  const id = rtvi.say("Hello");
  assert.equal(sent[2].id, id);
  assert.deepEqual(written(), [SENT.hello, SENT.interrupt, SENT.say]);
});

test("every message has an id of its own", () => {
  const ids = new Set([rtvi.say("One"), rtvi.say("Two"), rtvi.say("Three")]);
  assert.equal(ids.size, 3);
});

test("who is answered already does not introduce itself again", () => {
  hear("ready");
  rtvi.hello();
  assert.deepEqual(written(), []);
});

test("nothing is told before the bot is ready", () => {
  assert.deepEqual(hear("botStarted"), []);
  assert.deepEqual(hear("ready"), [
    ["ready", undefined],
    ["state", "speaking"],
  ]);
  assert.deepEqual(hear("ready"), [], "and that only once");
});

test("who speaks and who thinks is told", () => {
  hear("ready");
  const turn = /** @type {[string, string[]][]} */ ([
    ["userStarted", ["listening"]],
    ["userStopped", ["thinking"]],
    ["llmStarted", ["thinking"]],
    ["llmStopped", []],
    ["botStarted", ["speaking"]],
    ["interrupted", []],
    ["botStopped", ["listening"]],
  ]);
  for (const [name, states] of turn) {
    const told = hear(name);
    const detail = told.filter(([event]) => event === "state").map(([, state]) => state);
    assert.deepEqual(detail, states, name);
    assert.equal(
      told.some(([event]) => event === "avatarCut"),
      name === "interrupted",
    );
  }
});

test("a turn that gets no answer leads back to listening", () => {
  hear("ready");
  rtvi.say("Hello");
  assert.deepEqual(heard.splice(0), [["state", "thinking"]]);
  clock.pass(ANSWER_LIMIT_MS);
  assert.deepEqual(heard.splice(0), [["state", "listening"]]);
});

test("a mind that is slow is waited for", () => {
  hear("ready", "userStopped", "llmStarted");
  clock.pass(ANSWER_LIMIT_MS);
  assert.deepEqual(heard.splice(0), []);
  assert.deepEqual(hear("llmStopped", "botStarted").at(-1), ["state", "speaking"]);
});

test("a page that comes back says so, and one that leaves says that", () => {
  rtvi.leave();
  assert.deepEqual(written(), [], "before the bot is ready nobody waits for it");
  hear("ready");
  rtvi.returns();
  rtvi.resume();
  rtvi.leave();
  const told = written().filter(({ data }) => data.t !== "microphone");
  assert.deepEqual(told, [SENT.returns, SENT.back, SENT.leave]);
});

test("what was said before this page was there is told", () => {
  const { data } = RECEIVED.said;
  assert.deepEqual(hear("said"), [["said", data]]);
});

test("a server that is stopped says why it ends", () => {
  assert.deepEqual(hear("update"), [["ended", { failed: false, reason: "updating" }]]);
});

test("what was missed while the connection was gone is not waited for", () => {
  hear("ready", "userStopped", "llmStarted", "botStarted");
  rtvi.resume();
  assert.deepEqual(heard.splice(0), [["state", "listening"]]);
});

test("guesses at the user's words come before the words", () => {
  hear("ready");
  assert.deepEqual(hear("guess", "words"), [
    ["userSaid", { text: "Who", final: false, id: undefined }],
    ["userSaid", { text: "Who are you?", final: true, id: undefined }],
  ]);
  assert.deepEqual(hear("wordsBefore22"), [], "said already");
  assert.deepEqual(hear("typed"), [["userSaid", { text: "Hi", final: true, id: "m1" }]]);
});

test("bots without user-input are understood", () => {
  hear("ready");
  assert.deepEqual(hear("guessBefore22", "wordsBefore22"), [
    ["userSaid", { text: "Who", final: false }],
    ["userSaid", { text: "Who are you?", final: true }],
  ]);
});

test("words come as they are spoken", () => {
  hear("ready");
  const said = hear("announced", "begun", "completed").filter(([name]) => name === "avatarSaid");
  assert.deepEqual(
    said.map(([, detail]) => detail),
    [
      { segment: 7, spoken: "", coming: "Hi you.", words: false },
      { segment: 7, spoken: "Hi", coming: "you.", words: true },
      { segment: 7, spoken: "Hi you.", coming: "", words: false },
    ],
  );
  const [[, code]] = hear("unspoken");
  assert.deepEqual([code.spoken, code.coming], ["x = 1", ""]);
});

test("the first word says that the avatar speaks, should that be told late", () => {
  hear("ready");
  assert.deepEqual(hear("announced", "begun")[1], ["state", "speaking"]);
});

test("bots of protocol 1 are understood", () => {
  hear("ready");
  assert.deepEqual(hear("comingInVersion1"), [], "not spoken yet");
  const [[name, said]] = hear("spokenInVersion1");
  assert.deepEqual([name, said.spoken, said.coming], ["avatarSaid", "Hello.", ""]);
  assert.deepEqual(hear("voiceText"), [], "said already");
});

test("bots without bot-output are understood", () => {
  rtvi.read({ ...RECEIVED.ready, data: { version: "1.0.0" } });
  const [[name, said]] = hear("voiceText");
  assert.deepEqual([name, said.spoken], ["avatarSaid", "Hello."]);
});

test("a word that comes before the first bot-output is not shown twice", () => {
  assert.deepEqual(hear("voiceText"), []);
  hear("ready");
  assert.deepEqual(hear("voiceText"), []);
  assert.equal(hear("announced").filter(([name]) => name === "avatarSaid").length, 1);
});

test("errors end a call only when they are fatal", () => {
  hear("ready");
  assert.deepEqual(hear("error"), [["stumbled", "No voice"]]);
  const ended = { failed: true, reason: "No voice", kind: "bot" };
  assert.deepEqual(hear("fatal"), [["ended", ended]]);
});

test("a refusal is told, but not that of an introduction", () => {
  rtvi.hello();
  const { id } = sent[0];
  rtvi.read({ ...RECEIVED.refusal, id });
  assert.deepEqual(heard, []);
  assert.deepEqual(hear("refusal"), [["stumbled", "Not now"]]);
});

test("what this project's bots say beside RTVI is understood", () => {
  hear("ready");
  assert.deepEqual(hear("notice"), [["notice", "Mind the gap."]]);
  const gone = { sentence: "The picture is gone.", pictured: false };
  assert.deepEqual(hear("faceLost"), [["faceLost", gone]]);
  const replaced = { sentence: "Another stands in.", pictured: true };
  assert.deepEqual(hear("faceReplaced"), [["faceLost", replaced]]);
  assert.deepEqual(hear("faceBack"), [["faceBack", undefined]]);
  assert.deepEqual(hear("over"), [["ended", { failed: false, reason: "silence" }]]);
  const failed = { failed: true, reason: "The voice is out.", kind: "bot" };
  assert.deepEqual(hear("failed"), [["ended", failed]]);
});

test("an answer that no voice can say is read, and the turn is the user's again", () => {
  hear("ready");
  rtvi.say("Where?");
  heard.length = 0;
  const read = [
    ["notice", "Paris it is."],
    ["state", "listening"],
  ];
  assert.deepEqual(hear("unheard"), read);
});

test("an end is told in the page's words, in the bot's, or in none", () => {
  const reasons = {
    "duration": "timeUp",
    "spend": "spent",
    "spend-day": "spentToday",
    "The shop closes.": "The shop closes.",
    "other": "goodbye",
  };
  for (const [reason, told] of Object.entries({ ...reasons, constructor: "goodbye" })) {
    heard.splice(0);
    rtvi.read({ ...RECEIVED.over, data: { type: "over", reason } });
    assert.deepEqual(heard, [["ended", { failed: false, reason: told }]]);
  }
});

test("the page hears what the conversation has cost", () => {
  assert.deepEqual(hear("spend"), [["spend", 0.0123]]);
  rtvi.read({ ...RECEIVED.spend, data: { type: "spend", dollars: "much" } });
  assert.deepEqual(heard, []);
});

test("what the page does not know changes nothing", () => {
  hear("ready");
  const unknown = ["voiceStarted", "userMuted", "weather", "response", "log"];
  assert.deepEqual(hear(...unknown), []);
});

test("what is no message of RTVI's changes nothing", () => {
  hear("ready");
  const others = [undefined, null, 7, true, "hello", [], ["rtvi-ai"], {}, { label: "chat" }];
  for (const message of others) rtvi.read(message);
  for (const type of [undefined, null, 7, "constructor", "__defineGetter__", "__proto__"]) {
    rtvi.read({ label: "rtvi-ai", type, id: "1", data: {} });
  }
  assert.deepEqual(heard, []);
});

test("a message of another shape than Pipecat's breaks nothing", () => {
  hear("ready");
  const types = new Set(Object.values(RECEIVED).map(({ type }) => type));
  const shapes = [undefined, null, 7, "hello", [], {}, { text: 7, error: 7, reason: {} }];
  for (const type of [...types, "metrics", "server-message", "error-response"]) {
    for (const data of shapes) rtvi.read({ label: "rtvi-ai", type, id: "1", data });
    for (const kind of [
      "notice",
      "unheard",
      "face-lost",
      "face-back",
      "turn-latency",
      "spend",
      "over",
      "failed",
    ]) {
      for (const more of shapes) {
        rtvi.read({ label: "rtvi-ai", type, data: { type: kind, ...Object(more) } });
      }
    }
    const progress = { spoken_progress: { accumulated_text: 7 }, ttfb: [null, 7] };
    rtvi.read({ label: "rtvi-ai", type, data: progress });
  }
  const told = heard.filter(([name]) => ["notice", "stumbled"].includes(name));
  assert.deepEqual(told, []);
});

test("the bot hears that the user types, but not of every letter", () => {
  rtvi.typing();
  assert.deepEqual(written(), [], "it is not there yet");
  hear("ready");
  rtvi.typing();
  clock.pass(2_000);
  rtvi.typing();
  assert.deepEqual(written(), [SENT.typing]);
  clock.pass(1_000);
  rtvi.typing();
  assert.deepEqual(written(), [SENT.typing]);
});

test("the bot hears when the microphone is turned off and on again", () => {
  hear("ready");
  rtvi.microphone(false);
  assert.deepEqual(written(), [], "it takes it for open");
  rtvi.microphone(true);
  rtvi.microphone(true);
  assert.deepEqual(written(), [SENT.muted]);
  rtvi.microphone(false);
  assert.deepEqual(written(), [SENT.open]);
});

test("a microphone that is off before the bot is there is told once it is", () => {
  rtvi.microphone(true);
  assert.deepEqual(written(), []);
  hear("ready");
  assert.deepEqual(written(), [SENT.muted]);
});

test("the bot hears once it is there that the user does not hear it", () => {
  rtvi.sound(false);
  rtvi.sound(true);
  assert.deepEqual(written(), []);
  hear("ready");
  rtvi.sound(true);
  assert.deepEqual(written(), [SENT.blocked]);
});

test("the bot hears how large its picture is seen, and when it is not", () => {
  rtvi.view(640, 360);
  assert.deepEqual(written(), [], "it is not there yet");
  hear("ready");
  assert.deepEqual(written(), [SENT.small]);
  rtvi.view(640, 360);
  assert.deepEqual(written(), []);
  rtvi.view(0, 0);
  rtvi.view(640, 360);
  assert.deepEqual(written(), [SENT.hidden, SENT.small]);
  rtvi.resume();
  assert.deepEqual(written(), [SENT.back, SENT.open, SENT.small], "it may have been missed");
});

test("what the microphone is like is told again once the connection is back", () => {
  hear("ready");
  rtvi.microphone(true);
  written();
  rtvi.resume();
  assert.deepEqual(written(), [SENT.back, SENT.muted]);
});
