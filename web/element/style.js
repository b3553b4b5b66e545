// How the element looks. The custom properties that a page may set are listed in README.md.

const SHEET = `
:host {
  --_accent: var(--avatar-accent, light-dark(#1f5a61, #86c8c6));
  --_on-accent: var(--avatar-on-accent, light-dark(#ffffff, #0b2123));
  --_paper: var(--avatar-paper, light-dark(#f7f5f1, #14181b));
  --_card: var(--avatar-card, light-dark(#fffefc, #1d2327));
  --_ink: var(--avatar-ink, light-dark(#1c2427, #eef1ef));
  --_soft: var(--avatar-soft, light-dark(#566168, #a9b4b6));
  --_line: var(--avatar-line, light-dark(#dfd9cf, #343d42));
  --_edge: var(--avatar-edge, light-dark(#838b8d, #77848a));
  --_warn: var(--avatar-warn, light-dark(#9a2f22, #ff9c8c));
  --_radius: var(--avatar-radius, 20px);
  --_stage-high: light-dark(#e9e4da, #263236);
  --_stage-low: light-dark(#c7d6d3, #1a2428);
  --_bust: light-dark(#8fa9a7, #40565b);
  --_ears: light-dark(#5b7f95, #7fa9c4);
  --_mind: light-dark(#22575d, #86c8c6);
  --_voice: light-dark(#b9752c, #e8b06a);
  --_face: light-dark(#8a5a83, #cf9fc7);
  display: block;
  container: avatar-call / size;
  box-sizing: border-box;
  block-size: 40rem;
  min-block-size: 20rem;
  color-scheme: light dark;
  -webkit-text-size-adjust: 100%;
}
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([hidden]) { display: none; }

*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.call {
  position: relative;
  display: grid;
  grid-template: minmax(0, 46cqh) minmax(0, 1fr) / minmax(0, 1fr);
  block-size: 100%;
  overflow: hidden;
  border-radius: inherit;
  background: var(--_paper);
  color: var(--_ink);
  font: var(--avatar-font, 400 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  text-align: start;
}
:host([data-state="idle"]) .call { grid-template-rows: minmax(0, 36cqh) minmax(0, 1fr); }
:host(:is([data-state="over"], [data-state="failed"])) .call { grid-template-rows: minmax(0, 26cqh) minmax(0, 1fr); }
.call[data-sheet] { grid-template-rows: minmax(0, 26cqh) minmax(0, 1fr) !important; }

/* The stage */

.stage {
  position: relative;
  overflow: hidden;
  min-block-size: 0;
  border: solid var(--_paper);
  border-width: 0 0 4px;
  transition: border-color 300ms;
  background: radial-gradient(circle at 50% 35%, var(--_stage-high), var(--_stage-low));
}
.silhouette, .portrait, #face, .frame { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; }
.halo { fill: var(--_stage-high); opacity: 0.55; }
.bust { fill: var(--_bust); }
.portrait, #face { object-fit: var(--avatar-fit, cover); object-position: 50% 30%; }
.portrait { transition: filter 400ms, opacity 400ms; }
:host(:is([data-state="over"], [data-state="failed"], [data-state="reconnecting"])) :is(.portrait, #face) { filter: saturate(0.6) brightness(0.88); }
#face { opacity: 0; transition: opacity 400ms; }
[data-face="on"] #face { opacity: 1; }
[data-face="on"] :is(.silhouette, .portrait) { visibility: hidden; transition: visibility 0s 400ms; }
.frame { background: var(--_card); }

/* The state's colour lies beside the picture, not over it: blending it in would cost at each frame. */
:host([data-state="speaking"]) .stage { border-color: var(--_accent); }
:host([data-state="listening"]) .stage { border-color: color-mix(in oklab, var(--_accent) 40%, var(--_paper)); }

.plate {
  position: absolute;
  inset-inline-start: 0.75rem;
  display: inline-flex;
  align-items: center;
  gap: 0.5rem;
  max-inline-size: calc(100% - 1.5rem);
  min-block-size: 1.75rem;
  margin: 0;
  padding: 0.15rem 0.75rem;
  border-radius: 99px;
  background: rgb(14 22 24 / 78%);
  color: #fff;
  font-size: 0.875rem;
  line-height: 1.35;
  forced-color-adjust: none;
}
.badge { inset-block-start: 0.75rem; padding-inline-end: 0.3rem; }
.badge strong { padding: 0 0.5rem; border-radius: 99px; background: #fff; color: #14282b; font-size: 0.75rem; line-height: 1.25rem; }
.status { inset-block-end: 0.75rem; outline: none; font-weight: 550; }
:host([data-state="idle"]) .status, .frame:not([hidden]) ~ .status { opacity: 0; }
:host([data-state="failed"]) .status { background: #7c2318; }

.sign { display: inline-flex; align-items: center; justify-content: center; gap: 3px; inline-size: 1.1rem; block-size: 1.1rem; color: #9fe0dc; }
.sign i { inline-size: 4px; block-size: 4px; border-radius: 2px; background: currentcolor; }
:host(:is([data-state="idle"], [data-state="over"], [data-state="failed"])) .sign { display: none; }
:host([data-state="listening"]) .sign i { display: none; }
:host([data-state="listening"]) .sign i:first-child { display: block; inline-size: 0.7rem; block-size: 0.7rem; border-radius: 50%; box-shadow: 0 0 0 3px rgb(159 224 220 / 35%); }
:host([data-state="speaking"]) .sign i { block-size: 0.6rem; }
:host([data-state="speaking"]) .sign i:nth-child(2) { block-size: 1.05rem; }
:host(:is([data-state="microphone"], [data-state="connecting"], [data-state="thinking"], [data-state="reconnecting"])) .sign i { animation: blink 1.2s steps(2, jump-none) infinite; }
.sign i:nth-child(2) { animation-delay: 0.4s !important; }
.sign i:nth-child(3) { animation-delay: 0.8s !important; }
@keyframes blink { from { opacity: 1; } to { opacity: 0.25; } }

/* The panel */

.panel {
  position: relative;
  display: flex;
  flex-direction: column;
  gap: 0.75rem;
  min-block-size: 0;
  inline-size: 100%;
  max-inline-size: 44rem;
  margin-inline: auto;
  padding: 0.875rem 1rem max(1rem, env(safe-area-inset-bottom));
}
.soft { margin: 0; color: var(--_soft); }

.welcome { flex: 1; min-block-size: 0; display: flex; flex-direction: column; gap: 0.75rem; }
.scroll { flex: 1; min-block-size: 0; overflow-y: auto; overscroll-behavior: contain; display: flex; flex-direction: column; gap: 1rem; padding: 2px; margin: -2px; }
.title { margin: 0.25rem 0 0; font-size: clamp(1.5rem, 6cqi, 2.25rem); font-weight: 650; line-height: 1.15; letter-spacing: -0.02em; text-wrap: balance; }
.notes { margin: 0; padding: 0; list-style: none; display: grid; gap: 0.5rem; color: var(--_soft); font-size: 0.9375rem; line-height: 1.45; }
.notes li { display: grid; grid-template-columns: 1.25rem 1fr; gap: 0.65rem; text-wrap: pretty; overflow-wrap: anywhere; }
.notes .icon { inline-size: 1.25rem; block-size: 1.25rem; margin-block-start: 0.05rem; color: var(--_accent); }
.actions { display: flex; flex-direction: column; gap: 0.25rem; }
.pair { display: flex; flex-wrap: wrap; justify-content: center; gap: 0 0.5rem; }

.pickers { display: flex; flex-wrap: wrap; gap: 0.75rem 1.5rem; }
.pickers:not(:has(> :not([hidden]))) { display: none; }
.picker { margin: 0; padding: 0; border: 0; min-inline-size: 0; }
.picker legend { padding: 0; margin-block-end: 0.2rem; font-size: 0.875rem; font-weight: 600; }
.choices { display: flex; flex-wrap: wrap; gap: 0.625rem; padding-inline-start: 3px; }
.choice { position: relative; display: grid; justify-items: center; gap: 0.25rem; min-inline-size: 3.5rem; font-size: 0.8125rem; line-height: 1.25; text-align: center; cursor: pointer; }
.choice input { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; margin: 0; opacity: 0; cursor: pointer; }
.choice .picture { display: grid; place-items: center; inline-size: 3.25rem; block-size: 3.25rem; margin-block-start: 5px; border-radius: 50%; overflow: hidden; background: var(--_stage-low); color: var(--_ink); font-size: 1.5rem; font-weight: 600; box-shadow: 0 0 0 1px var(--_line); transition: box-shadow 150ms; }
.choice img { inline-size: 100%; block-size: 100%; object-fit: cover; object-position: 50% 20%; scale: 1.35; transform-origin: 50% 30%; }
.choice input:checked + .picture { box-shadow: 0 0 0 2px var(--_paper), 0 0 0 5px var(--_accent); }
.choice input:checked ~ .caption { font-weight: 650; }
.choice input:focus-visible + .picture { outline: 3px solid var(--_accent); outline-offset: 7px; }
#faces .picture { border-radius: 14px; }
.choice .caption { white-space: nowrap; }

.lineup { color: var(--_soft); font-size: 0.875rem; }
.lineup summary { display: flex; align-items: center; min-block-size: 1.75rem; cursor: pointer; border-radius: 6px; }
.lineup summary::before { content: ""; inline-size: 0.4rem; block-size: 0.4rem; margin-inline: 0.2rem 0.6rem; border: solid currentcolor; border-width: 0 2px 2px 0; transform: rotate(-45deg); }
.lineup[open] summary::before { transform: rotate(45deg); }
.lineup dl { display: grid; grid-template-columns: auto 1fr; gap: 0.15rem 0.9rem; margin: 0.3rem 0 0; }
.lineup dt { font-weight: 600; }
.lineup dd { margin: 0; overflow-wrap: anywhere; }

.captions {
  flex: 1;
  min-block-size: 0;
  margin: 0;
  padding: 2px;
  overflow-y: auto;
  overscroll-behavior: contain;
  list-style: none;
  display: flex;
  flex-direction: column;
  gap: 0.75rem;
  border-radius: 12px;
}
.captions li { max-inline-size: 90%; overflow-wrap: anywhere; }
.captions li:first-child { margin-block-start: auto; }
:host(:is([data-state="over"], [data-state="failed"])) .captions li:first-child { margin-block-start: 0; }
.captions [data-role="user"] { align-self: flex-end; padding: 0.5rem 0.9rem; border-radius: 18px 18px 5px 18px; background: var(--_card); box-shadow: inset 0 0 0 1px var(--_line); }
.captions [data-role="avatar"] { align-self: flex-start; font-size: 1.125rem; line-height: 1.45; }
.speaker { display: block; color: var(--_soft); font-size: 0.8125rem; line-height: 1.4; }
.interim { color: var(--_soft); font-style: italic; }
.coming { display: none; color: var(--_soft); }
.captions[data-ahead] .coming { display: inline; }
.captions:not([data-ahead]) .unsaid { display: none; }
.cut { display: inline-block; padding-inline: 0.45rem; border-radius: 99px; background: var(--_card); box-shadow: inset 0 0 0 1px var(--_line); color: var(--_soft); font-size: 0.75rem; line-height: 1.35rem; vertical-align: 0.1em; }
.cut::before { content: "–  "; }
:host([captions="off"]) .captions, :host(:is([data-state="over"], [data-state="failed"])) .captions:empty { display: none; }

.notice { display: flex; flex-wrap: wrap; align-items: center; gap: 0 0.75rem; padding: 0.35rem 0.5rem 0.35rem 1rem; border-radius: 14px; background: var(--_card); box-shadow: inset 0 0 0 1px var(--_line), inset 4px 0 0 var(--_accent); font-size: 0.9375rem; }
.notice:not(.shown) { padding: 0; box-shadow: none; min-block-size: 0; margin-block-start: -0.75rem; }
.notice span { flex: 1 1 12rem; padding-block: 0.35rem; text-wrap: pretty; overflow-wrap: anywhere; }
.notice:not(.shown) span { padding: 0; }

/* Before the captions, and alone when there are none */
.ending { display: flex; flex-direction: column; gap: 0.875rem; }
.reason { margin: 0; font-size: 1.1875rem; font-weight: 600; line-height: 1.35; text-wrap: pretty; overflow-wrap: anywhere; }
:host([data-state="failed"]) .reason { color: var(--_warn); }
.figures { display: grid; grid-template-columns: repeat(3, 1fr); gap: 0.5rem; margin: 0; }
.figures div { padding: 0.6rem 0.75rem; border-radius: 14px; background: var(--_card); box-shadow: inset 0 0 0 1px var(--_line); }
.figures div { display: flex; flex-direction: column; justify-content: space-between; }
.figures dt { color: var(--_soft); font-size: 0.8125rem; line-height: 1.25; overflow-wrap: break-word; hyphens: auto; }
.figures dd { margin: 0.2rem 0 0; font-size: 1.375rem; font-weight: 600; line-height: 1.2; font-variant-numeric: tabular-nums; }
#afterwards { margin-block-start: auto; }

/* Controls */

button, input, select { font: inherit; color: inherit; margin: 0; }
button { cursor: pointer; border: 0; border-radius: 14px; min-block-size: 2.75rem; padding: 0.4rem 1rem; background: none; touch-action: manipulation; }
button:disabled { cursor: default; opacity: 0.45; }
:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
.captions:focus-visible { outline-offset: -2px; }
.sheet:focus { outline: none; }
.icon { flex: none; inline-size: 1.375rem; block-size: 1.375rem; fill: none; stroke: currentcolor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
.slash { display: none; }

.primary, .hold { background: var(--_accent); color: var(--_on-accent); font-weight: 650; font-size: 1.0625rem; min-block-size: 3.25rem; border-radius: 16px; }
.primary:hover:enabled { background: color-mix(in oklab, var(--_accent) 88%, var(--_ink)); }
#go-on-typing:not([hidden]) + .primary { background: none; color: var(--_accent); font-weight: 550; min-block-size: 2.75rem; }
.quiet { color: var(--_accent); font-weight: 550; padding-inline: 0.6rem; }
.pair .quiet { font-size: 0.9375rem; }
.quiet:hover:enabled { text-decoration: underline; text-underline-offset: 3px; }

.controls { display: flex; flex-direction: column; gap: 0.625rem; }
.composer { position: relative; display: flex; }
.composer input {
  flex: 1;
  min-inline-size: 0;
  min-block-size: 3rem;
  padding: 0.5rem 3.5rem 0.5rem 1.1rem;
  border: 1px solid var(--_edge);
  border-radius: 99px;
  background: var(--_card);
}
.composer input::placeholder { color: var(--_soft); opacity: 1; }
.send { position: absolute; inset-block: 0.25rem; inset-inline-end: 0.25rem; display: grid; place-items: center; inline-size: 2.5rem; min-block-size: 0; padding: 0; border-radius: 50%; background: var(--_accent); color: var(--_on-accent); }

.tools { display: flex; gap: 0.5rem; }
.tool { position: relative; display: inline-flex; align-items: center; justify-content: center; gap: 0.5rem; overflow: hidden; flex: none; inline-size: 3rem; min-block-size: 3rem; padding: 0; border-radius: 16px; background: var(--_card); box-shadow: inset 0 0 0 1px var(--_line); font-weight: 550; }
.tool:hover:enabled { box-shadow: inset 0 0 0 1px var(--_edge); }
.tool[aria-expanded="true"] { background: var(--_ink); color: var(--_paper); }
.wide { flex: 1; min-inline-size: 3rem; inline-size: auto; padding-inline: 0.5rem; }
.end { background: light-dark(#b3362a, #8f2b21); color: #fff; box-shadow: none; margin-inline-start: auto; }
.end:hover:enabled { background: light-dark(#97291e, #a6372b); box-shadow: none; }
#mute[data-muted="true"] { background: var(--_ink); color: var(--_paper); }
#mute[data-muted="true"] .slash { display: inline; }
.level { position: absolute; inset: auto 0 0; block-size: 4px; background: currentcolor; transform: scaleX(0); transform-origin: 0 50%; opacity: 0.75; }
.tool .level { background: var(--_accent); opacity: 1; }
.hold { position: relative; overflow: hidden; display: flex; align-items: center; justify-content: center; gap: 0.6rem; min-block-size: 3.75rem; user-select: none; -webkit-user-select: none; touch-action: none; }
.hold[aria-pressed="true"] { background: var(--_ink); color: var(--_paper); }

/* Sheets take the captions' place */

.sheet { flex: 1; min-block-size: 0; overflow-y: auto; overscroll-behavior: contain; display: flex; flex-direction: column; gap: 0.75rem; padding: 2px; }
.sheet header { display: flex; align-items: center; justify-content: space-between; }
.sheet h2 { margin: 0; font-size: 1.0625rem; }
.sheet header .tool { inline-size: 2.75rem; min-block-size: 2.75rem; background: none; box-shadow: none; }
.sheet label { display: grid; gap: 0.3rem; font-size: 0.875rem; font-weight: 600; }
.sheet select { min-block-size: 2.75rem; inline-size: 100%; padding: 0.4rem 0.75rem; border: 1px solid var(--_edge); border-radius: 12px; background: var(--_card); font-weight: 400; font-size: 1rem; text-overflow: ellipsis; }
.call[data-sheet] .captions, .call[data-sheet] .ending { display: none; }

.waterfall { flex: none; inline-size: 100%; max-inline-size: 30rem; font-size: 13px; font-variant-numeric: tabular-nums; }
.waterfall text { fill: var(--_ink); }
.waterfall .tick { fill: var(--_soft); font-size: 11.5px; text-anchor: middle; }
.waterfall .number { fill: var(--_soft); }
.waterfall .total { font-weight: 600; }
.grid { stroke: var(--_line); }
.step.ears { fill: var(--_ears); background: var(--_ears); }
.step.mind { fill: var(--_mind); background: var(--_mind); }
.step.voice { fill: var(--_voice); background: var(--_voice); }
.step.face { fill: var(--_face); background: var(--_face); }
.steps { margin: 0; padding: 0; list-style: none; display: grid; gap: 0.2rem; font-size: 0.875rem; max-inline-size: 30rem; }
.steps li { display: grid; grid-template-columns: 0.85rem 1fr auto; align-items: center; gap: 0.6rem; }
.steps i { block-size: 0.85rem; border-radius: 3px; forced-color-adjust: none; }
.steps b { font-variant-numeric: tabular-nums; }
.gauges { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0.5rem; margin: 0; }
.gauges div { padding: 0.5rem 0.75rem; border-radius: 14px; background: var(--_card); box-shadow: inset 0 0 0 1px var(--_line); }
.gauges dt { color: var(--_soft); font-size: 0.8125rem; line-height: 1.3; }
.gauges dd { margin: 0; font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; }

/* Narrow: the words on the tools go, their names stay */
@container avatar-call (max-width: 24rem) {
  .tool .words { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
  .panel { padding-inline: 0.875rem; }
}

/* Wide: the face left, the conversation right */
@container avatar-call (min-width: 46rem) {
  .call, :host .call[data-sheet], :host([data-state]) .call {
    grid-template: minmax(0, 1fr) / minmax(0, 1fr) clamp(19rem, 34cqi, 26rem) !important;
    gap: clamp(1rem, 2cqi, 1.75rem);
    padding: clamp(0.75rem, 2cqi, 1.5rem);
  }
  .stage { border-width: 3px; border-radius: var(--_radius); }
  .panel { padding: 0; justify-content: flex-end; }
  .welcome { justify-content: center; gap: 1.5rem; }
  .scroll { flex: 0 1 auto; }
  .title { font-size: clamp(1.75rem, 3.2cqi, 2.5rem); }
  .ending { margin-block-start: auto; }
  .ending:has(+ .captions:not(:empty)) { margin-block-start: 0; }
  #afterwards { margin-block-end: auto; margin-block-start: 0; }
  .captions:not(:empty) ~ #afterwards { margin-block-end: 0; }
}

/* A small phone: what is to be known before the start shall be seen without scrolling */
@container avatar-call (max-height: 44rem) and (max-width: 46rem) {
  :host([data-state="idle"]) .call { grid-template-rows: minmax(0, 25cqh) minmax(0, 1fr); }
  .panel { padding-block: 0.5rem 0.5rem; }
  .scroll { gap: 0.65rem; }
  .title { margin: 0; font-size: 1.375rem; }
  .notes { gap: 0.3rem; font-size: 0.875rem; line-height: 1.4; }
}

/* Short and narrow, such as a phone with its keyboard open: the face makes room */
@container avatar-call (max-height: 28rem) and (max-width: 46rem) {
  .call { grid-template-rows: minmax(0, 24cqh) minmax(0, 1fr) !important; }
  .panel { gap: 0.5rem; padding-block: 0.5rem; }
}

@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
}
@media (forced-colors: active) {
  .tool, .primary, .hold, .send, .figures div, .gauges div, .notice.shown, .captions [data-role="user"] { border: 1px solid; }
  .choice input:checked + .picture { outline: 3px solid Highlight; }
}
`;

// Browsers that cannot tell light from dark by themselves keep to the system's choice.
const PAIR = /light-dark\((.*?), (.*?)\)/g;
const knows = CSS.supports("color", "light-dark(red, red)");
const { matches: dark } = matchMedia("(prefers-color-scheme: dark)");

const sheet = new CSSStyleSheet();
sheet.replaceSync(knows ? SHEET : SHEET.replace(PAIR, dark ? "$2" : "$1"));

/** The one stylesheet that all elements share. */
export const style = sheet;
