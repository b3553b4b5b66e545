// One interface over every way to meet the avatar.
//
// A call is { send(message), mute(muted), close() } and tells its listener:
//   track(mediaStreamTrack)   the avatar's audio or video has arrived
//   open()                    RTVI messages can travel from now on
//   message(object)           one message from the bot
//   trouble(sentence | null)  the connection is shaky, or steady again
//   ended({ failed, reason }) the call is over; nothing follows
// `close()` is quiet: it releases everything and tells nobody.

import { requestJson } from "./request.js";

const START_TIMEOUT_MS = 60_000;

const TRANSPORTS = {
  webrtc: () => import("./webrtc.js"),
  livekit: () => import("./livekit.js"),
  heygen: () => import("./livekit.js"),
  daily: () => import("./daily.js"),
};

/** Daily asks for the microphone on its own page. */
export const asksItself = (transport) => transport === "daily";

/** A LiveAvatar room carries picture and sound only: nothing typed, no captions. */
export const carriesText = (transport) => transport !== "heygen";

/**
 * Starts a session on the server and joins it.
 * `microphone` is a MediaStream or null, `frame` the element for a page of the transport's own.
 * Throws CallError, or AbortError once `signal` is aborted.
 */
export async function openCall(transport, { microphone, voice, variables, frame, listener, signal }) {
  const { join } = await TRANSPORTS[transport]();
  const session = await requestJson("/start", {
    method: "POST",
    body: {
      transport,
      ...(transport === "daily" && { createDailyRoom: true }),
      body: { variables },
    },
    signal: AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]),
  });
  signal.throwIfAborted();
  return join(session, { microphone, voice, frame, listener, signal });
}
