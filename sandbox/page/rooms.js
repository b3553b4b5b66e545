// The sandbox's sessions, and a look into the room of one. The key travels in a header and the
// token in the body of an answer; neither is ever part of an address.

const PERIOD_MS = 2_000;
const UNREACHABLE = "The sandbox cannot be reached. Check that it is still running.";
const NOBODY = "No session runs. Start one, and it appears here.";
const CHOOSE = "Choose a session to look into its room.";

/** @typedef {{ id: string, mode: string, phase: string }} Session */

const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const field = /** @type {HTMLInputElement} */ (at("key"));
let key = new URLSearchParams(location.hash.slice(1)).get("key") ?? "";
/** @type {string | null} */
let watched = null;
/** @type {Timer | undefined} */
let timer;

/**
 * The data of an answer. Throws an Error with the sandbox's own sentence when it refuses.
 * @param {string} method
 * @param {string} path
 */
async function ask(method, path) {
  let response;
  try {
    response = await fetch(path, { method, headers: { "X-API-KEY": key } });
  } catch {
    throw new Error(UNREACHABLE);
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer.data;
}

async function refresh() {
  /** @type {Session[]} */
  const all = await ask("GET", "sessions");
  const sessions = all.filter(({ phase }) => phase === "active");
  at("door").hidden = true;
  const shown = buttons().map(({ value }) => value);
  const ids = sessions.map(({ id }) => id);
  if (shown.join() !== ids.join()) at("sessions").replaceChildren(...sessions.map(row));
  if (watched && ids.includes(watched)) watch(watched);
  else leave();
  if (!watched) tell(ids.length ? CHOOSE : NOBODY);
}

/** The buttons of the sessions; each has its session's id as its value. */
function buttons() {
  return [...at("sessions").querySelectorAll("button")];
}

/** @param {Session} session */
function row({ id, mode }) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  item.dataset.id = id;
  button.type = "button";
  button.value = id;
  button.setAttribute("aria-pressed", "false");
  button.textContent = `${mode} session ${id}`;
  button.addEventListener("click", () => {
    look(id).catch(({ message }) => tell(message));
  });
  item.append(button);
  return item;
}

/** @param {string} id */
async function look(id) {
  const { url, token } = await ask("POST", `sessions/${encodeURIComponent(id)}/view`);
  const call = document.createElement("avatar-call");
  call.setAttribute("room-url", url);
  call.roomToken = token;
  at("room").replaceChildren(call);
  watch(id);
  tell(`Session ${id}`);
}

function leave() {
  watch(null);
  at("room").replaceChildren();
}

/** @param {string | null} id */
function watch(id) {
  watched = id;
  for (const button of buttons()) button.ariaPressed = String(button.value === id);
}

/** @param {string} sentence */
function tell(sentence) {
  if (at("notice").textContent !== sentence) at("notice").textContent = sentence;
}

async function follow() {
  try {
    await refresh();
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    tell(message);
    if (message !== UNREACHABLE) return at("door").toggleAttribute("hidden", false);
    leave();
  }
  // A key that was given meanwhile is followed already.
  clearTimeout(timer);
  timer = setTimeout(follow, PERIOD_MS);
}

at("door").addEventListener("submit", (event) => {
  event.preventDefault();
  key = field.value;
  void follow();
});

history.replaceState(null, "", location.pathname);
if (key) void follow();
