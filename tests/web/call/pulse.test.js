// Time passes as a test says; what the network carries is a number.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Pulse } from "../../../web/call/pulse.js";
import { Clock } from "../clock.js";

const BEAT = { label: "rtvi-ai", type: "server-message", data: { type: "alive" } };

/** @type {Clock} */
let clock;
/** @type {Pulse} */
let pulse;
let carried = 0;
let missed = 0;

beforeEach(() => {
  clock = new Clock();
  carried = missed = 0;
  const miss = () => {
    missed += 1;
  };
  pulse = new Pulse({ carried: async () => carried, missed: miss });
});
afterEach(() => {
  pulse.close();
  clock.stop();
});

/**
 * Lets seconds pass, in each of which so many things are carried.
 * @param {number} seconds
 * @param {number} [things]
 */
async function pass(seconds, things = 1) {
  for (let second = 0; second < seconds; second += 1) {
    carried += things;
    clock.pass(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a beat is told from every other message", () => {
  assert.equal(pulse.take(BEAT), true);
  const others = [null, "alive", {}, { ...BEAT, data: null }, { ...BEAT, type: "alive" }];
  for (const other of others) assert.equal(pulse.take(other), false);
});

test("beats that come no more are missed once, after six seconds", async () => {
  pulse.take(BEAT);
  await pass(2);
  pulse.take(BEAT);
  await pass(5);
  assert.equal(missed, 0);
  await pass(1);
  assert.equal(missed, 1);
  await pass(20);
  assert.equal(missed, 1);
});

test("a bot that never gave a sign of life is not missed", async () => {
  await pass(60);
  assert.equal(missed, 0);
});

test("a network that carries nothing is not taken for a bot that has stopped", async () => {
  pulse.take(BEAT);
  await pass(60, 0);
  assert.equal(missed, 0);
  await pass(3);
  assert.equal(missed, 0, "the next beat has the time that it takes");
  await pass(6);
  assert.equal(missed, 1);
});

test("what WebRTC asks every few seconds is enough to know that the network lives", async () => {
  pulse.take(BEAT);
  for (let time = 0; time < 3; time += 1) {
    await pass(1);
    await pass(2, 0);
  }
  assert.equal(missed, 1);
});

test("no time passes while the page sleeps", async () => {
  pulse.take(BEAT);
  await pass(4);
  // Nothing of the page runs meanwhile; when it is awake again one timer is due.
  clock.pass(600_000);
  await pass(0);
  assert.equal(missed, 0);
  pulse.take(BEAT);
  await pass(5);
  assert.equal(missed, 0);
});

test("who has closed it hears nothing of it", async () => {
  pulse.take(BEAT);
  await pass(5);
  pulse.close();
  await pass(10);
  pulse.take(BEAT);
  await pass(10);
  assert.equal(missed, 0);
});
