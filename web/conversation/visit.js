// A link for one visitor: its secret is exchanged once for a token, which the tab keeps.

import { CallError, requestJson } from "../call/request.js";
import { keepVisit, recallVisit } from "./memory.js";

/**
 * What lets a visitor in at `server`, who may have come by a `link`.
 * @param {string} server
 * @param {string} link
 * @returns {() => Promise<string>}
 */
export function visitAt(server, link) {
  return async () => {
    const kept = recallVisit(server);
    if (!link) return kept;
    try {
      const body = { link };
      const url = new URL("api/visit", server);
      const { token } = await requestJson(url, { method: "POST", body, open: true });
      keepVisit(server, token);
      return token;
    } catch (error) {
      // Who opens a used link again in the tab that has used it is let in.
      if (kept && error instanceof CallError && error.kind === "access") return kept;
      throw error;
    }
  };
}
