// The one error that can be shown to the user.

/**
 * An error for the user: `message` is a key of texts.js or a sentence of the server's.
 * `kind` names what went wrong: "microphone", "network", "server", "origin", "full", "room", "call",
 * "access".
 */
export class CallError extends Error {
  /**
   * @param {string} text
   * @param {string} [kind]
   * @param {{ cause?: unknown, status?: number, values?: Values }} [more]
   */
  constructor(text, kind = "call", { cause, status, values } = {}) {
    super(text, { cause });
    this.kind = kind;
    this.status = status;
    this.values = values;
  }
}
