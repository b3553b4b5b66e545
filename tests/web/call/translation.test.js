// What LiveAvatar tells, as the rest of the page hears it, and the other way round.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Translation } from "../../../web/call/translation.js";

/** @type {any[]} */
let heard;
/** @type {Translation} */
let translation;
let nowMs = 0;

/** @param {boolean} talk */
function begin(talk) {
  const note =
    (/** @type {string} */ name) =>
    (/** @type {any[]} */ ...detail) => {
      heard.push([name, ...detail]);
    };
  /** @type {any} */
  const listener = new Proxy({}, { get: (_, name) => note(String(name)) });
  translation = new Translation(listener, { talk, now: () => nowMs });
}

beforeEach(() => {
  heard = [];
  nowMs = 1_000;
  begin(false);
});

/**
 * @param {string} event_type
 * @param {object} [more]
 */
const tell = (event_type, more = {}) => translation.read({ event_type, ...more });
const types = () => heard.map(([name, type]) => (name === "tell" ? type : name));
const told = (/** @type {string} */ type) => heard.filter((each) => each[1] === type);

/** An answer of two pieces: thought of, said, and heard out a second later. */
function answer() {
  tell("avatar.transcription.chunk", { text: "I can" });
  tell("avatar.speak_started");
  tell("avatar.transcription.chunk", { text: " talk." });
  tell("avatar.transcription", { text: "I can talk." });
  nowMs += 1_000;
  tell("avatar.speak_ended");
}

test("a page that says hello is answered once the avatar is there", () => {
  const ready = (/** @type {string} */ id) => ["tell", "bot-ready", { version: "2.2.0" }, id];
  for (const id of ["1", "2"]) translation.send({ type: "client-ready", id, data: {} });
  assert.deepEqual(heard, []);
  translation.meet();
  translation.meet();
  assert.deepEqual(heard, [ready("2")]);
  translation.send({ type: "client-ready", id: "3", data: {} });
  assert.deepEqual(heard, [ready("2"), ready("3")]);
});

test("a spoken question and its answer are what any bot tells, with times", () => {
  tell("user.speak_started");
  tell("user.transcription.chunk", { text: "What can" });
  tell("user.speak_ended");
  nowMs += 250;
  tell("user.transcription", { text: "What can you do?" });
  nowMs += 250;
  answer();
  assert.deepEqual(types(), [
    "user-started-speaking",
    "user-transcription",
    "user-stopped-speaking",
    "user-transcription",
    "bot-llm-started",
    "bot-started-speaking",
    "bot-output",
    "server-message",
    "bot-output",
    "bot-llm-stopped",
    "bot-output",
    "bot-output",
    "bot-stopped-speaking",
  ]);
  const [[, , latency]] = told("server-message");
  const steps = [
    { name: "ears", at_s: 0.25 },
    { name: "mind", at_s: 0.5 },
    { name: "voice", at_s: 0.5 },
  ];
  assert.deepEqual(latency, { type: "turn-latency", turn: 1, steps });
  const outputs = told("bot-output").map(([, , { spoken_progress }]) => spoken_progress);
  assert.deepEqual(outputs.at(0), { accumulated_text: "", remaining_text: "I can" });
  assert.deepEqual(outputs.at(-1), { accumulated_text: "I can talk.", remaining_text: "" });
});

test("an answer of which nothing was heard is not shown", () => {
  tell("user.speak_started");
  tell("user.speak_ended");
  tell("user.transcription", { text: "What" });
  tell("avatar.transcription", { text: "What do you mean?" });
  tell("user.speak_started");
  tell("user.speak_ended");
  tell("user.transcription", { text: "What can you do?" });
  answer();
  const shown = JSON.stringify(told("bot-output"));
  assert.ok(!shown.includes("mean") && shown.includes("I can talk."));
  assert.deepEqual(told("server-message")[0][2], { type: "taken-back" });
});

