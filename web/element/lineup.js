// What a server says of itself: its parts, personas, faces, and what it keeps.

import { CallError, requestJson } from "../call/request.js";

const NOT_FOUND = 404;
const UNAVAILABLE = 503;
const AGAIN_MS = 500;

/**
 * A line-up in which everything is present, also for servers that say less or nothing.
 * @param {string} server
 * @param {AbortSignal} signal
 */
export async function loadLineup(server, signal) {
  let said = {};
  try {
    said = await requestJson(new URL("api/lineup", server), { signal });
  } catch (error) {
    // A Pipecat bot of somebody else has no line-up to show.
    if (!(error instanceof CallError) || error.status !== NOT_FOUND) throw error;
  }
  return completed(said, server);
}

/**
 * Resolves once a conversation can begin at a server that is getting ready. Throws CallError with
 * the server's own sentence when it never will be.
 * @param {string} server
 * @param {AbortSignal} signal
 */
export async function untilReady(server, signal) {
  for (;;) {
    try {
      return await requestJson(new URL("status", server), { signal });
    } catch (error) {
      if (!(error instanceof CallError) || error.status !== UNAVAILABLE) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/**
 * The line-up of a room that somebody else runs.
 * @param {string} server
 */
export const roomLineup = (server) => completed({ transport: "livekit" }, server);

/**
 * @param {any} said
 * @param {string} server
 * @returns {Lineup}
 */
function completed(said, server) {
  // Paths begin at the server, which may be a folder of another one.
  /** @param {string | null} [path] */
  const at = (path) => (path ? new URL(path.replace(/^\//, ""), server).href : null);
  /** @type {Choice[]} */
  const faces = said.faces ?? [];
  return {
    transport: said.transport ?? "webrtc",
    parts: said.parts ?? [],
    persona: said.persona ?? { id: null, name: null },
    personas: withCurrent(said),
    faces: faces.map((face) => ({ ...face, picture: at(face.picture) })),
    poster: at(said.poster),
    kept: said.kept ?? null,
    starting: said.starting === true,
  };
}

/**
 * A persona from a file of the server's own stands in no list and is the first choice.
 * @param {{ persona?: Lineup["persona"], personas?: Persona[] }} said
 */
function withCurrent({ persona, personas = [] }) {
  if (!persona?.name || personas.length === 0) return personas;
  if (personas.some(({ id }) => id === persona.id)) return personas;
  return [{ id: null, name: persona.name, face: null }, ...personas];
}
