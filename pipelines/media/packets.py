"""The packets of a microphone, heard as they come instead of a while later.

aiortc holds the sound it receives back until four packets of it are there, 80 ms, so that it can be
played evenly. Ears play nothing. Worse, a packet that is lost makes it wait for fifteen more, and
after that it stays 280 ms behind for the rest of the call (aiortc/jitterbuffer.py:52).
"""

import itertools
from collections.abc import Iterator

from aiortc import codecs, rtcrtpreceiver
from aiortc.codecs.base import Decoder
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket
from aiortc.utils import uint16_add, uint16_gt
from av.frame import Frame

# A packet that is missing may have been overtaken by so many; then it is lost.
OVERTAKEN = 3
# A stream that is so many packets further on, or back, has begun anew.
ANOTHER_STREAM = 100


class Together(JitterFrame):
    """Packets that can be heard now: the first as a frame of aiortc, and those after it.

    Attributes:
        rest: each as its data and how much later it is than the first, in ticks of its clock.
    """

    def __init__(self, packets: list[RtpPacket]) -> None:
        first, *others = packets
        super().__init__(_data(first), first.timestamp)
        self.rest = [(_data(p), (p.timestamp - first.timestamp) % 2**32) for p in others]

    def __iter__(self) -> Iterator[JitterFrame]:
        yield self
        for data, later in self.rest:
            yield JitterFrame(data, self.timestamp + later)


class AtOnce(JitterBuffer):
    """A buffer of sound that keeps nothing back but what has overtaken something else."""

    def __init__(self) -> None:
        super().__init__(capacity=16)
        self._due: int | None = None
        self._early: dict[int, RtpPacket] = {}

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet; what can be heard now. The first is for pictures only."""
        number = packet.sequence_number
        if self._due is None or self._distance(number) > ANOTHER_STREAM:
            self._due = number
            self._early.clear()
        elif uint16_gt(self._due, number):
            return False, None
        self._early[number] = packet
        if len(self._early) > OVERTAKEN:
            self._due = min(self._early, key=self._distance)
        ready = list(self._ready(self._due))
        return False, Together(ready) if ready else None

    def _distance(self, number: int) -> int:
        later = uint16_add(number, -(self._due or 0))
        return min(later, 2**16 - later)

    def _ready(self, first: int) -> Iterator[RtpPacket]:
        for step in itertools.count():
            self._due = uint16_add(first, step)
            if self._due not in self._early:
                return
            yield self._early.pop(self._due)


class EachOfThem(Decoder):
    """A decoder that decodes what comes together."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def decode(self, encoded_frame: JitterFrame) -> list[Frame]:
        """The sound, or the pictures, of all of it."""
        parts = encoded_frame if isinstance(encoded_frame, Together) else [encoded_frame]
        return [frame for part in parts for frame in self._decoder.decode(part)]


def _data(packet: RtpPacket) -> bytes:
    """The content, which aiortc's receiver leaves with the packet."""
    return packet._data  # type: ignore[attr-defined]


def _buffer(capacity: int, prefetch: int = 0, is_video: bool = False) -> JitterBuffer:
    return JitterBuffer(capacity, prefetch, is_video) if is_video else AtOnce()


def _decoder(codec: RTCRtpCodecParameters) -> Decoder:
    return EachOfThem(codecs.get_decoder(codec))


def install() -> None:
    """Let aiortc's connections of this process hear so."""
    rtcrtpreceiver.JitterBuffer = _buffer  # pyright: ignore
    rtcrtpreceiver.get_decoder = _decoder  # pyright: ignore
