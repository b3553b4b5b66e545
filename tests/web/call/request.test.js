import assert from "node:assert/strict";
import { test } from "node:test";
import { CallError, endingOf, isReachable, requestJson } from "../../../web/call/request.js";
import { serving } from "../server.js";

/** @type {(status: number, body: string) => import("node:http").RequestListener} */
const saying = (status, body) => (_request, response) => response.writeHead(status).end(body);

test("an object is sent and the answer read", async (t) => {
  const { url } = await serving(t, (request, response) => {
    const { method, headers } = request;
    request.on("data", (body) => {
      const said = { method, type: headers["content-type"], body: JSON.parse(`${body}`) };
      response.end(JSON.stringify(said));
    });
  });
  const answer = await requestJson(new URL(url), { method: "POST", body: { one: 1 } });
  assert.deepEqual(answer, { method: "POST", type: "application/json", body: { one: 1 } });
});

for (const [status, kind] of /** @type {[number, string][]} */ ([
  [403, "origin"],
  [409, "full"],
  [429, "full"],
  [503, "full"],
  [500, "server"],
])) {
  test(`a refusal with ${status} is told in the server's words`, async (t) => {
    const { url } = await serving(t, saying(status, '{"detail":"Not today."}'));
    await assert.rejects(requestJson(new URL(url)), { message: "Not today.", kind, status });
  });
}

test("a refusal without words gets ours", async (t) => {
  const { url } = await serving(t, saying(502, "<html>Bad gateway</html>"));
  const values = { status: 502 };
  await assert.rejects(requestJson(new URL(url)), { message: "serverError", values });
});

test("a server that is not there is told so", async (t) => {
  const { url, close } = await serving(t, saying(200, "{}"));
  assert.equal(await isReachable(new URL(url), 2_000), true);
  close();
  assert.equal(await isReachable(new URL(url), 2_000), false);
  // Node does not know whether there is a network, as browsers do.
  const navigator = { onLine: true };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  await assert.rejects(requestJson(new URL(url)), { message: "unreachable", kind: "server" });
  navigator.onLine = false;
  await assert.rejects(requestJson(new URL(url)), { message: "offline", kind: "network" });
});

test("who gives up is not told of an error of the server's", async (t) => {
  const { url } = await serving(t, () => {});
  const [gone, late] = [AbortSignal.abort(), AbortSignal.timeout(20)];
  await assert.rejects(requestJson(new URL(url), { signal: gone }), { name: "AbortError" });
  await assert.rejects(requestJson(new URL(url), { signal: late }), { message: "tooSlow" });
});

test("an error that is not for the user is a fault of the page's", () => {
  const full = new CallError("roomFull", "full", { values: { status: 503 } });
  assert.deepEqual(endingOf(full), {
    failed: true,
    reason: "roomFull",
    kind: "full",
    values: { status: 503 },
  });
  const broken = { failed: true, reason: "elementBroken", kind: "page" };
  assert.deepEqual(endingOf(new TypeError("x is undefined")), broken);
  assert.deepEqual(endingOf(undefined), broken);
});
