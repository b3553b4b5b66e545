"""Sound on its way out over WebRTC, in a time of its own."""

import asyncio
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest
from av import Packet

from pipelines.media.opus import PackingOpus
from pipelines.media.sound import PATIENCE_S, PIECES, VoiceTrack
from tests.pipelines.turns.clock import room_loop

RATE = 24_000
PIECE = RATE // 100
pytestmark = pytest.mark.usefixtures("room_time")


def pieces(first: int, count: int) -> bytes:
    """So many pieces of 10 ms; all samples of a piece are its number."""
    return np.repeat(np.arange(first, first + count, dtype=np.int16), PIECE).tobytes()


@dataclass
class Sender:
    """Takes what a track has to send, as aiortc does."""

    track: VoiceTrack
    sent: list[tuple[float, int]] = field(default_factory=list)
    packets: list[Packet] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            packet = await self.track.recv()
            self.packets.append(packet)
            assert packet.pts == len(self.sent) * PIECE
            assert packet.time_base == Fraction(1, RATE)
            assert packet.size == PIECES * PIECE * 2
            numbers = np.frombuffer(bytes(packet), np.int16)[::PIECE]
            self.sent += [(room_loop().time(), int(number)) for number in numbers]

    @property
    def numbers(self) -> list[int]:
        return [number for _, number in self.sent]


@pytest.fixture
async def sender():
    """A track, and somebody who sends what it gives."""
    sender = Sender(VoiceTrack(RATE))
    sending = asyncio.create_task(sender.run())
    await room_loop().settle()
    yield sender
    sending.cancel()


async def pass_by(seconds: float) -> None:
    """Let time pass, 10 ms at a time."""
    for _ in range(round(seconds * 100)):
        await held_up(0.01)


async def held_up(seconds: float) -> None:
    """Let an event loop do nothing for so long, and then all that was to be done."""
    room_loop().now_s += seconds + 1e-6
    await room_loop().settle()


async def test_a_packet_leaves_with_the_last_of_its_sound(sender):
    """And not with the next one, as the resampler of aiortc would have it."""
    await pass_by(0.2)
    assert len(sender.packets) >= 9
    encoder = PackingOpus()
    packed = [encoder.pack(packet) for packet in sender.packets]
    assert [len(payloads) for payloads, _ in packed] == [1] * len(packed)
    assert [at for _, at in packed] == [960 * number for number in range(len(packed))]


async def test_what_is_given_is_sent_at_its_pace_and_silence_around_it(sender):
    await pass_by(0.1)
    sent = sender.track.add_audio_bytes(pieces(1, 4))
    await pass_by(0.02)
    assert not sent.done()
    await pass_by(0.01)  # a packet was due in its middle, which takes what is there for both halves
    assert sent.done()
    await pass_by(0.31)
    before, after = sender.numbers.index(1), sender.numbers.index(4) + 1
    assert sender.numbers[before:after] == [1, 2, 3, 4]
    assert not any(sender.numbers[:before] + sender.numbers[after:])
    assert len(sender.sent) == pytest.approx(44, abs=1)


async def test_a_voice_that_goes_on_after_the_loop_was_held_up_has_no_silence_in_it(sender):
    sender.track.add_audio_bytes(pieces(1, 4))
    await pass_by(0.02)
    await held_up(0.2)
    for first in range(5, 41, 4):
        await asyncio.sleep(0)
        sender.track.add_audio_bytes(pieces(first, 4))
    await pass_by(0.3)
    spoken = [number for number in sender.numbers if number]
    at = sender.numbers.index(1)
    assert sender.numbers[at : at + 40] == spoken == list(range(1, 41))
    # The last one of all begins a packet, which waits for more.
    late_s = sender.sent[at + 38][0] - sender.sent[at][0] - 0.38
    assert late_s == pytest.approx(0, abs=0.02), "what was late is made up for"


async def test_nobody_waits_for_long_for_a_voice_that_is_over(sender):
    sender.track.add_audio_bytes(pieces(1, 4))
    await pass_by(0.04 + PATIENCE_S + 0.05)
    assert len(sender.sent) == pytest.approx(19, abs=1)
    assert not any(sender.numbers[-10:])
