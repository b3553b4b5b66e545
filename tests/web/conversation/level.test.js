// Node has no AudioContext: a stand-in takes its place, which can refuse to listen and fall asleep.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { watchLevel } from "../../../web/conversation/level.js";
import { Microphone } from "../../../web/conversation/microphone.js";

const LOUD = 0.1;
const SECOND = 10; // readings

/** @type {Context[]} */
let contexts;
let refusing = false;

class Context {
  state = "running";
  asked = 0;
  /** @type {(() => void)[]} */
  answers = [];

  constructor() {
    contexts.push(this);
  }

  createMediaStreamSource() {
    if (refusing) throw new DOMException("Another sample-rate", "NotSupportedError");
    return { connect() {}, disconnect() {} };
  }

  resume() {
    this.asked += 1;
    return new Promise((resolve) => this.answers.push(() => resolve(undefined)));
  }

  async close() {
    this.state = "closed";
  }
}

let sound = 0;
class Analyser {
  fftSize = 8;

  /** @param {Float32Array} samples */
  getFloatTimeDomainData(samples) {
    samples.fill(sound);
  }
}

const track = { enabled: true, stop() {} };
const stream = /** @type {any} */ ({ getTracks: () => [track], getAudioTracks: () => [track] });
const mediaDevices = { getUserMedia: async () => stream };
const value = { mediaDevices, userActivation: { hasBeenActive: true } };
Object.defineProperty(globalThis, "navigator", { value, configurable: true });
Object.assign(globalThis, { AudioContext: Context, AnalyserNode: Analyser });

/** @param {import("node:test").TestContext} t */
function clock(t) {
  let nowMs = 0;
  mock.method(performance, "now", () => nowMs);
  mock.timers.enable({ apis: ["setInterval"] });
  t.after(() => {
    mock.timers.reset();
    mock.restoreAll();
  });
  return (/** @type {number} */ readings) => {
    for (let place = 0; place < readings; place += 1) {
      nowMs += 100;
      mock.timers.tick(100);
    }
  };
}

beforeEach(() => {
  contexts = [];
  refusing = false;
  sound = LOUD;
});

test("where the browser cannot listen there is no level, no error and nothing left open", (t) => {
  const pass = clock(t);
  refusing = true;
  /** @type {(number | null)[]} */
  const levels = [];
  const stop = watchLevel(stream, (level) => levels.push(level));
  pass(30 * SECOND);
  assert.deepEqual(levels, []);
  assert.deepEqual(
    contexts.map(({ state }) => state),
    ["closed"],
  );
  stop();
});

test("while it does not listen there is no level, and it is asked to, once at a time", async (t) => {
  const pass = clock(t);
  /** @type {(number | null)[]} */
  const levels = [];
  const stop = watchLevel(stream, (level) => levels.push(level));
  pass(1);
  const [context] = contexts;
  context.state = "interrupted";
  pass(3 * SECOND);
  assert.equal(context.asked, 1);
  assert.deepEqual(levels.slice(1), Array(30).fill(null));
  context.answers[0]();
  await Promise.resolve();
  context.state = "running";
  pass(1);
  assert.ok((levels.at(-1) ?? 0) > 0);
  stop();
});

test("who is not listened to is not told that they cannot be heard", async (t) => {
  const pass = clock(t);
  /** @type {boolean[]} */
  const unheard = [];
  const tell = (/** @type {boolean} */ told) => unheard.push(told);
  const microphone = new Microphone({ level() {}, unheard: tell, gone() {} });
  await microphone.start();
  microphone.isExpected = true;
  pass(1);
  contexts[0].state = "suspended";
  pass(60 * SECOND);
  contexts[0].state = "running";
  sound = 0;
  pass(1);
  assert.deepEqual(unheard, []);
  pass(31 * SECOND);
  assert.deepEqual(unheard, [true]);
  microphone.stop();
});
