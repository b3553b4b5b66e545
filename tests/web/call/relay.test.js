// A page's word to its server, which is a real one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Relay } from "../../../web/call/relay.js";
import { Clock } from "../clock.js";
import { serving } from "../server.js";

/**
 * A relay to a server that answers as `answer` says, and what it was sent.
 * @param {import("node:test").TestContext} t
 * @param {(body: any, count: number) => [number, object]} answer
 */
async function relaying(t, answer) {
  /** @type {any[]} */
  const sent = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  const { url } = await serving(t, (request, response) => {
    let text = "";
    request.on("data", (part) => {
      text += part;
    });
    request.on("end", () => {
      sent.push(JSON.parse(text));
      const [status, told] = answer(sent.at(-1), sent.length);
      response.writeHead(status).end(JSON.stringify(told));
    });
    response.on("finish", () => {
      for (const go of waiting.splice(0)) go();
    });
  });
  const clock = new Clock();
  t.after(() => clock.stop());
  const told = t.mock.fn();
  const lost = t.mock.fn();
  const relay = new Relay({ url: new URL("events", url), key: "key", told, lost });
  t.after(() => relay.close());
  /**
   * Lets seconds pass until there was another message.
   * @param {number} count
   */
  const until = async (count) => {
    while (sent.length < count && lost.mock.callCount() === 0) {
      clock.pass(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Its answer is read.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
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
  assert.deepEqual(sent[1].events[0].event, { event_type: "user.transcription", text: "Hi." });
  assert.ok(sent[1].events[0].age_s > 0 && sent[1].events[0].age_s <= 1.2);
  assert.deepEqual([sent[1].key, sent[1].muted, sent[1].active], ["key", true, true]);
  assert.deepEqual([sent[2].events, sent[2].active], [[], false]);
  assert.deepEqual(told.mock.calls[0].arguments, [say]);
});

test("what a server did not take is told again, in order", async (t) => {
  const { relay, sent, until } = await relaying(t, (_, count) => [count === 2 ? 500 : 200, {}]);
  await until(1);
  relay.see({ event_type: "user.speak_started" });
  await until(2);
  relay.see({ event_type: "user.speak_ended" });
  await until(3);
  const types = sent[2].events.map((/** @type {any} */ { event }) => event.event_type);
  assert.deepEqual(types, ["user.speak_started", "user.speak_ended"]);
});

test("a flood of events goes out in parts that a server takes", async (t) => {
  const { relay, sent, until } = await relaying(t, () => [200, {}]);
  await until(1);
  for (let at = 0; at < 150; at += 1)
    relay.see({ event_type: "avatar.transcription", text: "é".repeat(10_000) });
  await until(4);
  assert.ok(sent.every((body) => JSON.stringify(body).length < 50_000));
  assert.ok(sent[2].events.length > 0);
});

test("who leaves says so with the rest, and nothing after", async (t) => {
  const { relay, sent, until } = await relaying(t, () => [200, {}]);
  await until(1);
  relay.see({ event_type: "avatar.speak_ended" });
  relay.close();
  relay.close();
  await until(2);
  assert.deepEqual([sent.length, sent[1].leaves, sent[1].events.length], [2, true, 1]);
});

for (const [status, seconds] of [
  [404, 2],
  [500, 20],
]) {
  test(`a server that answers ${status} is lost, once`, async (t) => {
    const { sent, lost, until } = await relaying(t, () => [status, { detail: "Over." }]);
    await until(seconds);
    assert.equal(lost.mock.callCount(), 1);
    assert.ok(status === 404 ? sent.length === 1 : sent.length > 5);
  });
}
