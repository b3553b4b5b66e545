// The sheet that shows how fast it is: the last turns, and the connection.

import { drawWaterfall, inSeconds, meaning, stepText } from "./waterfall.js";

const STEPS = ["ears", "mind", "voice", "face"];
/** @type {Record<string, (reading: Reading) => string | undefined>} */
const GAUGES = {
  fps: ({ fps }) => fps?.toFixed(0),
  offset: ({ offset_ms }) => offset_ms?.toFixed(0),
  loss: ({ loss }) => (loss === null ? undefined : (loss * 100).toFixed(1)),
  roundTrip: ({ round_trip_ms }) => round_trip_ms?.toFixed(0),
};
/** @type {Record<string, string>} */
const UNITS = {
  offset: "milliseconds",
  loss: "percent",
  roundTrip: "milliseconds",
  spend: "dollars",
};
const UNKNOWN = "–";

/** `at(id)` finds an element of the sheet, `text` gives the words. */
export class Speed {
  #at;
  #text;
  /** @type {Reading} */
  #reading = { fps: null, offset_ms: null, loss: null, round_trip_ms: null };
  /** @type {number | null} */
  #dollars = null;

  /**
   * @param {At} at
   * @param {Texts} text
   */
  constructor(at, text) {
    this.#at = at;
    this.#text = text;
    this.#showGauges();
  }

  /** @param {Turn[]} turns */
  showTurns(turns) {
    const chart = this.#at("waterfall");
    const last = turns.at(-1);
    this.#at("no-turns").hidden = Boolean(last);
    this.#at("steps").hidden = !last;
    chart.toggleAttribute("hidden", !last);
    if (!last) return;
    drawWaterfall(chart, turns, this.#text);
    chart.setAttribute("aria-label", this.#meaning(turns));
    this.#showSteps(last);
  }

  /** @param {Reading} reading */
  showNetwork(reading) {
    this.#reading = reading;
    this.#showGauges();
  }

  /**
   * What the conversation has cost so far, for those that cost something.
   * @param {number | null} dollars
   */
  showSpend(dollars) {
    this.#dollars = dollars;
    this.#showGauges();
  }

  #showGauges() {
    const gauges = Object.entries(GAUGES).map(([name, read]) =>
      this.#gauge(name, read(this.#reading)),
    );
    if (this.#dollars !== null) gauges.push(this.#gauge("spend", this.#dollars.toFixed(3)));
    this.#at("gauges").replaceChildren(...gauges);
  }

  /** @param {Turn[]} turns */
  #meaning(turns) {
    const said = turns.slice(-6).map((turn) => meaning(turn, this.#text));
    return [this.#text("turnsChart"), ...said].join(". ");
  }

  // The legend carries the times of the last turn, and how often the mind began early.
  /** @param {Turn} turn */
  #showSteps({ steps, ahead }) {
    const rows = STEPS.map((name) => {
      const at_s = steps.find((step) => step.name === name)?.at_s;
      const known = at_s !== undefined;
      return this.#step(name, known ? this.#text("seconds", { value: inSeconds(at_s) }) : UNKNOWN);
    });
    if (ahead) rows.push(this.#step("ahead", `${ahead.calls} (${ahead.for_nothing})`));
    this.#at("steps").replaceChildren(...rows);
  }

  /**
   * @param {string} name
   * @param {string} time
   */
  #step(name, time) {
    const row = document.createElement("li");
    const colour = document.createElement("i");
    const words = document.createElement("span");
    const value = document.createElement("b");
    colour.className = `step ${name}`;
    words.textContent = this.#text(stepText(name));
    value.textContent = time;
    row.append(colour, words, value);
    return row;
  }

  /**
   * @param {string} name
   * @param {string} [value]
   */
  #gauge(name, value) {
    const gauge = document.createElement("div");
    const term = document.createElement("dt");
    const meaning = document.createElement("dd");
    const unit = UNITS[name];
    gauge.dataset.gauge = name;
    term.textContent = this.#text(name);
    meaning.textContent = value && unit ? this.#text(unit, { value }) : (value ?? UNKNOWN);
    gauge.append(term, meaning);
    return gauge;
  }
}
