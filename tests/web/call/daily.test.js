// Daily's client is for browsers: a stand-in takes its place, with a room that a test speaks for.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { join } from "../../../web/call/daily.js";

const SESSION = /** @type {Session} */ ({
  dailyRoom: "https://x.daily.invalid/r",
  dailyToken: "t",
});

const BEAT = { label: "rtvi-ai", type: "server-message", data: { type: "alive" } };
const BOT = { participant: { session_id: "bot" } };
const GUEST = { participant: { session_id: "guest" } };

/** @type {Frame} */
let frame;

class Frame {
  /** @type {Map<string, (detail?: any) => void>} */
  acts = new Map();
  page = { hidden: false, remove() {} };
  /** @type {Record<string, object>} */
  there = { local: {} };
  /** @type {unknown[]} */
  sent = [];
  destroyed = false;
  iframe = () => this.page;
  participants = () => this.there;
  load = async () => {};
  sendAppMessage = (/** @type {object} */ message) => this.sent.push(message);

  constructor() {
    frame = this;
  }

  /** @type {(event: string, act: (detail?: any) => void) => Frame} */
  on(event, act) {
    this.acts.set(event, act);
    return this;
  }

  /** @type {(event: string, detail?: any) => void} */
  tell(event, detail) {
    this.acts.get(event)?.(detail);
  }

  async join() {
    if (refusal) throw refusal;
  }

  async destroy() {
    this.destroyed = true;
  }
}

/** @type {unknown} */
let refusal;
Object.assign(globalThis, { window: { Daily: { createFrame: () => new Frame() } } });

/** @type {[string, any][]} */
let heard;
/** @type {any} */
let means;

beforeEach(() => {
  refusal = null;
  heard = [];
  const get = (/** @type {unknown} */ _, /** @type {string} */ name) => {
    return (/** @type {any} */ detail) => heard.push([name, detail]);
  };
  const { signal } = new AbortController();
  means = { voice: true, frame: { hidden: true }, listener: new Proxy({}, { get }), signal };
});

test("whatever somebody in the room sends is handed on, and messages go out", async () => {
  const call = await join(SESSION, means);
  for (const data of [null, "hello", { label: "rtvi-ai" }]) frame.tell("app-message", { data });
  assert.deepEqual(heard, [
    ["message", null],
    ["message", "hello"],
    ["message", { label: "rtvi-ai" }],
  ]);
  call.send({ label: "rtvi-ai" });
  assert.deepEqual(frame.sent, [{ label: "rtvi-ai" }]);
  call.close();
});

test("the call is over when the avatar has left, and not when another guest has", async () => {
  await join(SESSION, means);
  Object.assign(frame.there, { bot: {}, guest: {} });
  frame.tell("participant-joined");
  delete frame.there.guest;
  frame.tell("participant-left", GUEST);
  assert.deepEqual(heard, [["open", undefined]]);
  delete frame.there.bot;
  frame.tell("participant-left", BOT);
  frame.tell("left-meeting");
  assert.deepEqual(heard.slice(1), [["ended", { failed: false, reason: "avatarLeft" }]]);
  assert.deepEqual([frame.destroyed, means.frame.hidden], [true, true]);
});

test("who gave a sign of life is the avatar, without whom a room with others is over", async () => {
  await join(SESSION, means);
  Object.assign(frame.there, { bot: {}, guest: {} });
  frame.tell("app-message", { data: BEAT, fromId: "bot" });
  frame.tell("participant-left", { ...BOT, reason: "hidden" });
  assert.deepEqual(heard, []);
  frame.tell("participant-left", BOT);
  assert.deepEqual(heard, [["ended", { failed: false, reason: "avatarLeft" }]]);
});

test("connections that Daily's client takes up again are told once, the first and the last", async () => {
  const call = await join(SESSION, means);
  const steps = [
    ["signaling", "connected"],
    ["signaling", "interrupted"],
    ["sfu", "interrupted"],
    ["signaling", "connected"],
    ["sfu", "connected"],
  ];
  const told = steps.map(([type, event]) => {
    frame.tell("network-connection", { type, event });
    return heard.splice(0).map(([name]) => name);
  });
  assert.deepEqual(told, [[], ["dropped"], [], [], ["restored"]]);
  call.close();
});

for (const [type, ending] of /** @type {[string, object][]} */ ([
  ["ejected", { failed: false, reason: "removed", kind: "room" }],
  ["exp-room", { failed: false, reason: "roomOver", kind: "room" }],
  ["exp-token", { failed: false, reason: "roomOver", kind: "room" }],
  ["connection-error", { failed: true, reason: "lost", kind: "network" }],
])) {
  test(`a call that Daily ends by ${type} says so, once`, async () => {
    await join(SESSION, means);
    frame.tell("error", { error: { type } });
    frame.tell("left-meeting");
    assert.deepEqual(heard, [["ended", ending]]);
    assert.equal(frame.destroyed, true);
  });
}

for (const [type, found, reason] of /** @type {[string, object, string | null][]} */ ([
  ["permissions", { audioOk: false }, "microphoneRefused"],
  ["not-found", {}, "microphoneMissing"],
  ["not-found", { audioOk: true }, null],
  ["mic-in-use", {}, "microphoneBusy"],
  ["cam-in-use", {}, null],
  ["unknown", {}, "microphoneOther"],
])) {
  test(`of the devices' error ${type} with ${JSON.stringify(found)} is told ${reason}`, async () => {
    const call = await join(SESSION, means);
    frame.tell("camera-error", { error: { type }, errorMsg: found });
    assert.deepEqual(heard, reason ? [["unheard", reason]] : []);
    call.close();
  });
}

test("who came without a microphone is not told of one", async () => {
  const call = await join(SESSION, { ...means, voice: false });
  frame.tell("camera-error", { error: { type: "permissions" } });
  assert.deepEqual(heard, []);
  call.close();
});

test("a room that is closed is told to who comes late", async () => {
  refusal = { error: { type: "exp-room" } };
  await assert.rejects(join(SESSION, means), { message: "roomOver", kind: "room" });
});

test("a meeting that is full is told apart from one that cannot be joined", async () => {
  refusal = { error: { type: "meeting-full" } };
  await assert.rejects(join(SESSION, means), { message: "roomFull", kind: "full" });
  refusal = new Error("no network");
  await assert.rejects(join(SESSION, means), { message: "noRoom", kind: "room" });
  assert.deepEqual([frame.destroyed, means.frame.hidden, heard.length], [true, true, 0]);
});
