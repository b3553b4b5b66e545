// One interface over every way to meet the avatar.
//
// A call is { send(message), mute(muted), replaceMicrophone(stream), stats(), close() }, of which
// the last but one and the one before it may be missing, and tells its listener:
//   track(mediaStreamTrack)   the avatar's audio or video has arrived
//   open()                    RTVI messages can travel from now on
//   message(object)           one message from the bot
//   dropped(), restored()     the connection is lost and being taken up again; it is back
//   unheard(reason)           a page of the transport's own has no microphone; a key of texts.js
//   ended({ failed, reason, kind }) the call is over; nothing follows. `reason` is a key of texts.js
// `close()` is quiet: it releases everything and tells nobody.

import { browserName } from "./browser.js";
import { within } from "./promises.js";
import { CallError, requestJson } from "./request.js";

const START_TIMEOUT_MS = 60_000;

const TRANSPORTS = {
  webrtc: () => import("./webrtc.js"),
  livekit: () => import("./livekit.js"),
  heygen: () => import("./livekit.js"),
  full: () => import("./full.js"),
  daily: () => import("./daily.js"),
};

/**
 * Daily asks for the microphone on its own page.
 * @param {Transport} [transport]
 */
export const asksItself = (transport) => transport === "daily";

/**
 * A LiveAvatar room carries picture, sound and the bot's notices: nothing typed, no captions.
 * @param {Transport} [transport]
 */
export const carriesText = (transport) => transport !== "heygen";

/** Throws CallError where the browser has no WebRTC, be it because its user wants none. */
export function needWebRtc() {
  if (window.RTCPeerConnection) return;
  throw new CallError("noWebRtc", "page", { values: { browser: browserName() } });
}

/**
 * Starts a session on `server`, a URL that ends in "/". `body` is what the bot gets.
 * Throws CallError, or AbortError once `signal` is aborted.
 * @param {{ server: string, transport: Transport, body: object }} place
 * @param {AbortSignal} signal
 * @returns {Promise<Session>}
 */
export async function startSession({ server, transport, body }, signal) {
  return requestJson(new URL("start", server), {
    method: "POST",
    body: { transport, ...(transport === "daily" && { createDailyRoom: true }), body },
    signal: within(signal, START_TIMEOUT_MS),
  });
}

/**
 * Joins a session. `microphone` is a MediaStream or null, `frame` the element for a page of the
 * transport's own. Throws as startSession does.
 * @param {Session} session
 * @param {{ server: string, transport: Transport }} place
 * @param {Omit<Means, "server">} means
 * @returns {Promise<Call>}
 */
export async function joinSession(session, { server, transport }, means) {
  const { join } = await TRANSPORTS[transport]();
  means.signal.throwIfAborted();
  return join(session, { server, ...means });
}

/**
 * Joins a LiveKit room to watch and listen. Throws as openCall does.
 * @param {Room} room
 * @param {Omit<Means, "server">} means
 * @returns {Promise<Call>}
 */
export async function watchRoom(room, means) {
  const { join } = await TRANSPORTS.livekit();
  means.signal.throwIfAborted();
  return join(room, { ...means, microphone: null });
}
