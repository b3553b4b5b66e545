import assert from "node:assert/strict";
import { test } from "node:test";
import { setAccess } from "../../../web/call/access.js";
import { requestJson } from "../../../web/call/request.js";
import { visitAt } from "../../../web/conversation/visit.js";
import { serving } from "../server.js";

/**
 * A server that lets in who brings `good`, and gives that for the link "fresh", once.
 * @param {import("node:test").TestContext} t
 */
async function closed(t, good = "good") {
  /** @type {string[]} */
  const asked = [];
  let used = false;
  const { url } = await serving(t, (request, response) => {
    const { url: path, headers } = request;
    asked.push(`${path} ${headers.authorization ?? ""}`.trim());
    request.on("data", () => {});
    if (path === "/api/visit") {
      response.writeHead(used ? 401 : 200);
      response.end(JSON.stringify(used ? { detail: "Used." } : { token: good }));
      used = true;
    } else if (headers.authorization === `Bearer ${good}`) response.end('{"let":"in"}');
    else response.writeHead(401).end('{"detail":"Closed."}');
  });
  return { server: url, url: new URL("start", url), asked };
}

test("a token goes in a header, to its server alone", async (t) => {
  const [one, other] = [await closed(t), await closed(t)];
  setAccess(one.server, "good");
  assert.deepEqual(await requestJson(one.url), { let: "in" });
  assert.deepEqual(one.asked, ["/start Bearer good"]);
  await assert.rejects(requestJson(other.url), { message: "Closed.", kind: "access", status: 401 });
  assert.deepEqual(other.asked, ["/start"]);
});

test("a function is asked once, and again when its token is refused", async (t) => {
  const { server, url, asked } = await closed(t);
  const tokens = ["old", "good", "never"];
  setAccess(server, async () => tokens.shift() ?? "");
  await requestJson(url);
  await requestJson(url);
  assert.deepEqual(
    asked,
    ["old", "good", "good"].map((token) => `/start Bearer ${token}`),
  );
});

test("a function that fails is told so", async (t) => {
  const { server, url } = await closed(t);
  setAccess(server, () => Promise.reject(new TypeError("no")));
  await assert.rejects(requestJson(url), { message: "noAccess", kind: "access" });
});

test("a link is exchanged once, and what it gave is kept by the tab", async (t) => {
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = {
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => kept.set(name, value),
  };
  Object.defineProperty(globalThis, "sessionStorage", { value: storage, configurable: true });
  const { server, url, asked } = await closed(t);
  setAccess(server, visitAt(server, "fresh"));
  await Promise.all([requestJson(url), requestJson(url)]);
  assert.deepEqual(asked, ["/api/visit", "/start Bearer good", "/start Bearer good"]);
  // Loaded anew, without the link; and with it once more.
  for (const link of ["", "fresh"]) {
    setAccess(server, visitAt(server, link));
    assert.deepEqual(await requestJson(url), { let: "in" });
  }
  kept.clear();
  setAccess(server, visitAt(server, "fresh"));
  await assert.rejects(requestJson(url), { message: "Used.", kind: "access" });
});
