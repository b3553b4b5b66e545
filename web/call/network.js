// How the connection is, read from WebRTC's statistics.

// Beyond this, the sender's clocks are not told yet.
const SANE_OFFSET_MS = 5_000;

/**
 * Reads a series of RTCStats lists; each reading is { fps, offset_ms, loss, round_trip_ms }, with
 * null for what the statistics do not say:
 *   fps            pictures shown a second
 *   offset_ms      how much earlier than its picture a sound is heard; negative when later
 *   loss           share of packets lost since the reading before, 0 to 1
 *   round_trip_ms  to the server and back
 */
export class Network {
  #before = null;

  read(stats) {
    const streams = incoming(stats);
    const audio = streams.find(({ kind }) => kind === "audio");
    const video = streams.find(({ kind }) => kind === "video");
    const before = this.#before ?? {};
    this.#before = {
      lost: sum(streams, "packetsLost"),
      received: packets(streams),
      pictures: video?.framesDecoded,
      atMs: video?.timestamp,
    };
    return {
      fps: pace(before, this.#before),
      offset_ms: offset(audio, video),
      loss: loss(before, this.#before),
      round_trip_ms: roundTrip(stats),
    };
  }
}

/** What comes in, of a `kind` ("audio", "video") or of both, among RTCStats. */
export const incoming = (stats, kind) =>
  stats.filter((each) => each.type === "inbound-rtp" && (!kind || each.kind === kind));

/** How many packets of some incoming streams have come. */
export const packets = (streams) => sum(streams, "packetsReceived");

const sum = (streams, name) => streams.reduce((total, stream) => total + (stream[name] ?? 0), 0);

function pace(before, now) {
  const seconds = (now.atMs - before.atMs) / 1000;
  return seconds > 0 ? Math.max(0, now.pictures - before.pictures) / seconds : null;
}

function loss(before, now) {
  const lost = now.lost - before.lost;
  const all = lost + now.received - before.received;
  return all > 0 ? Math.max(0, lost) / all : null;
}

// Both are times of the sender's one clock: what is heard and what is seen at this moment.
function offset(audio, video) {
  const heard = audio?.estimatedPlayoutTimestamp;
  const seen = video?.estimatedPlayoutTimestamp;
  return Math.abs(heard - seen) < SANE_OFFSET_MS ? heard - seen : null;
}

function roundTrip(stats) {
  const transport = stats.find(({ selectedCandidatePairId: id }) => id);
  const pair = stats.find(
    ({ id, type, nominated, state }) =>
      type === "candidate-pair" &&
      (transport ? id === transport.selectedCandidatePairId : nominated && state === "succeeded"),
  );
  return pair?.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000;
}
