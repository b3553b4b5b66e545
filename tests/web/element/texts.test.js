import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { chooseLanguage, textsIn } from "../../../web/element/texts.js";

const SOURCE = readFileSync(new URL("../../../web/element/texts.js", import.meta.url), "utf8");
const KEYS = [...SOURCE.matchAll(/^ {2}(\w+): \[/gm)].map(([, key]) => key);
const SLOTS = /\{(\w+)\}/g;

test("every text is there in every language, with the same slots", () => {
  assert.ok(KEYS.length > 100);
  const slots = (/** @type {string} */ text) => [...text.matchAll(SLOTS)].map(String).sort();
  for (const key of KEYS) {
    const [english, ...others] = ["en", "de", "es"].map((language) => textsIn(language)(key));
    for (const text of [english, ...others]) {
      assert.ok(text.trim(), key);
      assert.deepEqual(slots(text), slots(english), key);
    }
  }
});

test("each language has three columns and no more", () => {
  const rows = [...SOURCE.matchAll(/^ {2}(\w+): \[(.*?)\],$/gms)];
  assert.equal(rows.length, KEYS.length);
  for (const [, key, row] of rows) assert.equal(row.match(/"(?:[^"\\]|\\.)+"/g)?.length, 3, key);
});

test("slots are filled, and what is no key is a sentence already", () => {
  const text = textsIn("de");
  assert.equal(text("title", { name: "Theo" }), "Sprechen Sie mit Theo");
  assert.equal(text("title"), "Sprechen Sie mit {name}");
  assert.equal(text("The voice is out."), "The voice is out.");
  assert.equal(text("constructor"), "constructor");
});

test("the first of our languages that is wanted is chosen", () => {
  assert.equal(chooseLanguage(["", "fr-FR", "de-AT", "es"]), "de");
  assert.equal(chooseLanguage(["es-MX"]), "es");
  assert.equal(chooseLanguage(["fr"]), "en");
  assert.equal(chooseLanguage([]), "en");
});
