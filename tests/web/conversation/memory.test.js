import assert from "node:assert/strict";
import { test } from "node:test";
import { recall, remember } from "../../../web/conversation/memory.js";

/** @type {(get: () => object) => void} */
const storage = (get) => {
  Object.defineProperty(globalThis, "localStorage", { get, configurable: true });
};

test("what is remembered is found again, until it is forgotten", () => {
  const kept = new Map();
  storage(() => ({
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => kept.set(name, value),
    removeItem: (/** @type {string} */ name) => kept.delete(name),
  }));
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
});
