// The element's shadow tree. `data-text`, `data-label` and `data-hint` name rows of texts.js.

/** @param {string} path */
const icon = (path) =>
  `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${path}</svg>`;

const ICONS = {
  microphone: icon(
    '<path d="M12 3.5A2.5 2.5 0 0 0 9.5 6v5.5a2.5 2.5 0 0 0 5 0V6A2.5 2.5 0 0 0 12 3.5z"/><path d="M6 11.5a6 6 0 0 0 12 0M12 17.5V21"/><path class="slash" d="M4.5 4.5l15 16"/>',
  ),
  hand: icon(
    '<path d="M8 12V5.5a1.5 1.5 0 0 1 3 0V11M11 10.5v-6a1.5 1.5 0 0 1 3 0v6M14 10.5V6a1.5 1.5 0 0 1 3 0v8.5a6 6 0 0 1-6 6c-2.6 0-3.9-1.3-5-3.2l-2.1-3.8c-.8-1.5 1-2.7 2.1-1.5l2 2"/>',
  ),
  sliders: icon(
    '<path d="M4 7.5h8M17.5 7.5H20M4 16.5h2.5M12 16.5h8"/><circle cx="14.7" cy="7.5" r="2.5"/><circle cx="9.3" cy="16.5" r="2.5"/>',
  ),
  gauge: icon('<path d="M4 18.5a8.5 8.5 0 1 1 16 0M12 15l4-5"/>'),
  end: icon(
    '<path d="M4.5 14.5c-.8-.9-.9-3 .3-4.1 4-3.7 10.4-3.7 14.4 0 1.2 1.1 1.1 3.2.3 4.1-.5.5-1.4.4-2 .1l-2-1c-.6-.3-.9-.8-.9-1.4v-1.1c-1.7-.5-3.5-.5-5.2 0v1.1c0 .6-.3 1.1-.9 1.4l-2 1c-.6.3-1.5.4-2-.1z"/>',
  ),
  send: icon('<path d="M12 19V5.5M6 11.5l6-6 6 6"/>'),
  close: icon('<path d="M6.5 6.5l11 11M17.5 6.5l-11 11"/>'),
  person: icon('<circle cx="12" cy="8.5" r="3.5"/><path d="M5 20c.6-4 3.3-6 7-6s6.4 2 7 6"/>'),
  paper: icon('<path d="M7 3.5h7l4 4v13H7zM10 12h5M10 16h5"/>'),
};

const STAGE = `
  <section class="stage" id="stage" part="stage" data-face="off" data-label="stage">
    <svg class="silhouette" viewBox="0 0 320 180" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <circle class="halo" cx="160" cy="92" r="74"/><circle class="halo" cx="160" cy="92" r="56"/>
      <circle class="bust" cx="160" cy="78" r="24"/>
      <path class="bust" d="M112 180c0-40 20-66 48-66s48 26 48 66z"/>
    </svg>
    <img class="portrait" id="portrait" part="poster" alt="" hidden>
    <video id="face" part="video" playsinline muted data-label="face"></video>
    <audio id="voice"></audio>
    <div class="frame" id="frame" hidden></div>
    <p class="plate badge" id="badge" part="badge">
      <span id="name"></span><span class="hidden"> – </span><strong aria-hidden="true" data-text="badge"></strong>
      <span class="hidden" data-text="badgeMeaning"></span>
    </p>
    <div class="plate status" id="status" part="state" role="status" tabindex="-1">
      <span class="sign" aria-hidden="true"><i></i><i></i><i></i></span><span id="state-words"></span>
    </div>
  </section>`;

const WELCOME = `
  <div class="welcome" id="welcome" part="welcome">
    <div class="scroll">
      <h2 class="title" id="title" part="title"></h2>
      <ul class="notes">
        <li>${ICONS.person}<span id="is-ai"></span></li>
        <li id="why">${ICONS.microphone}<span data-text="whyMicrophone"></span></li>
        <li>${ICONS.paper}<span id="kept"></span></li>
      </ul>
      <div class="pickers" id="pickers">
        <fieldset class="picker" id="personas" part="picker" hidden>
          <legend data-text="personas"></legend><div class="choices"></div>
        </fieldset>
        <fieldset class="picker" id="faces" part="picker" hidden>
          <legend data-text="faces"></legend><div class="choices"></div>
        </fieldset>
      </div>
      <details class="lineup" id="lineup" hidden>
        <summary data-text="howItWorks"></summary><dl id="parts"></dl>
      </details>
    </div>
    <div class="actions">
      <button class="primary" id="start" part="button start" type="button" data-text="start" disabled></button>
      <button class="quiet" id="start-typing" part="button start-typing" type="button" data-text="startTyping" disabled></button>
    </div>
  </div>`;

