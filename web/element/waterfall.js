// The last turns as bars from the end of the user's speech to the avatar's face, drawn in SVG.

const NS = "http://www.w3.org/2000/svg";
const WIDTH = 320;
const LEFT = 22;
const RIGHT = 48;
const ROW = 30;
const BAR = 16;
const AXIS = 24;
const TURNS = 6;
const LEAST_S = 1;
const TICKS = 4;

/** @typedef {(at_s: number) => number} Scale */

/**
 * Draws `turns`, see turns.js, into an <svg>; `text` gives the words.
 * @param {SVGSVGElement} svg
 * @param {Turn[]} turns
 * @param {Texts} text
 */
export function drawWaterfall(svg, turns, text) {
  const shown = turns.slice(-TURNS);
  const longest_s = Math.max(LEAST_S, ...shown.map(({ steps }) => steps.at(-1)?.at_s ?? 0));
  const tick_s = niceTick(longest_s / TICKS);
  const end_s = Math.ceil(longest_s / tick_s) * tick_s;
  /** @type {Scale} */
  const x = (at_s) => LEFT + (at_s / end_s) * (WIDTH - LEFT - RIGHT);
  const height = shown.length * ROW + AXIS;
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
  svg.replaceChildren(
    ...grid(x, tick_s, end_s, height),
    ...shown.flatMap((turn, row) => bars(turn, row * ROW, x, text)),
  );
}

/**
 * The name of a step in texts.js.
 * @param {string} name
 */
export const stepText = (name) => (name === "face" ? "faceStep" : name);

/**
 * Seconds as people read them.
 * @param {number} at_s
 */
export const inSeconds = (at_s) => at_s.toFixed(2);

/**
 * @param {Scale} x
 * @param {number} tick_s
 * @param {number} end_s
 * @param {number} height
 */
function grid(x, tick_s, end_s, height) {
  const count = Math.round(end_s / tick_s);
  const ticks = Array.from({ length: count + 1 }, (_, place) => place * tick_s);
  return ticks.flatMap((at_s) => [
    make("line", { class: "grid", x1: x(at_s), x2: x(at_s), y1: 0, y2: height - AXIS + 4 }),
    label("tick", x(at_s), height - 6, `${Number(at_s.toFixed(2))}`),
  ]);
}

/**
 * @param {Turn} turn
 * @param {number} top
 * @param {Scale} x
 * @param {Texts} text
 */
function bars({ turn, steps }, top, x, text) {
  const row = make("g", { class: "turn" });
  const title = make("title");
  title.textContent = meaning({ turn, steps }, text);
  row.append(title, label("number", 0, top + ROW / 2 + 4, `${turn}`));
  let from_s = 0;
  for (const { name, at_s } of steps) {
    const left = x(from_s);
    const width = Math.max(1.5, x(Math.max(at_s, from_s)) - left - 1);
    const y = top + (ROW - BAR) / 2;
    row.append(make("rect", { class: `step ${name}`, x: left, y, width, height: BAR, rx: 3 }));
    from_s = Math.max(at_s, from_s);
  }
  row.append(label("total", x(from_s) + 6, top + ROW / 2 + 4, inSeconds(from_s)));
  return [row];
}

/**
 * One turn in words.
 * @param {Pick<Turn, "turn" | "steps">} turn
 * @param {Texts} text
 */
export function meaning({ turn, steps }, text) {
  const said = steps.map(
    ({ name, at_s }) => `${text(stepText(name))} ${text("seconds", { value: inSeconds(at_s) })}`,
  );
  return text("turnMeaning", { number: turn, steps: said.join(", ") });
}

/** @param {number} tick_s */
function niceTick(tick_s) {
  const power = 10 ** Math.floor(Math.log10(tick_s));
  return [1, 2, 2.5, 5].map((step) => step * power).find((step) => step >= tick_s) ?? 10 * power;
}

/**
 * @param {string} name
 * @param {number} x
 * @param {number} y
 * @param {string} words
 */
function label(name, x, y, words) {
  const element = make("text", { class: name, x, y });
  element.textContent = words;
  return element;
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} [attributes]
 */
function make(name, attributes = {}) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
  return element;
}
