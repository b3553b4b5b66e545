// What is remembered on this origin between visits, and by a tab when its page is loaded anew.
// Without storage, nothing is.

const PREFIX = "avatar-call.";
const LEFT = "left";
const VISIT = "visit ";

/**
 * The remembered text, or null.
 * @param {string} name
 */
export function recall(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/**
 * Remembers a text; an empty one is forgotten.
 * @param {string} name
 * @param {string | null} value
 */
export function remember(name, value) {
  try {
    if (value) localStorage.setItem(PREFIX + name, value);
    else localStorage.removeItem(PREFIX + name);
  } catch {
    // Storage may be closed to this page; a choice then lasts as long as the page.
  }
}

/**
 * Keeps how to come back to a conversation, in this tab alone.
 * @param {Left} left
 */
export function keepLeft(left) {
  try {
    sessionStorage.setItem(PREFIX + LEFT, JSON.stringify(left));
  } catch {
    // Without storage there is no way back.
  }
}

/**
 * How to come back to the conversation at `server` that this tab has let go of, once; null where
 * there is none, or none any more.
 * @param {string} server
 * @returns {Left | null}
 */
export function takeLeft(server, nowMs = Date.now()) {
  try {
    /** @type {Left | null} */
    const left = JSON.parse(sessionStorage.getItem(PREFIX + LEFT) ?? "null");
    if (left?.server !== server) return null;
    sessionStorage.removeItem(PREFIX + LEFT);
    const lasts = nowMs - left.atMs < (left.session.returnS ?? 0) * 1000;
    return lasts ? left : null;
  } catch {
    return null;
  }
}

/**
 * Keeps what lets this tab in at `server`, for as long as the tab is there.
 * @param {string} server
 * @param {string} token
 */
export function keepVisit(server, token) {
  try {
    sessionStorage.setItem(PREFIX + VISIT + server, token);
  } catch {
    // Without storage the page cannot be loaded anew.
  }
}

/**
 * What lets this tab in at `server`, or "".
 * @param {string} server
 */
export function recallVisit(server) {
  try {
    return sessionStorage.getItem(PREFIX + VISIT + server) ?? "";
  } catch {
    return "";
  }
}
