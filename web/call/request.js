// Requests to a server, with what lets this page in.

import { tokenFor } from "./access.js";
import { CallError } from "./error.js";

export { CallError };

const UNAUTHORIZED = 401;

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
 * The JSON answer of `url`. Throws CallError with the server's own sentence when it refuses. An
 * `open` one is asked without a token, and one to be kept alive is sent also when the page goes.
 * @param {URL} url
 * @param {{ method?: string, body?: object, open?: boolean, keepalive?: boolean } & Signal} [wishes]
 */
export async function requestJson(
  url,
  { method = "GET", body, open = false, keepalive = false, signal } = {},
) {
  /** @param {string} token */
  const sent = (token) =>
    send(url, {
      method,
      signal,
      keepalive,
      headers: {
        ...(body !== undefined && { "Content-Type": "application/json" }),
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  let response = await sent(open ? "" : await tokenFor(url));
  if (response.status === UNAUTHORIZED && !open) {
    const token = await tokenFor(url, { renew: true });
    if (token) response = await sent(token);
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw refusal(response, answer);
  return answer ?? {};
}

/**
 * Whether the server answers at all, whatever it says, within `limitMs`.
 * @param {URL | string} url
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
const KINDS = { 401: "access", 403: "origin", 409: "full", 429: "full", 503: "full" };

/**
 * @param {Response} response
 * @param {any} answer
 */
function refusal({ status }, answer) {
  const told = answer?.detail ?? answer?.message;
  const sentence = typeof told === "string" ? told : "serverError";
  return new CallError(sentence, KINDS[status] ?? "server", { status, values: { status } });
}
