// The sandbox's sessions, and a look into the room of one. The key travels in a header and the
// token in the body of an answer; neither is ever part of an address.

const PERIOD_MS = 2_000;
const UNREACHABLE = "The sandbox cannot be reached. Check that it is still running.";
const NOBODY = "No session runs. Start one, and it appears here.";
const CHOOSE = "Choose a session to look into its room.";

const at = (id) => document.getElementById(id);
let key = new URLSearchParams(location.hash.slice(1)).get("key");
let watched = null;

/** The data of an answer. Throws an Error with the sandbox's own sentence when it refuses. */
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
  const sessions = (await ask("GET", "sessions")).filter(({ phase }) => phase === "active");
  at("door").hidden = true;
  const shown = [...at("sessions").children].map(({ dataset }) => dataset.id);
  const ids = sessions.map(({ id }) => id);
  if (shown.join() !== ids.join()) at("sessions").replaceChildren(...sessions.map(row));
  if (ids.includes(watched)) watch(watched);
  else leave();
  if (!watched) tell(ids.length ? CHOOSE : NOBODY);
}

function row({ id, mode }) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  item.dataset.id = id;
  button.type = "button";
  button.setAttribute("aria-pressed", "false");
  button.textContent = `${mode} session ${id}`;
  button.addEventListener("click", () => look(id).catch(({ message }) => tell(message)));
  item.append(button);
  return item;
}

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

function watch(id) {
  watched = id;
  for (const { dataset, firstChild } of at("sessions").children)
    firstChild.setAttribute("aria-pressed", String(dataset.id === id));
}

function tell(sentence) {
  if (at("notice").textContent !== sentence) at("notice").textContent = sentence;
}

async function follow() {
  try {
    await refresh();
  } catch ({ message }) {
    tell(message);
    if (message === UNREACHABLE) leave();
    else return void (at("door").hidden = false);
  }
  setTimeout(follow, PERIOD_MS);
}

at("door").addEventListener("submit", (event) => {
  event.preventDefault();
  key = at("key").value;
  follow();
});

history.replaceState(null, "", location.pathname);
if (key) follow();
