// Requests to a server, and the one error that can be shown to the user.

/**
 * An error for the user: `message` is a key of texts.js or a sentence of the server's.
 * `kind` names what went wrong: "microphone", "network", "server", "origin", "full", "room", "call".
 */
export class CallError extends Error {
  constructor(text, kind = "call", { cause, status, values } = {}) {
    super(text, { cause });
    this.kind = kind;
    this.status = status;
    this.values = values;
  }
}

/** The JSON answer of `url`. Throws CallError with the server's own sentence when it refuses. */
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

/** Whether the server answers at all, whatever it says, within `limitMs`. */
export async function isReachable(url, limitMs) {
  const signal = AbortSignal.timeout(limitMs);
  return fetch(url, { mode: "no-cors", cache: "no-store", signal }).then(
    () => true,
    () => false,
  );
}

async function send(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (error.name === "TimeoutError") throw new CallError("tooSlow", "server");
    if (!navigator.onLine) throw new CallError("offline", "network");
    throw new CallError("unreachable", "server");
  }
}

const KINDS = { 403: "origin", 409: "full", 429: "full", 503: "full" };

function refusal({ status }, answer) {
  const sentence = typeof answer?.detail === "string" ? answer.detail : "serverError";
  return new CallError(sentence, KINDS[status] ?? "server", { status, values: { status } });
}
