import assert from "node:assert/strict";
import { test } from "node:test";
import { loadLineup, roomLineup, untilReady } from "../../../web/element/lineup.js";
import { serving } from "../server.js";

const { signal } = new AbortController();
const NOTHING = {
  transport: "webrtc",
  parts: [],
  persona: { id: null, name: null },
  personas: [],
  faces: [],
  poster: null,
  kept: null,
  starting: false,
};

/** @type {(said: object) => import("node:http").RequestListener} */
const saying = (said) => (request, response) =>
  request.url === "/api/lineup" && response.end(JSON.stringify(said));

test("a bot of somebody else has no line-up, and is met all the same", async (t) => {
  const { url } = await serving(t, (_request, response) => response.writeHead(404).end());
  assert.deepEqual(await loadLineup(url, signal), NOTHING);
});

test("a server that is broken is told so", async (t) => {
  const { url } = await serving(t, (_request, response) => response.writeHead(500).end());
  await assert.rejects(loadLineup(url, signal), { message: "serverError", status: 500 });
});

test("pictures are found at the server, wherever the page is", async (t) => {
  const faces = [{ id: "mira", name: "Mira", picture: "api/faces/mira" }];
  const { url } = await serving(t, saying({ faces, poster: "/api/faces/theo" }));
  const lineup = await loadLineup(url, signal);
  assert.equal(lineup.poster, `${url}api/faces/theo`);
  assert.deepEqual(lineup.faces, [{ ...faces[0], picture: `${url}api/faces/mira` }]);
});

test("a persona of the server's own is the first choice among the packaged ones", async (t) => {
  const personas = [{ id: "mira", name: "Mira", face: "mira" }];
  const own = { id: null, name: "Ada" };
  const { url } = await serving(t, saying({ persona: own, personas }));
  const names = (await loadLineup(url, signal)).personas.map(({ name }) => name);
  assert.deepEqual(names, ["Ada", "Mira"]);
  const packaged = await serving(t, saying({ persona: personas[0], personas }));
  assert.deepEqual((await loadLineup(packaged.url, signal)).personas, personas);
});

test("a server that gets ready is waited for, and one that never will be is told", async (t) => {
  const answers = [503, 200, 500];
  const { url } = await serving(t, (_request, response) => {
    const status = answers.shift() ?? 404;
    response.writeHead(status).end(JSON.stringify({ detail: `${status}, it says` }));
  });
  await untilReady(url, signal);
  assert.deepEqual(answers, [500]);
  await assert.rejects(untilReady(url, signal), { message: "500, it says" });
});

test("the line-up of a room that is watched asks nobody", () => {
  assert.deepEqual(roomLineup("http://127.0.0.1/"), { ...NOTHING, transport: "livekit" });
});
