// A page's word to its server, which is a real one.

import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { Relay } from "../../../web/call/relay.js";
import { serving } from "../server.js";

/**
 * A relay to a server that answers as `answer` says, and what it was sent.
 * @param {import("node:test").TestContext} t
 * @param {(body: any, count: number) => [number, object]} answer
 */
async function relaying(t, answer) {
  /** @type {any[]} */
  const sent = [];
  const server = new EventEmitter();
  const { url } = await serving(t, (request, response) => {
    let text = "";
    request.on("data", (part) => {
      text += part;
    });
    request.on("end", () => {
      sent.push(JSON.parse(text));
      const [status, told] = answer(sent.at(-1), sent.length);
      response.writeHead(status).end(JSON.stringify(told));
      server.emit("asked");
    });
  });
  const told = t.mock.fn();
  const lost = t.mock.fn(() => server.emit("asked"));
  const pace = { periodMs: 20, lostMs: 150 };
  const relay = new Relay({ url: new URL("events", url), key: "key", told, lost }, pace);
  t.after(() => relay.close());
  /**
   * Waits until so many messages have come, or none will.
   * @param {number} count
   */
  const until = async (count) => {
    while (sent.length < count && lost.mock.callCount() === 0) await once(server, "asked");
  };
  return { relay, sent, told, lost, until };
}

test("events go out once, with their age, and answers are told", async (t) => {
  const say = { type: "say", text: "Hello." };
  const { relay, sent, told, until } = await relaying(t, () => [200, { messages: [say] }]);
  await until(1);
  relay.see({ event_type: "user.transcription", text: "Hi.", secret: "x" });
  relay.mute(true);
  relay.act();
  await until(3);
  await until(4);
  const [event, ...more] = sent.flatMap(({ events }) => events);
  assert.deepEqual([event.number, more], [1, []]);
  assert.deepEqual(event.event, { event_type: "user.transcription", text: "Hi." });
  assert.ok(event.age_s >= 0);
  assert.equal(sent.filter(({ active }) => active).length, 1);
  assert.deepEqual([sent[3].key, sent[3].muted, sent[3].events], ["key", true, []]);
  assert.deepEqual(told.mock.calls[0].arguments, [say]);
});

test("what a server did not take is told again, in order", async (t) => {
  const refused = (/** @type {any} */ { events }) => events.length === 1;
  const { relay, sent, until } = await relaying(t, (body) => [refused(body) ? 500 : 200, {}]);
  relay.see({ event_type: "user.speak_started" });
  while (!sent.some(refused)) await until(sent.length + 1);
  relay.see({ event_type: "user.speak_ended" });
  while (!sent.some(({ events }) => events.length === 2)) await until(sent.length + 1);
  const events = sent.find(({ events }) => events.length === 2).events;
  const types = events.map((/** @type {any} */ { event }) => event.event_type);
  assert.deepEqual(types, ["user.speak_started", "user.speak_ended"]);
});

test("what is not confirmed is told again by its number, and heard once", async (t) => {
  const [say, over] = [{ type: "say" }, { type: "over" }];
  /** @type {[number, object][]} */
  const answers = [
    [200, { messages: [say], told: 1, taken: 0 }],
    [200, { messages: [say, over], told: 2, taken: 0 }],
    [200, { messages: [over], told: 2, taken: 1 }],
  ];
  const { relay, sent, told, until } = await relaying(t, (_, count) => {
    return answers[count - 1] ?? [200, { messages: [], told: 2, taken: 2 }];
  });
  relay.see({ event_type: "user.speak_started" });
  relay.see({ event_type: "user.speak_ended" });
  await until(6);
  const numbers = sent.map(({ events }) => events.map((/** @type {any} */ each) => each.number));
  assert.deepEqual(numbers.slice(1, 5), [[1, 2], [1, 2], [2], []]);
  assert.deepEqual(
    sent.slice(0, 4).map(({ heard }) => heard),
    [0, 1, 2, 2],
  );
  assert.deepEqual(
    told.mock.calls.map((call) => call.arguments[0]),
    [say, over],
  );
});

test("a flood of events goes out in parts that a server takes", async (t) => {
  const { relay, sent, until } = await relaying(t, () => [200, {}]);
  await until(1);
  for (let at = 0; at < 150; at += 1)
    relay.see({ event_type: "avatar.transcription", text: "語".repeat(10_000) });
  await until(4);
  assert.ok(sent.every((body) => Buffer.byteLength(JSON.stringify(body)) < 64_000));
  assert.ok(sent.flatMap(({ events }) => events).length > 1);
});

test("who leaves says so with the rest, and nothing after", async (t) => {
  const { relay, sent, until } = await relaying(t, () => [200, {}]);
  await until(1);
  relay.see({ event_type: "avatar.speak_ended" });
  relay.close();
  relay.close();
  while (!sent.at(-1).leaves) await until(sent.length + 1);
  assert.equal(sent.flatMap(({ events }) => events).length, 1);
  assert.equal(sent.filter(({ leaves }) => leaves).length, 1);
});

for (const [status, most] of [
  [404, 1],
  [500, 1_000],
]) {
  test(`a server that answers ${status} is lost, once`, async (t) => {
    const { sent, lost, until } = await relaying(t, () => [status, { detail: "Over." }]);
    await until(Infinity);
    assert.equal(lost.mock.callCount(), 1);
    assert.ok(sent.length <= most);
  });
}

test("what a server cannot read is not told again", async (t) => {
  const bad = (/** @type {any} */ { events }) => events.length > 0;
  const { relay, sent, until } = await relaying(t, (body) => [bad(body) ? 400 : 200, {}]);
  relay.see({ event_type: "user.speak_started" });
  while (!sent.some(bad)) await until(sent.length + 1);
  await until(sent.length + 2);
  assert.equal(sent.filter(bad).length, 1);
});
