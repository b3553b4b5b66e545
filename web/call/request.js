// Requests to a server, and the one error that can be shown to the user.

/**
 * An error for the user: `message` is a key of texts.js or a sentence of the server's.
 * `kind` names what went wrong: "microphone", "network", "server", "origin", "full", "room", "call".
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

/**
 * What an error ends a conversation with; one that is not for the user is a fault of the page's.
 * @param {unknown} error
 * @returns {Ending}
 */
export function endingOf(error) {
  if (!(error instanceof CallError)) return { failed: true, reason: "elementBroken", kind: "page" };
  const { message: reason, kind, values } = error;
  return { failed: true, reason, kind, values };
}

/**
 * The JSON answer of `url`. Throws CallError with the server's own sentence when it refuses.
 * @param {URL} url
 * @param {{ method?: string, body?: object } & Signal} [wishes]
 */
export async function requestJson(url, { method = "GET", body, signal } = {}) {
  const response = await send(url, {
    method,
    signal,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw refusal(response, answer);
  return answer ?? {};
}

/**
 * Whether the server answers at all, whatever it says, within `limitMs`.
 * @param {URL} url
 * @param {number} limitMs
 */
export async function isReachable(url, limitMs) {
  const signal = AbortSignal.timeout(limitMs);
  return fetch(url, { mode: "no-cors", cache: "no-store", signal }).then(
    () => true,
    () => false,
  );
}

/**
 * @param {URL} url
 * @param {RequestInit} options
 */
async function send(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    const { name } = /** @type {Error} */ (error);
    if (name === "AbortError") throw error;
    if (name === "TimeoutError") throw new CallError("tooSlow", "server");
    if (!navigator.onLine) throw new CallError("offline", "network");
    throw new CallError("unreachable", "server");
  }
}

/** @type {Record<number, string>} */
const KINDS = { 403: "origin", 409: "full", 429: "full", 503: "full" };

/**
 * @param {Response} response
 * @param {any} answer
 */
function refusal({ status }, answer) {
  const sentence = typeof answer?.detail === "string" ? answer.detail : "serverError";
  return new CallError(sentence, KINDS[status] ?? "server", { status, values: { status } });
}
