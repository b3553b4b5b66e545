// Messages that travel as text, beside packets of other programs.

/**
 * The value in a packet of JSON, or null.
 * @param {string} text
 */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
