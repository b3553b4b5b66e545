// LiveKit's client is for browsers: a stand-in takes its place, for which nothing works.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { join as joinFull } from "../../../web/call/full.js";
import { join } from "../../../web/call/livekit.js";

const REFUSED = async () => {
  throw new Error("not connected");
};
const SESSION = /** @type {Session} */ ({ url: "ws://127.0.0.1", token: "token" });
const BEAT = { label: "rtvi-ai", type: "server-message", data: { type: "alive" } };
const BOT = { identity: "bot", attributes: {} };
const FACE = { identity: "avatar-1", attributes: { "lk.publish_on_behalf": "bot" } };
const MESSAGE = { label: "rtvi-ai", type: "bot-ready" };

/** @type {Room} */
let room;

class Room {
  /** @type {string[]} */
  static present = [];
  remoteParticipants = new Map(Room.present.map((identity) => [identity, {}]));
  /** @type {Map<string, (...detail: any[]) => void>} */
  acts = new Map();
  publication = { mute: REFUSED, unmute: REFUSED };
  localParticipant = { publishTrack: async () => this.publication, publishData: REFUSED };
  disconnect = REFUSED;
  connect = async () => {};

  constructor() {
    room = this;
  }

  /** @type {(event: string, act: (...detail: any[]) => void) => Room} */
  on(event, act) {
    this.acts.set(event, act);
    return this;
  }

  /** @type {(event: string, ...detail: any[]) => void} */
  tell(event, ...detail) {
    this.acts.get(event)?.(...detail);
  }
}

const RoomEvent = new Proxy({}, { get: (_, name) => name });
Object.assign(globalThis, {
  window: { LivekitClient: { Room, RoomEvent, ConnectionErrorReason: {}, setLogLevel() {} } },
  OfflineAudioContext: class {
    async startRendering() {}
  },
});

/** @type {[string, any][]} */
let heard;
/** @type {any} */
let listener;

beforeEach(() => {
  heard = [];
  Room.present = [];
  const get = (/** @type {unknown} */ _, /** @type {string} */ name) => {
    return (/** @type {any} */ detail) => heard.push([name, detail]);
  };
  listener = new Proxy({}, { get });
});

const { signal } = new AbortController();
const microphone = /** @type {any} */ ({ getAudioTracks: () => [{}] });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("what a room refuses is nobody's unhandled error", async (t) => {
  const unhandled = t.mock.fn();
  process.on("unhandledRejection", unhandled);
  t.after(() => process.off("unhandledRejection", unhandled));
  const call = await join(SESSION, { microphone, listener, signal });
  call.send(MESSAGE);
  call.mute(true);
  call.mute(false);
  call.close();
  await settled();
  assert.equal(unhandled.mock.callCount(), 0);
});

test("only values of JSON are messages", async () => {
  const call = await join(SESSION, { microphone: null, listener, signal });
  const packets = [JSON.stringify(MESSAGE), "null", "hello", "\u0000"];
  for (const packet of packets) room.tell("DataReceived", new TextEncoder().encode(packet));
  assert.deepEqual(
    heard.map(([, message]) => message),
    [MESSAGE, null, null, null],
  );
  call.close();
});

test("who is in the room before the page is spoken to at once, who comes later then", async () => {
  let call = await join(SESSION, { microphone: null, listener, signal });
  assert.deepEqual(heard, []);
  room.tell("ParticipantConnected", BOT);
  assert.deepEqual(heard, [["open", undefined]]);
  call.close();
  heard = [];
  Room.present = ["bot"];
  call = await join(SESSION, { microphone: null, listener, signal });
  assert.deepEqual(heard, [["open", undefined]]);
  call.close();
});

