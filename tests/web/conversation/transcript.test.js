import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { asText, clock, Transcript, textOf } from "../../../web/conversation/transcript.js";
import { Clock } from "../clock.js";

const NAMES = { user: "You", avatar: "Theo" };

/** @type {Clock} */
let time;
/** @type {Entry[]} */
let changed;
/** @type {Entry[]} */
let dropped;
/** @type {Transcript} */
let transcript;

beforeEach(() => {
  time = new Clock();
  changed = [];
  dropped = [];
  transcript = new Transcript({
    onChange: (entry) => changed.push(entry),
    onDrop: (entry) => dropped.push(entry),
  });
});
afterEach(() => time.stop());

/** @type {(text: string, final?: boolean) => void} */
const hear = (text, final = true) => transcript.userSaid({ text, final });
/** @type {(segment: number, spoken: string, coming?: string, words?: boolean) => void} */
const speak = (segment, spoken, coming = "", words = false) =>
  transcript.avatarSaid({ segment, spoken, coming, words });
const said = () => transcript.entries.map((entry) => [entry.role, textOf(entry)]);

test("a guess is replaced by the next one, and a final text stays", () => {
  hear("Who", false);
  hear("Who are", false);
  const [entry] = changed;
  assert.deepEqual([entry.interim, textOf(entry)], ["Who are", ""]);
  hear("Who are you?");
  assert.deepEqual([entry.interim, textOf(entry)], ["", "Who are you?"]);
  hear("And why?");
  assert.deepEqual(said(), [["user", "Who are you? And why?"]]);
});

test("a guess that is never settled goes when the next turn starts", () => {
  hear("Hm", false);
  speak(1, "Yes?");
  assert.equal(dropped.length, 1);
  assert.deepEqual(said(), [["avatar", "Yes?"]]);
  hear("Wait.");
  hear("No, do", false);
  speak(2, "Go on.");
  assert.equal(dropped.length, 1, "what was settled stays");
  assert.deepEqual(said().at(1), ["user", "Wait."]);
});

test("what another page saw comes first, at its own time", () => {
  const before = { who: "avatar", text: "Hello.", at_s: 2, now_s: 60, interrupted: true };
  transcript.restore(before);
  transcript.restore({ who: "user", text: "Hi.", at_s: 5, now_s: 60 });
  time.pass(1_000);
  hear("Go on.");
  assert.deepEqual(said(), [
    ["avatar", "Hello."],
    ["user", "Hi."],
    ["user", "Go on."],
  ]);
  assert.equal(
    asText(transcript.entries, NAMES),
    "[0:02] Theo: Hello. –\n[0:05] You: Hi.\n[1:01] You: Go on.\n",
  );
  assert.equal(changed.length, 3);
});

test("silence is no turn", () => {
  hear(" ");
  hear("", false);
  assert.deepEqual(changed, []);
});

test("typed text is shown at once, and the bot's echo of it is not shown again", () => {
  transcript.userTyped("Hello", "m1");
  transcript.userSaid({ text: "Hello", final: true, id: "m1" });
  assert.deepEqual(said(), [["user", "Hello"]]);
  assert.equal(changed[0].typed, true);
  hear("How are you?");
  assert.equal(transcript.turns, 2, "what is spoken next is another turn");
});

test("words come as they are spoken, and turns alternate", () => {
  speak(1, "", "Hi you.");
  assert.deepEqual(transcript.entries, [], "nothing was said yet");
  speak(1, "Hi", "you.", true);
  speak(1, "Hi you.");
  speak(2, "How are you?");
  hear("Fine.");
  speak(3, "Good.");
  assert.deepEqual(said(), [
    ["avatar", "Hi you. How are you?"],
    ["user", "Fine."],
    ["avatar", "Good."],
  ]);
  assert.equal(transcript.turns, 1);
});

test("what was still to come of a sentence that is cut off will not be said", () => {
  speak(1, "One", "two three.", true);
  speak(2, "", "Four.");
  transcript.avatarCut();
  speak(1, "One two three.");
  assert.deepEqual(said(), [["avatar", "One"]]);
  assert.equal(transcript.entries[0].cut, true);
});

test("a voice without word times may have said all of the sentence it had begun, and no other", () => {
  speak(1, "", "One two.");
  speak(2, "", "Three.");
  transcript.avatarCut();
  assert.deepEqual(said(), [["avatar", "One two."]]);
});

test("a turn that is cut off before its first word leaves nothing", () => {
  speak(1, "One.", "", true);
  hear("Stop.");
  speak(2, "", "Two.");
  transcript.avatarCut();
  assert.equal(dropped.length, 1);
  assert.deepEqual(said(), [
    ["avatar", "One."],
    ["user", "Stop."],
  ]);
  transcript.avatarCut();
  assert.equal(transcript.entries[0].cut, undefined, "what was said to its end is not cut");
});

test("the whole of it is plain text, a turn a line", () => {
  speak(1, "Hi", "you.", true);
  transcript.avatarCut();
  time.pass(61_000);
  hear("Sorry.");
  assert.equal(asText(transcript.entries, NAMES), "[0:00] Theo: Hi –\n[1:01] You: Sorry.\n");
});

test("what is written from right to left is kept apart from its line", () => {
  hear("مرحبا، كيف حالك؟ (AI)");
  const names = { user: "דנה", avatar: "Theo" };
  const line = "[0:00] \u2068דנה\u2069: \u2068مرحبا، كيف حالك؟ (AI)\u2069\n";
  assert.equal(asText(transcript.entries, names), line);
});

test("times are minutes and seconds", () => {
  assert.deepEqual([0, 9.9, 60, 3_599].map(clock), ["0:00", "0:09", "1:00", "59:59"]);
});

test("a turn that is taken back goes with the answer to it, and comes again whole", () => {
  hear("I would like");
  speak(1, "Sure", "thing.", true);
  transcript.avatarCut();
  transcript.takenBack();
  hear("I would like to know.");
  assert.deepEqual(said(), [["user", "I would like to know."]]);
});

test("a word that is announced after it was spoken stays said", () => {
  hear("Really?");
  speak(1, "Yes.", "");
  speak(1, "", "Yes.");
  assert.deepEqual(said(), [
    ["user", "Really?"],
    ["avatar", "Yes."],
  ]);
});

test("what was typed is not taken back", () => {
  transcript.userTyped("Hello", "1");
  transcript.takenBack();
  assert.deepEqual(said(), [["user", "Hello"]]);
});
