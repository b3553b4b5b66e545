import assert from "node:assert/strict";
import { test } from "node:test";
import { parsed } from "../../../web/call/message.js";

test("a packet of something else is no message", () => {
  assert.deepEqual(parsed('{"label":"rtvi-ai"}'), { label: "rtvi-ai" });
  for (const text of ["", "ping", "{", "\u0000"]) assert.equal(parsed(text), null);
});
