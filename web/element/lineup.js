// What a server says of itself: its parts, personas, faces, and what it keeps.

import { requestJson } from "../call/request.js";

const NOT_FOUND = 404;

/** A line-up in which everything is present, also for servers that say less or nothing. */
export async function loadLineup(server, signal) {
  let said = {};
  try {
    said = await requestJson(new URL("api/lineup", server), { signal });
  } catch (error) {
    // A Pipecat bot of somebody else has no line-up to show.
    if (error.status !== NOT_FOUND) throw error;
  }
  return completed(said, server);
}

/** The line-up of a room that somebody else runs. */
export const roomLineup = (server) => completed({ transport: "livekit" }, server);

function completed(said, server) {
  const at = (path) => path && new URL(path, server).href;
  const faces = (said.faces ?? []).map((face) => ({ ...face, picture: at(face.picture) }));
  return {
    transport: said.transport ?? "webrtc",
    parts: said.parts ?? [],
    persona: said.persona ?? { id: null, name: null },
    personas: withCurrent(said),
    faces,
    poster: at(said.poster),
    size: said.size ?? [16, 9],
    kept: said.kept ?? null,
  };
}

// A persona from a file of the server's own stands in no list and is the first choice.
function withCurrent({ persona, personas = [] }) {
  if (!persona?.name || personas.length === 0) return personas;
  if (personas.some(({ id }) => id === persona.id)) return personas;
  return [{ id: null, name: persona.name, face: null }, ...personas];
}
