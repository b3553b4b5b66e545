// Node has no devices: a stand-in takes the browser's place, and opens them when it is told to.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Microphone } from "../../../web/conversation/microphone.js";

class Track {
  enabled = true;
  readyState = "live";
  onended = null;

  stop() {
    this.readyState = "ended";
  }
}

class Stream {
  track = new Track();
  getTracks = () => [this.track];
  getAudioTracks = () => [this.track];
}

/** @type {{ open: (stream: Stream) => void, refuse: (error: Error) => void }[]} */
let asked;
const mediaDevices = {
  getUserMedia: () => new Promise((open, refuse) => asked.push({ open, refuse })),
};
const userActivation = { hasBeenActive: false };
const value = { mediaDevices, userActivation };
Object.defineProperty(globalThis, "navigator", { value, configurable: true });

/** @type {Microphone} */
let microphone;

beforeEach(() => {
  asked = [];
  microphone = new Microphone({ level() {}, unheard() {}, gone() {} });
});

test("of two devices that are asked for, the last one is used, whichever opens first", async (t) => {
  t.after(() => microphone.stop());
  const [first, second] = [new Stream(), new Stream()];
  const starting = [microphone.start(), microphone.start()];
  asked[1].open(second);
  asked[0].open(first);
  assert.deepEqual(await Promise.all(starting), [null, second]);
  assert.equal(microphone.stream, second);
  assert.deepEqual([first.track.readyState, second.track.readyState], ["ended", "live"]);
});

test("another device is as open as the one before", async (t) => {
  t.after(() => microphone.stop());
  microphone.isOpen = false;
  const [first, second] = [new Stream(), new Stream()];
  for (const [place, stream] of [first, second].entries()) {
    const starting = microphone.start();
    asked[place].open(stream);
    await starting;
  }
  assert.deepEqual([first.track.readyState, second.track.enabled], ["ended", false]);
  microphone.isOpen = true;
  assert.equal(second.track.enabled, true);
});

test("a device that is refused leaves the one in use", async (t) => {
  t.after(() => microphone.stop());
  const stream = new Stream();
  const starting = microphone.start();
  asked[0].open(stream);
  await starting;
  const again = microphone.start();
  asked[1].refuse(new DOMException("It is in use", "NotReadableError"));
  await assert.rejects(again, { message: "microphoneBusy", kind: "microphone" });
  assert.equal(microphone.stream, stream);
  assert.equal(stream.track.readyState, "live");
});

test("a microphone that is let go is released and no longer listened to", async () => {
  const stream = new Stream();
  const starting = microphone.start();
  asked[0].open(stream);
  await starting;
  microphone.stop();
  assert.equal(microphone.stream, null);
  assert.equal(stream.track.readyState, "ended");
});
