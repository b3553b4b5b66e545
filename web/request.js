// Requests to the server, and the one error whose message is a sentence for the user.

const UNREACHABLE = "The server cannot be reached. Check that it is still running.";
const TOO_SLOW = "The server took too long to answer. Try again in a moment.";

/** An error whose message can be shown to the user as it is. `kind` names what went wrong. */
export class CallError extends Error {
  constructor(sentence, kind = "call", options) {
    super(sentence, options);
    this.kind = kind;
  }
}

/** The JSON answer of `path`. Throws CallError with the server's own sentence when it refuses. */
export async function requestJson(path, { method = "GET", body, signal } = {}) {
  const response = await send(path, {
    method,
    signal,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new CallError(refusal(response, answer));
  return answer ?? {};
}

async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new CallError(error.name === "TimeoutError" ? TOO_SLOW : UNREACHABLE);
  }
}

function refusal(response, answer) {
  if (typeof answer?.detail === "string") return answer.detail;
  return `The server answered with an error (${response.status}).`;
}