test("a room ends once, when its last other one leaves or the connection is lost", async () => {
  const call = await join(SESSION, { microphone: null, listener, signal });
  room.remoteParticipants.set("bot", {}).set("guest", {});
  room.tell("ParticipantConnected", BOT);
  room.remoteParticipants.delete("guest");
  room.tell("ParticipantDisconnected", { identity: "guest" });
  assert.deepEqual(heard, [["open", undefined]]);
  room.remoteParticipants.delete("bot");
  room.tell("ParticipantDisconnected", { identity: "bot" });
  room.tell("Disconnected");
  assert.deepEqual(heard.at(-1), ["ended", { failed: false, reason: "avatarLeft" }]);
  assert.equal(heard.length, 2);
  call.close();
});

test("who gave a sign of life is the avatar, without whom a room with others is over", async () => {
  await join(SESSION, { microphone: null, listener, signal });
  room.remoteParticipants.set("bot", {}).set("guest", {});
  room.tell("DataReceived", new TextEncoder().encode(JSON.stringify(BEAT)), { identity: "bot" });
  assert.deepEqual(heard, [], "it is no message");
  room.remoteParticipants.delete("bot");
  room.tell("ParticipantDisconnected", { identity: "bot" });
  assert.deepEqual(heard, [["ended", { failed: false, reason: "avatarLeft" }]]);
});

test("an avatar that was sent into the room is seen, and is neither the bot nor somebody to talk to", async () => {
  const picture = { kind: "video", mediaStreamTrack: { id: "face" } };
  await join(SESSION, { microphone: null, listener, signal });
  room.remoteParticipants.set("avatar-1", FACE);
  room.tell("ParticipantConnected", FACE);
  assert.deepEqual(heard, [], "nobody is there yet who could read a word");
  room.tell("TrackSubscribed", picture, {}, FACE);
  room.remoteParticipants.set("bot", BOT);
  room.tell("ParticipantConnected", BOT);
  room.remoteParticipants.delete("bot");
  room.tell("ParticipantDisconnected", BOT);
  assert.deepEqual(heard, [
    ["track", { id: "face" }],
    ["open", undefined],
    ["ended", { failed: false, reason: "avatarLeft" }],
  ]);
});

test("an avatar that leaves ends nothing", async () => {
  const call = await join(SESSION, { microphone: null, listener, signal });
  room.remoteParticipants.set("bot", BOT);
  room.tell("ParticipantDisconnected", FACE);
  assert.deepEqual(heard, []);
  call.close();
});

test("who is given up while joining is told nothing", async () => {
  const abort = new AbortController();
  const joining = join(SESSION, { microphone, listener, signal: abort.signal });
  abort.abort();
  await assert.rejects(joining, { name: "AbortError" });
  assert.deepEqual(heard, []);
});

/**
 * The types of what is sent into the room from now on.
 * @returns {string[]}
 */
function sentInto() {
  /** @type {string[]} */
  const types = [];
  const publishData = async (/** @type {Uint8Array} */ bytes) => {
    types.push(JSON.parse(new TextDecoder().decode(bytes)).event_type);
  };
  Object.assign(room.localParticipant, { publishData });
  return types;
}

test("where LiveAvatar runs it, nobody is ready before its own picture or sound is there", async () => {
  const place = { server: "http://127.0.0.1:9/", microphone, listener, signal };
  const means = /** @type {any} */ (place);
  const call = await joinFull(SESSION, means);
  const commands = sentInto();
  call.send({ label: "rtvi-ai", type: "client-ready", id: "1", data: {} });
  const track = { kind: "audio", mediaStreamTrack: {} };
  room.tell("TrackSubscribed", track, null, { identity: "liveavatar-agent-1", attributes: {} });
  assert.equal(heard.length, 0);
  room.tell("TrackSubscribed", track, null, { identity: "heygen", attributes: {} });
  assert.deepEqual(
    heard.map(([name, detail]) => detail.type ?? name),
    ["track", "bot-ready"],
  );
  call.close();
  assert.equal(commands.length, 0);
  const abandoned = await joinFull(SESSION, means);
  const last = sentInto();
  abandoned.close();
  assert.deepEqual(last, ["session.stop"], "nobody pays for an avatar that never came");
});
