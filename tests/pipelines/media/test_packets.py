"""The microphone's packets through aiortc's buffer, as it is and as we have it."""

import asyncio
from fractions import Fraction

import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.codecs.opus import OpusEncoder
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket
from av import AudioFrame

from pipelines.media import packets
from pipelines.media.packets import AtOnce, Together

TICKS = 960  # of 20 ms at 48 kHz
FIRST = 1000


def packet(number: int, data: bytes = b"") -> RtpPacket:
    """The packet of a stream with this number, as aiortc's receiver leaves it."""
    made = RtpPacket(sequence_number=number % 2**16, timestamp=(number * TICKS) % 2**32)
    made._data = data or str(number).encode()  # type: ignore[attr-defined]
    return made


def heard(buffer: JitterBuffer, *numbers: int) -> list[list[int]]:
    """Which packets are heard when each of these has come."""
    return [_numbers(buffer.add(packet(number))[1]) for number in numbers]


def _numbers(frame: JitterFrame | None) -> list[int]:
    if frame is None:
        return []
    return [int(part.data) for part in (frame if isinstance(frame, Together) else [frame])]


def test_what_comes_is_heard_at_once():
    assert heard(AtOnce(), 1, 2, 3) == [[1], [2], [3]]


def test_what_was_overtaken_is_heard_in_its_place():
    assert heard(AtOnce(), 1, 3, 4, 2, 5) == [[1], [], [], [2, 3, 4], [5]]


def test_what_was_lost_is_waited_for_a_moment_only_and_leaves_nothing_behind():
    buffer = AtOnce()
    lost = heard(buffer, 1, *range(3, 3 + packets.OVERTAKEN + 1), 50, 51)
    assert lost[1:-2] == [[]] * packets.OVERTAKEN + [list(range(3, 3 + packets.OVERTAKEN + 1))]
    assert heard(buffer, 52, 53, 54, 55) == [[], [50, 51, 52, 53], [54], [55]]


def test_aiortc_holds_back_what_comes_and_after_a_loss_stays_behind_for_good():
    theirs = JitterBuffer(capacity=16, prefetch=4)
    assert heard(theirs, 1, 2, 3, 4, 5) == [[], [], [], [], [1]]
    assert heard(theirs, *range(7, 60))[-1] == [59 - 14]


def test_what_comes_too_late_is_not_heard_after_what_came_later():
    assert heard(AtOnce(), 1, 2, 3, 2, 4) == [[1], [2], [3], [], [4]]


def test_the_numbers_begin_anew_after_65535():
    assert heard(AtOnce(), 65534, 65535, 65536, 65538, 65537) == [
        [65534],
        [65535],
        [65536],
        [],
        [65537, 65538],
    ]


@pytest.mark.parametrize("first", [30_000, FIRST - 200])
def test_another_stream_is_heard_from_its_beginning(first):
    buffer = AtOnce()
    heard(buffer, FIRST, FIRST + 2)
    assert heard(buffer, first, first + 1) == [[first], [first + 1]]


def test_what_comes_together_is_decoded_together_each_at_its_time():
    encoder = OpusEncoder()
    sounds = []
    for number in range(3):
        tone = (np.sin(np.arange(TICKS) / 9) * 9000).astype(np.int16)
        sound = AudioFrame.from_ndarray(tone[None, :], layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = 48_000, number * TICKS, Fraction(1, 48_000)
        sounds += encoder.encode(sound)[0]
    codec = RTCRtpCodecParameters("audio/opus", clockRate=48_000, channels=2, payloadType=96)
    first, *others = [packet(number, data) for number, data in enumerate(sounds)]
    decoder = packets._decoder(codec)
    frames = decoder.decode(Together([first, *others]))
    assert [frame.pts for frame in frames] == [0, TICKS, 2 * TICKS]
    last = frames[2]
    assert isinstance(last, AudioFrame) and np.abs(last.to_ndarray()).max() > 1000


async def test_connections_hear_so():
    packets.install()
    async with asyncio.timeout(20):
        caller, called = RTCPeerConnection(), RTCPeerConnection()
        try:
            for kind in ("audio", "video"):
                caller.addTransceiver(kind)
            await caller.setLocalDescription(await caller.createOffer())
            offer = RTCSessionDescription(caller.localDescription.sdp, "offer")
            await called.setRemoteDescription(offer)
            kinds = {
                receiver.track.kind: type(vars(receiver)["_RTCRtpReceiver__jitter_buffer"])
                for receiver in called.getReceivers()
            }
            assert kinds == {"audio": AtOnce, "video": JitterBuffer}
        finally:
            await caller.close()
            await called.close()
