// Pictures are tracks of a browser's; here they are their names.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Cameras } from "../../../web/call/cameras.js";

const BOT = { identity: "bot" };
const ANN = { identity: "ann", attributes: {} };
/** @type {(identity: string) => { identity: string, attributes: Record<string, string> }} */
const face = (identity) => ({ identity, attributes: { "lk.publish_on_behalf": "bot" } });
/** @type {(name: string) => any} */
const picture = (name) => name;

/** @type {any[]} */
let seen;
/** @type {Cameras} */
let cameras;

beforeEach(() => {
  seen = [];
  cameras = new Cameras((track) => seen.push(track));
});

test("without any avatar that was sent, what comes last is seen", () => {
  cameras.add(picture("bot 1"), BOT);
  cameras.remove(picture("bot 1"));
  cameras.add(picture("bot 2"), BOT);
  cameras.add(picture("heygen"), { identity: "heygen" });
  assert.deepEqual(seen, ["bot 1", "bot 2", "heygen"]);
});

test("the bot's picture stands in for an avatar's, until it is taken away", () => {
  cameras.know("bot");
  cameras.add(picture("face 1"), face("avatar-1"));
  cameras.add(picture("stand-in"), BOT);
  cameras.remove(picture("face 1"));
  cameras.add(picture("face 2"), face("avatar-2"));
  cameras.remove(picture("stand-in"));
  assert.deepEqual(seen, ["face 1", "stand-in", "face 2"]);
});

test("an avatar that follows another is seen when that one goes", () => {
  cameras.add(picture("face 1"), face("avatar-1"));
  cameras.add(picture("face 2"), face("avatar-2"));
  cameras.remove(picture("face 1"));
  assert.deepEqual(seen, ["face 1", "face 2"]);
});

test("a user's camera is not taken for the avatar, whoever comes first", () => {
  cameras.add(picture("ann"), ANN);
  cameras.add(picture("face"), face("avatar-1"));
  cameras.add(picture("ann again"), ANN);
  assert.deepEqual(seen, ["ann", "face"]);
});

test("an avatar that a former bot has left behind is not this one's", () => {
  const left = { identity: "avatar-0", attributes: { "lk.publish_on_behalf": "another bot" } };
  cameras.know("bot");
  cameras.add(picture("left behind"), left);
  cameras.add(picture("face"), face("avatar-1"));
  assert.deepEqual(seen, ["left behind", "face"]);
});

test("whose sign of life comes late is the bot from then on", () => {
  cameras.add(picture("stand-in"), BOT);
  cameras.add(picture("face"), face("avatar-1"));
  cameras.know("bot");
  assert.deepEqual(seen, ["stand-in", "face", "stand-in"]);
});
