import assert from "node:assert/strict";
import { test } from "node:test";
import { browserName } from "../../../web/call/browser.js";
import { pledge, within } from "../../../web/call/promises.js";

test("a promise is settled from outside", async () => {
  const [kept, broken] = [pledge(), pledge()];
  kept.resolve(7);
  broken.reject(new Error("no"));
  assert.equal(await kept.promise, 7);
  await assert.rejects(broken.promise, { message: "no" });
});

test("a signal with a limit is aborted by whichever comes first", async () => {
  const asked = new AbortController();
  const signal = within(asked.signal, 60_000);
  assert.equal(signal.aborted, false);
  asked.abort();
  assert.equal(signal.reason.name, "AbortError");
  assert.equal(within(asked.signal, 60_000).aborted, true);
  const late = within(new AbortController().signal, 1);
  await new Promise((resolve) => late.addEventListener("abort", resolve));
  assert.equal(late.reason.name, "TimeoutError");
});

const CHROMIUM = "Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 16_3 like Mac OS X) AppleWebKit/605.1.15";
for (const [agent, name] of [
  [`${CHROMIUM} Safari/537.36`, "Chrome 120"],
  [`${CHROMIUM} Safari/537.36 Edg/119.0.1`, "Edge 119"],
  [`${IPHONE} (KHTML, like Gecko) Version/16.3 Mobile/15E148 Safari/604.1`, "Safari 16.3"],
  [`${IPHONE} (KHTML, like Gecko) FxiOS/119.0 Mobile/15E148 Safari/605.1.15`, "Firefox 119"],
  ["Mozilla/5.0 (X11; Linux; rv:109.0) Gecko/20100101 Firefox/115.0", "Firefox 115"],
  ["curl/8", ""],
]) {
  test(`a browser is named as people know it: ${name || "none"}`, () => {
    assert.equal(browserName(agent), name);
  });
}