test("a user who asks the same again after an answer has said it twice", () => {
  for (let time = 0; time < 2; time += 1) {
    tell("user.transcription", { text: "Why?" });
    answer();
  }
  assert.ok(!told("server-message").some(([, , { type }]) => type === "taken-back"));
});

for (const [name, interrupt] of /** @type {[string, () => void][]} */ ([
  ["speaks", () => tell("user.speak_started")],
  ["types", () => translation.send({ type: "send-text", data: { content: "Stop." } })],
  ["clicks", () => translation.send({ type: "client-message", data: { t: "interrupt" } })],
])) {
  test(`an avatar that falls silent when its user ${name} was interrupted`, () => {
    tell("avatar.transcription", { text: "I can talk for a long time." });
    tell("avatar.speak_started");
    nowMs += 3_000;
    interrupt();
    nowMs += 300;
    tell("avatar.speak_ended");
    assert.equal(told("bot-interrupted").length, 1);
    assert.equal(told("bot-output").length, 1, "the rest is not shown as said");
  });
}

test("pieces may be all of an answer until then, and names have underscores", () => {
  tell("avatar.speak_started");
  tell("avatar.transcription_chunk", { text: "I can" });
  tell("avatar.transcription_chunk", { text: "I can talk." });
  const last = told("bot-output").at(-1)?.[2].spoken_progress;
  assert.equal(last.remaining_text, "I can talk.");
});

test("what is typed, clicked and left is told to LiveAvatar and to the server", () => {
  translation.send({ type: "send-text", id: "1", data: { content: "x".repeat(2_400) } });
  translation.send({ type: "client-message", data: { t: "typing" } });
  translation.send({ type: "client-message", data: { t: "interrupt" } });
  translation.send({ type: "client-message", data: { t: "leave" } });
  translation.send({ type: "client-message", data: { t: "something new" } });
  assert.deepEqual(types(), ["server-message", "command", "active", "command", "leaves"]);
  assert.equal(heard[0][2].type, "notice");
  assert.equal(heard[1][1].text.length, 2_000);
  assert.deepEqual(heard[3][1], { event_type: "avatar.interrupt" });
});

/** @param {boolean} muted */
const microphone = (muted) => {
  translation.send({ type: "client-message", data: { t: "microphone", d: { muted } } });
};

test("a button that is held opens LiveAvatar's window, and once each time", () => {
  begin(true);
  for (const muted of [true, false, false, true, true]) microphone(muted);
  const commands = heard.filter(([name]) => name === "command").map(([, command]) => command);
  assert.deepEqual(commands, [
    { event_type: "user.start_push_to_talk" },
    { event_type: "user.stop_push_to_talk" },
  ]);
  tell("user.push_to_talk_start_failed");
  assert.deepEqual(told("server-message")[0][2], { type: "notice", text: "talkFailed" });
});

test("without a button there is no window", () => {
  microphone(true);
  microphone(false);
  assert.deepEqual(heard, [
    ["muted", true],
    ["muted", false],
  ]);
});

for (const [reason, end] of /** @type {[string, object][]} */ ([
  ["MAX_DURATION_REACHED", { type: "over", reason: "duration" }],
  ["NO_CREDITS", { type: "over", reason: "credits" }],
  ["USER_CLOSED", { type: "over", reason: "goodbye" }],
  ["SOMETHING_NEW", { type: "over", reason: "goodbye" }],
  ["SERVER_ERROR", { type: "failed", text: "stopped" }],
])) {
  test(`an end by ${reason} is told in the page's words`, () => {
    tell("session.stopped", { end_reason: reason });
    assert.deepEqual(told("server-message")[0][2], end);
  });
}

test("what nobody understands is passed over", () => {
  for (const event of [null, 1, "event", [], {}, { event_type: 1 }, { event_type: "constructor" }])
    translation.read(event);
  tell("avatar.transcription", { text: { not: "a text" } });
  assert.deepEqual(types(), []);
});
