import assert from "node:assert/strict";
import { test } from "node:test";
import { carried, incoming, Network, packets } from "../../../web/call/network.js";

const AUDIO = { type: "inbound-rtp", kind: "audio", id: "a", timestamp: 0 };
const VIDEO = { type: "inbound-rtp", kind: "video", id: "v", timestamp: 0 };

/** @type {(...stats: object[]) => Stat[]} */
const stats = (...given) => /** @type {Stat[]} */ (given);

test("nothing is known of a connection that says nothing", () => {
  const nothing = { fps: null, offset_ms: null, loss: null, round_trip_ms: null };
  const network = new Network();
  assert.deepEqual(network.read([]), nothing);
  assert.deepEqual(network.read(stats(AUDIO, VIDEO)), nothing);
});

test("pictures a second are counted from one reading to the next", () => {
  const network = new Network();
  const first = network.read(stats({ ...VIDEO, timestamp: 1_000, framesDecoded: 100 }));
  assert.equal(first.fps, null);
  const next = network.read(stats({ ...VIDEO, timestamp: 3_000, framesDecoded: 150 }));
  assert.equal(next.fps, 25);
  const anew = network.read(stats({ ...VIDEO, timestamp: 4_000, framesDecoded: 10 }));
  assert.equal(anew.fps, 0, "a connection that was taken up again counts anew");
});

test("the loss is the share of packets since the reading before", () => {
  const network = new Network();
  network.read(stats({ ...AUDIO, packetsLost: 1, packetsReceived: 99 }));
  const { loss } = network.read(
    stats(
      { ...AUDIO, packetsLost: 2, packetsReceived: 149 },
      { ...VIDEO, packetsLost: 0, packetsReceived: 49 },
    ),
  );
  assert.equal(loss, 0.01);
  assert.equal(network.read(stats({ ...AUDIO, packetsLost: 2, packetsReceived: 198 })).loss, null);
});

test("what is heard and what is seen at a moment are compared", () => {
  /** @type {(heard: number, seen: number) => number | null} */
  const offset = (heard, seen) =>
    new Network().read(
      stats(
        { ...AUDIO, estimatedPlayoutTimestamp: heard },
        { ...VIDEO, estimatedPlayoutTimestamp: seen },
      ),
    ).offset_ms;
  assert.equal(offset(10_040, 10_000), 40);
  assert.equal(offset(10_000, 10_040), -40);
  assert.equal(offset(3_000_000, 10_000), null, "the sender's clocks are not told yet");
});

test("the round trip is that of the path in use", () => {
  const pair = { type: "candidate-pair", nominated: true, state: "succeeded" };
  const paths = [
    { ...pair, id: "1", currentRoundTripTime: 0.2 },
    { ...pair, id: "2", currentRoundTripTime: 0.05 },
  ];
  const transport = { type: "transport", id: "t", selectedCandidatePairId: "2" };
  assert.equal(new Network().read(stats(...paths, transport)).round_trip_ms, 50);
  assert.equal(new Network().read(stats(...paths)).round_trip_ms, 200);
});

test("what comes in is told apart from what goes out", () => {
  const all = stats(AUDIO, { ...AUDIO, type: "outbound-rtp" }, { ...VIDEO, packetsReceived: 7 });
  assert.equal(incoming(all).length, 2);
  assert.deepEqual(incoming(all, "audio"), [AUDIO]);
  assert.equal(packets(incoming(all)), 7);
});

test("what a connection carries is counted, be it only its own asking back", () => {
  const pair = { type: "candidate-pair", id: "p", timestamp: 0 };
  assert.equal(carried([]), 0);
  assert.equal(carried(stats(pair, AUDIO)), 0);
  const counts = { bytesReceived: 100, requestsReceived: 20, responsesReceived: 3 };
  assert.equal(carried(stats({ ...pair, ...counts }, VIDEO)), 123);
});