const SHEETS = `
  <section class="sheet" id="speed-sheet" part="sheet speed" tabindex="-1" data-label="speed" hidden>
    <header><h2 data-text="speed"></h2>
      <button class="tool" id="speed-close" type="button" data-label="close">${ICONS.close}</button></header>
    <p class="soft" id="no-turns" data-text="noTurns"></p>
    <svg class="waterfall" id="waterfall" part="waterfall" role="img" hidden></svg>
    <ul class="steps" id="steps" hidden></ul>
    <dl class="gauges" id="gauges"></dl>
  </section>
  <section class="sheet" id="devices-sheet" part="sheet devices" tabindex="-1" data-label="devices" hidden>
    <header><h2 data-text="devices"></h2>
      <button class="tool" id="devices-close" type="button" data-label="close">${ICONS.close}</button></header>
    <label id="microphones-label"><span data-text="chosenMicrophone"></span><select id="microphones"></select></label>
    <label id="speakers-label"><span data-text="chosenSpeaker"></span><select id="speakers"></select></label>
  </section>`;

const ENDING = `
  <div class="ending" id="ending" part="summary" hidden>
    <p class="reason" id="reason" role="alert" dir="auto"></p>
    <dl class="figures" id="figures" part="figures" hidden>
      <div><dt data-text="duration"></dt><dd id="duration"></dd></div>
      <div><dt data-text="turns"></dt><dd id="turns"></dd></div>
      <div><dt data-text="median"></dt><dd id="median"></dd></div>
    </dl>
  </div>`;

const AFTERWARDS = `
  <div class="actions" id="afterwards" hidden>
    <button class="primary" id="go-on-typing" part="button go-on-typing" type="button" data-text="goOnTyping" hidden></button>
    <button class="primary" id="again" part="button again" type="button" data-text="again"></button>
    <div class="pair" id="takeaway" hidden>
      <button class="quiet" id="copy" part="button copy" type="button" data-text="copy"></button>
      <button class="quiet" id="download" part="button download" type="button" data-text="download"></button>
    </div>
  </div>`;

const CONTROLS = `
  <div class="controls" id="controls" part="controls" hidden>
    <button class="hold" id="hold" part="button hold" type="button" aria-pressed="false" hidden>
      ${ICONS.microphone}<span id="hold-words" data-text="hold"></span><span class="level" aria-hidden="true"></span>
    </button>
    <form class="composer" id="composer" part="composer" autocomplete="off">
      <input id="text" part="text" type="text" dir="auto" maxlength="2500" enterkeyhint="send" data-label="message" data-hint="message">
      <button class="send" id="send" part="button send" type="submit" data-label="send">${ICONS.send}</button>
    </form>
    <div class="tools">
      <button class="tool wide" id="mute" part="button mute" type="button" data-muted="false">
        ${ICONS.microphone}<span class="words" id="mute-words" data-text="mute"></span><span class="level" aria-hidden="true"></span>
      </button>
      <button class="tool" id="interrupt" part="button interrupt" type="button" data-label="interrupt">${ICONS.hand}</button>
      <button class="tool" id="devices" part="button devices-open" type="button" data-label="devices" aria-expanded="false">${ICONS.sliders}</button>
      <button class="tool" id="speed" part="button speed-open" type="button" data-label="speedKey" aria-keyshortcuts="L" aria-expanded="false">${ICONS.gauge}</button>
      <button class="tool end" id="end" part="button end" type="button" data-label="end">${ICONS.end}</button>
    </div>
  </div>`;

const MARKUP = `
  <div class="call" id="call" part="call">
    ${STAGE}
    <section class="panel" part="panel" data-label="panel">
      ${WELCOME}
      ${ENDING}
      <ol class="captions" id="captions" part="captions" tabindex="0" data-label="captions" hidden></ol>
      ${SHEETS}
      <p class="soft" id="no-text" data-text="noText" hidden></p>
      <div class="notice" id="notice" part="notice" role="status">
        <span id="notice-words" dir="auto"></span>
        <button class="quiet" id="notice-action" part="button notice-action" type="button" hidden></button>
      </div>
      ${CONTROLS}
      ${AFTERWARDS}
    </section>
  </div>`;

const template = document.createElement("template");
template.innerHTML = MARKUP;

/** A fresh copy of the shadow tree. */
export const markup = () => document.importNode(template.content, true);

/**
 * Writes the words of one language into a tree.
 * @param {ShadowRoot} root
 * @param {Texts} text
 */
export function localize(root, text) {
  /** @type {NodeListOf<HTMLElement>} */
  const marked = root.querySelectorAll("[data-text], [data-label], [data-hint]");
  for (const element of marked) {
    const { text: words, label, hint } = element.dataset;
    if (words) element.textContent = text(words);
    if (label) element.setAttribute("aria-label", text(label));
    if (label && element.localName === "button") element.title = text(label);
    if (hint) element.setAttribute("placeholder", text(hint));
  }
}
