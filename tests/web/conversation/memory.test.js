import assert from "node:assert/strict";
import { test } from "node:test";
import { keepLeft, recall, remember, takeLeft } from "../../../web/conversation/memory.js";

const HOME = "https://a.example/";

/** @type {(get: () => object) => void} */
const storage = (get) => {
  for (const name of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(globalThis, name, { get, configurable: true });
  }
};

/** A storage that is open. */
const opened = () => {
  const kept = new Map();
  storage(() => ({
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => kept.set(name, value),
    removeItem: (/** @type {string} */ name) => kept.delete(name),
  }));
  return kept;
};

/** @type {(returnS?: number) => any} */
const left = (returnS) => ({ server: HOME, voice: true, session: { returnS }, atMs: 1_000 });

test("what is remembered is found again, until it is forgotten", () => {
  const kept = opened();
  remember("speaker", "desk");
  assert.equal(recall("speaker"), "desk");
  assert.deepEqual([...kept.keys()], ["avatar-call.speaker"]);
  remember("speaker", null);
  assert.equal(recall("speaker"), null);
});

test("where storage is closed nothing is remembered, and nothing breaks", () => {
  storage(() => {
    throw new DOMException("The operation is insecure.", "SecurityError");
  });
  remember("speaker", "desk");
  assert.equal(recall("speaker"), null);
  keepLeft(left(60));
  assert.equal(takeLeft(HOME), null);
});

test("a conversation that a page has let go of is taken up once, at the same server", () => {
  opened();
  keepLeft(left(60));
  assert.equal(takeLeft("https://b.example/", 2_000), null);
  assert.deepEqual(takeLeft(HOME, 60_999), left(60));
  assert.equal(takeLeft(HOME, 2_000), null);
});

test("a conversation is not taken up when it is over, or is not waited for", () => {
  opened();
  for (const each of [left(60), left()]) {
    keepLeft(each);
    assert.equal(takeLeft(HOME, 61_000), null);
  }
});
