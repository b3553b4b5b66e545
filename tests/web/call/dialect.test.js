import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Dialect } from "../../../web/call/dialect.js";

/** @type {any[]} */
let told;
/** @type {any[]} */
let ordered;
/** @type {Dialect} */
let dialect;

beforeEach(() => {
  told = [];
  ordered = [];
  dialect = new Dialect(
    (message) => told.push(message),
    (command) => ordered.push(command),
  );
});

/** @type {(event_type: string, fields?: object) => void} */
const hear = (event_type, fields) => dialect.read({ event_type, ...fields });
const types = () => told.map(({ type }) => type);
/** What is said and what is to come, of every segment. */
const words = () => {
  const all = new Map();
  for (const { type, data } of told) {
    if (type === "bot-output") all.set(data.segment_id, Object.values(data.spoken_progress));
  }
  return [...all.values()];
};

test("an agent is there once the page says hello, and is asked and silenced", () => {
  dialect.send({ type: "client-ready", id: "1", data: {} });
  assert.deepEqual(told[0], {
    label: "rtvi-ai",
    type: "bot-ready",
    id: "1",
    data: { version: "2.2.0" },
  });
  dialect.send({ type: "send-text", id: "2", data: { content: "Why?" } });
  for (const t of ["interrupt", "typing", "leave", "toString"])
    dialect.send({ type: "client-message", id: "3", data: { t } });
  assert.deepEqual(
    ordered.map(({ event_type, text }) => [event_type, text]),
    [
      ["avatar.speak_response", "Why?"],
      ["avatar.interrupt", undefined],
      ["session.stop", undefined],
    ],
  );
});

test("a turn of each is told in order, and words are to come until they have been heard", () => {
  hear("user.speak_started");
  hear("user.transcription.chunk", { text: "What" });
  hear("user.speak_ended");
  hear("user.transcription", { payload: { text: "What time?" } });
  hear("avatar.transcription.chunk", { text: "At " });
  hear("avatar.speak_started");
  hear("avatar.transcription.chunk", { text: "seven." });
  assert.deepEqual(words(), [["", "At seven."]]);
  hear("avatar.transcription", { text: "At seven." });
  hear("avatar.transcription", { text: "Or eight." });
  hear("avatar.speak_ended");
  assert.deepEqual(words(), [
    ["At seven.", ""],
    ["Or eight.", ""],
  ]);
  assert.deepEqual(
    types().filter((type) => type !== "bot-output"),
    [
      "user-started-speaking",
      "user-transcription",
      "user-stopped-speaking",
      "user-transcription",
      "bot-started-speaking",
      "bot-stopped-speaking",
    ],
  );
  assert.deepEqual(told[3].data, { text: "What time?", final: true });
});

for (const [name, interrupt] of /** @type {[string, () => void][]} */ ([
  ["speaks", () => hear("user.speak_started")],
  ["types", () => dialect.send({ type: "send-text", data: { content: "No." } })],
  ["clicks", () => dialect.send({ type: "client-message", data: { t: "interrupt" } })],
])) {
  test(`who ${name} while the avatar speaks has cut it`, () => {
    hear("avatar.transcription", { text: "One, two, three." });
    hear("avatar.speak_started");
    interrupt();
    hear("avatar.speak_ended");
    assert.deepEqual(types().slice(-2), ["bot-interrupted", "bot-stopped-speaking"]);
    assert.deepEqual(words(), [["", "One, two, three."]]);
    hear("avatar.transcription", { text: "Yes." });
    hear("avatar.speak_started");
    hear("avatar.speak_ended");
    assert.deepEqual(words().at(-1), ["Yes.", ""]);
  });
}

test("an end is told with its reason, by either of its names", () => {
  hear("session.stopped", { stop_reason: "MAX_DURATION_REACHED" });
  hear("session.stopped", { end_reason: "USER_CLOSED" });
  hear("session.stopped", { end_reason: "SERVER_ERROR" });
  assert.deepEqual(
    told.map(({ data }) => data),
    [{ type: "over", reason: "duration" }, { type: "over", reason: "" }, { type: "failed" }],
  );
});

test("what is no event is nothing", () => {
  for (const packet of [null, 7, "x", [], { event_type: "toString" }, { event_type: 7 }])
    dialect.read(packet);
  hear("avatar.smiled");
  hear("user.transcription", { text: { not: "text" } });
  assert.deepEqual(
    told.map(({ data }) => data),
    [{ text: "", final: true }],
  );
});
