import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Turns } from "../../../web/conversation/turns.js";
import { Clock } from "../clock.js";

/** @type {Clock} */
let clock;
/** @type {Turn[]} */
let told;
/** @type {Turns} */
let turns;

beforeEach(() => {
  clock = new Clock();
  told = [];
  turns = new Turns((turn) => told.push(turn));
});
afterEach(() => clock.stop());

/** @type {(processor: string, value: number) => object} */
const first = (processor, value) => ({ processor, value });

test("the steps of an answer are put together from Pipecat's metrics", () => {
  turns.userStopped();
  const ttfb = [first("OllamaLLMService#0", 0.3), first("PiperTTSService#0", 0.2)];
  turns.metrics({ ttfb });
  turns.metrics({ ttfb: [first("OllamaLLMService#0", 0.9)] });
  clock.pass(1_000);
  turns.botStarted();
  assert.equal(told.length, 0, "the bot may tell its own measurement a moment later");
  turns.botStopped();
  const [{ steps, ...turn }] = told;
  assert.deepEqual(turn, { turn: 1, exact: false });
  const rounded = steps.map(({ name, at_s }) => [name, Math.round(at_s * 100) / 100]);
  assert.deepEqual(rounded, [
    ["ears", 0.5],
    ["mind", 0.8],
    ["voice", 1],
  ]);
});

test("without metrics only the voice is known", () => {
  turns.userStopped();
  clock.pass(700);
  turns.botStarted();
  turns.botStopped();
  assert.deepEqual(told, [{ turn: 1, steps: [{ name: "voice", at_s: 0.7 }], exact: false }]);
});

test("who speaks without having been asked has no turn", () => {
  turns.botStarted();
  turns.botStopped();
  assert.deepEqual(told, []);
  assert.equal(turns.median_s, null);
});

test("what the bot measured itself takes the place of guesses, for good", () => {
  turns.userStopped();
  turns.botStarted();
  turns.botStopped();
  turns.userStopped();
  turns.botStarted();
  const steps = [{ name: "voice", at_s: 0.5 }];
  turns.measured({ turn: 1, steps });
  turns.botStopped();
  turns.userStopped();
  turns.botStarted();
  turns.botStopped();
  assert.deepEqual(turns.list, [{ turn: 1, steps, exact: true }]);
});

test("the median is of the times until the voice was heard", () => {
  for (const at_s of [3, 1, 2]) turns.measured({ turn: 1, steps: [{ name: "voice", at_s }] });
  assert.equal(turns.median_s, 2);
  turns.measured({ turn: 4, steps: [{ name: "voice", at_s: 4 }] });
  assert.equal(turns.median_s, 2.5);
  turns.measured({ turn: 5, steps: [{ name: "ears", at_s: 0.1 }] });
  assert.equal(turns.median_s, 2.5);
});

test("a measurement without steps and metrics of another shape change nothing", () => {
  for (const steps of [
    undefined,
    null,
    "fast",
    [],
    [null],
    [{ name: 1, at_s: 1 }],
    [{ name: "voice" }],
  ])
    turns.measured({ turn: 1, steps });
  turns.userStopped();
  for (const ttfb of [undefined, null, "fast", [null], [{}]]) turns.metrics({ ttfb });
  assert.deepEqual(turns.list, []);
});

test("how many answers were begun early is told with the turn, if it can be", () => {
  const steps = [{ name: "voice", at_s: 0.5 }];
  const ahead = { calls: 3, for_nothing: 1 };
  for (const sent of [ahead, undefined, null, 3, {}, { calls: 0, for_nothing: 0 }, { calls: 1 }])
    turns.measured({ turn: 1, steps, ahead: sent });
  assert.deepEqual(
    turns.list.map((turn) => turn.ahead),
    [ahead, ...Array(6).fill(undefined)],
  );
});
