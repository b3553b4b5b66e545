import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Playout } from "../../../web/conversation/playout.js";
import { Clock } from "../clock.js";

/** @type {Clock} */
let clock;
/** @type {string[]} */
let done;
/** @type {Stat[]} */
let stats;
let asked = 0;
/** @type {Playout} */
let playout;

beforeEach(() => {
  clock = new Clock();
  done = [];
  stats = [];
  asked = 0;
  playout = new Playout(async () => {
    asked += 1;
    return stats;
  });
});
afterEach(() => clock.stop());

/** @type {(delay_s: number, count: number) => void} */
const counted = (delay_s, count) => {
  const sound = { type: "inbound-rtp", kind: "audio", id: "a", timestamp: 0 };
  const counts = { jitterBufferDelay: delay_s, jitterBufferEmittedCount: count };
  stats = [/** @type {Stat} */ (/** @type {unknown} */ ({ ...sound, ...counts }))];
};

/** @type {(delay_s: number, count: number) => Promise<void>} */
const look = async (delay_s, count) => {
  counted(delay_s, count);
  clock.pass(1_001);
  playout.look();
  await new Promise((resolve) => setImmediate(resolve));
};

/** @type {(word: string) => void} */
const hold = (word) => playout.hold(() => done.push(word));

test("without a wait, and without statistics, words are told at once", async () => {
  hold("one");
  assert.deepEqual(done, ["one"]);
  await look(0, 0);
  hold("two");
  assert.deepEqual(done, ["one", "two"]);
});

test("words wait for as long as their sound does", async () => {
  await look(0.2 * 100, 100);
  hold("one");
  clock.pass(150);
  hold("two");
  assert.deepEqual(done, []);
  clock.pass(50);
  assert.deepEqual(done, ["one"]);
  clock.pass(150);
  assert.deepEqual(done, ["one", "two"]);
});

test("the wait is that of the last sounds, not of all", async () => {
  await look(0.2 * 100, 100);
  await look(0.2 * 100 + 0.05 * 100, 200);
  hold("one");
  clock.pass(50);
  assert.deepEqual(done, ["one"]);
});

test("no word comes before one that was held earlier", async () => {
  await look(0.2 * 100, 100);
  hold("one");
  await look(0.2 * 100, 200);
  hold("two");
  assert.deepEqual(done, ["one", "two"]);
  await look(0.5 * 100 + 0.2 * 100, 300);
  hold("three");
  await look(0.5 * 100 + 0.2 * 100, 400);
  hold("four");
  assert.deepEqual(done.slice(2), ["three", "four"]);
});

test("a connection that was taken up again counts anew", async () => {
  await look(0.2 * 1_000, 1_000);
  await look(0.1 * 50, 50);
  hold("one");
  clock.pass(100);
  assert.deepEqual(done, ["one"]);
});

test("no wait is longer than three seconds", async () => {
  await look(60 * 10, 10);
  hold("one");
  clock.pass(3_000);
  assert.deepEqual(done, ["one"]);
});

test("statistics are read no more than once a second", async () => {
  await look(1, 10);
  playout.look();
  playout.look();
  assert.equal(asked, 1);
});

test("what is still held is done at the end", async () => {
  await look(0.2 * 100, 100);
  hold("one");
  hold("two");
  playout.close();
  assert.deepEqual(done, ["one", "two"]);
  clock.pass(1_000);
  assert.deepEqual(done, ["one", "two"]);
});

test("what is held by what was held comes after it, once", async () => {
  await look(0.1 * 100, 100);
  playout.hold(() => {
    done.push("one");
    hold("two");
  });
  hold("three");
  clock.pass(300);
  assert.deepEqual(done, ["one", "three", "two"]);
});

test("what comes after a cut that is held is not cut by it", async () => {
  const after = (/** @type {string} */ word) => playout.after(() => done.push(word));
  after("at once");
  await look(0.2 * 100, 100);
  hold("cut");
  after("next");
  assert.deepEqual(done, ["at once"]);
  clock.pass(200);
  assert.deepEqual(done, ["at once", "cut", "next"]);
});
