// How the connection is, read from WebRTC's statistics.

// Beyond this, the sender's clocks are not told yet.
const SANE_OFFSET_MS = 5_000;

/** @typedef {{ lost: number, received: number, pictures: number, atMs: number }} Counted */

/**
 * Reads a series of RTCStats lists; each reading is { fps, offset_ms, loss, round_trip_ms }, with
 * null for what the statistics do not say:
 *   fps            pictures shown a second
 *   offset_ms      how much earlier than its picture a sound is heard; negative when later
 *   loss           share of packets lost since the reading before, 0 to 1
 *   round_trip_ms  to the server and back
 */
export class Network {
  /** @type {Partial<Counted>} */
  #before = {};

  /**
   * @param {Stat[]} stats
   * @returns {Reading}
   */
  read(stats) {
    const streams = incoming(stats);
    const audio = streams.find(({ kind }) => kind === "audio");
    const video = streams.find(({ kind }) => kind === "video");
    const before = this.#before;
    const now = {
      lost: sum(streams, "packetsLost"),
      received: packets(streams),
      pictures: video?.framesDecoded,
      atMs: video?.timestamp,
    };
    this.#before = now;
    return {
      fps: pace(before, now),
      offset_ms: offset(audio, video),
      loss: loss(before, now),
      round_trip_ms: roundTrip(stats),
    };
  }
}

/**
 * What comes in, of a `kind` ("audio", "video") or of both, among RTCStats.
 * @param {Stat[]} stats
 * @param {string} [kind]
 */
export const incoming = (stats, kind) =>
  stats.filter((each) => each.type === "inbound-rtp" && (!kind || each.kind === kind));

/**
 * How many packets of some incoming streams have come.
 * @param {Stat[]} streams
 */
export const packets = (streams) => sum(streams, "packetsReceived");

/**
 * A number that changes when a connection carries anything, be it only the other side's answer to
 * whether it is still there.
 * @param {Stat[]} stats
 */
export function carried(stats) {
  const pairs = stats.filter(({ type }) => type === "candidate-pair");
  const asked = sum(pairs, "requestsReceived") + sum(pairs, "responsesReceived");
  return sum(pairs, "bytesReceived") + asked;
}

/**
 * @param {Stat[]} streams
 * @param {"packetsLost" | "packetsReceived" | "bytesReceived" | "requestsReceived" | "responsesReceived"} name
 */
const sum = (streams, name) => streams.reduce((total, stream) => total + (stream[name] ?? 0), 0);

/**
 * @param {Partial<Counted>} before
 * @param {Partial<Counted>} now
 */
function pace(before, now) {
  const seconds = since(before.atMs, now.atMs) / 1000;
  const pictures = since(before.pictures, now.pictures);
  return seconds > 0 && !Number.isNaN(pictures) ? Math.max(0, pictures) / seconds : null;
}

/**
 * @param {Partial<Counted>} before
 * @param {Partial<Counted>} now
 */
function loss(before, now) {
  const lost = since(before.lost, now.lost);
  const all = lost + since(before.received, now.received);
  return all > 0 ? Math.max(0, lost) / all : null;
}

/** @type {(before?: number, now?: number) => number} */
const since = (before = NaN, now = NaN) => now - before;

/**
 * Both are times of the sender's one clock: what is heard and what is seen at this moment.
 * @param {Stat} [audio]
 * @param {Stat} [video]
 */
function offset(audio, video) {
  const ahead = since(video?.estimatedPlayoutTimestamp, audio?.estimatedPlayoutTimestamp);
  return Math.abs(ahead) < SANE_OFFSET_MS ? ahead : null;
}

/** @param {Stat[]} stats */
function roundTrip(stats) {
  const transport = stats.find(({ selectedCandidatePairId: id }) => id);
  const pair = stats.find(
    ({ id, type, nominated, state }) =>
      type === "candidate-pair" &&
      (transport ? id === transport.selectedCandidatePairId : nominated && state === "succeeded"),
  );
  return pair?.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000;
}
