// What is remembered on this origin between visits. Without storage, nothing is.

const PREFIX = "avatar-call.";

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
