// The room of a FULL session, whose agent speaks LiveAvatar's own language.

import { Dialect, TOPIC } from "./dialect.js";
import { join as joinRoom } from "./livekit.js";

/**
 * Joins the room of `session`.
 * @param {Room} session
 * @param {Omit<Means, "server">} means
 * @returns {Promise<Call>}
 */
export async function join(session, means) {
  const { listener } = means;
  /** @type {Call | undefined} */
  let room;
  const dialect = new Dialect(
    (message) => listener.message(message),
    (command) => room?.send(command, TOPIC),
  );
  const message = (/** @type {unknown} */ event) => dialect.read(event);
  const call = await joinRoom(session, { ...means, listener: { ...listener, message } });
  room = call;
  return {
    send: (message) => dialect.send(message),
    mute: (muted) => call.mute(muted),
    replaceMicrophone: (stream) => call.replaceMicrophone(stream),
    stats: () => call.stats(),
    close: () => call.close(),
  };
}
