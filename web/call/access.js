// What lets this page in at a server: a token, a function that fetches one, or a link's secret, which
// is exchanged for a token once.

import { CallError } from "./error.js";

/** @type {Map<string, Entry>} */
const entries = new Map();

/**
 * @typedef {object} Entry
 * @property {Access} access
 * @property {Promise<string> | null} token
 */

/**
 * Says what lets this page in at `server`, a URL that ends in "/".
 * @param {string} server
 * @param {Access} access
 */
export function setAccess(server, access) {
  if (entries.get(server)?.access !== access) entries.set(server, { access, token: null });
}

/**
 * The token for `url`, "" for none. `renew` asks for another one than before, where there may be one. Throws CallError where it cannot be had.
 * @param {URL} url
 */
export async function tokenFor(url, { renew = false } = {}) {
  const entry = entryFor(url);
  if (!entry || (renew && typeof entry.access !== "function")) return "";
  if (renew) entry.token = null;
  entry.token ??= fetched(entry.access);
  try {
    return await entry.token;
  } catch (error) {
    entry.token = null;
    if (error instanceof CallError) throw error;
    throw new CallError("noAccess", "access", { cause: error });
  }
}

/** @param {Access} access */
async function fetched(access) {
  return (typeof access === "function" ? await access() : access) || "";
}

/** @param {URL} url */
function entryFor({ href }) {
  for (const [server, entry] of entries) if (href.startsWith(server)) return entry;
  return null;
}
