"""Sound as it is sent: encoded where it is packed, in a fraction of what a thread's help costs.

For each 20 ms aiortc makes a trip to a thread, resamples to 48 kHz and encodes two channels that
are the same. Opus takes a voice's own rate, and 20 ms of one channel are encoded in a tenth of a
millisecond. Silence, which is most of a conversation, is the same packet over and over.
"""

from fractions import Fraction
from typing import cast

import av
import numpy as np
from aiortc import codecs
from aiortc.codecs import opus
from aiortc.codecs.base import Encoder
from aiortc.codecs.g711 import PcmaEncoder, PcmuEncoder
from aiortc.codecs.g722 import G722Encoder
from aiortc.codecs.opus import OpusDecoder, OpusEncoder
from av import AudioFrame, AudioResampler, Packet

# Of a second, the rates that Opus takes as they are (RFC 6716, 2.1.3).
RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
PIECE_MS = 20
# Bits a second of one channel: nothing can be heard to be missing of a voice.
BIT_RATE = 64_000
# At that rate nothing is gained by what Opus does for voices alone, at three times the cost.
OPTIONS = {"application": "audio"}
# So many packets of silence are encoded before the last of them stands for all that follow: until
# then they hold the end of what was said. After some 15 of them they have three bytes.
UNTIL_SILENT = 25


class Packing(Encoder):
    """Encodes what a track gives as a packet: s16le mono, of which the time base is the rate."""

    def pack(self, packet: Packet) -> tuple[list[bytes], int]:
        """The packets of some sound, and its time of RTP."""
        return self.encode(sound_of(packet))


def sound_of(packet: Packet) -> AudioFrame:
    """A packet's sound."""
    samples = np.frombuffer(bytes(packet), np.int16)
    frame = AudioFrame.from_ndarray(samples[None, :], layout="mono")
    frame.pts, frame.time_base = packet.pts, packet.time_base
    frame.sample_rate = packet.time_base.denominator
    return frame


class PackingOpus(Packing, OpusEncoder):
    """Opus of one channel, as loud as it was given; what it cannot take as it is, is resampled."""

    def __init__(self) -> None:
        super().__init__()
        self.codec = _libopus(opus.SAMPLE_RATE)
        self.resampler = AudioResampler(
            "s16", "mono", opus.SAMPLE_RATE, frame_size=opus.SAMPLES_PER_FRAME
        )
        self._voice: av.AudioCodecContext | None = None
        self._silent = 0
        self._last: list[bytes] = []

    def pack(self, packet: Packet) -> tuple[list[bytes], int]:
        """The packet of 20 ms, and its time of RTP."""
        rate = packet.time_base.denominator
        if rate not in RATES or packet.size != rate * PIECE_MS // 1000 * 2:
            return super().pack(packet)
        at = cast(int, packet.pts) * opus.SAMPLE_RATE // rate
        self._silent = 0 if any(bytes(packet)) else self._silent + 1
        if self._silent > UNTIL_SILENT:
            return self._last, at
        if self._voice is None:
            self._voice = _libopus(rate)
        self._last = [bytes(each) for each in self._voice.encode(sound_of(packet))]
        return self._last, at


class OneChannel(OpusDecoder):
    """Opus of a microphone, of which aiortc makes two channels that are resampled to be one."""

    def __init__(self) -> None:
        super().__init__()
        self.codec.layout = "mono"


class PackingG722(Packing, G722Encoder):
    """G.722, of 16 kHz."""


class PackingPcma(Packing, PcmaEncoder):
    """G.711 with the A-law."""


class PackingPcmu(Packing, PcmuEncoder):
    """G.711 with the mu-law."""


def _libopus(rate: int) -> av.AudioCodecContext:
    codec = cast(av.AudioCodecContext, av.CodecContext.create("libopus", "w"))
    codec.format, codec.layout, codec.sample_rate = "s16", "mono", rate
    codec.time_base, codec.bit_rate, codec.options = Fraction(1, rate), BIT_RATE, OPTIONS
    return codec


def install() -> None:
    """Let aiortc's connections of this process use them."""
    codecs.OpusDecoder = OneChannel  # pyright: ignore[reportPrivateImportUsage]
    codecs.OpusEncoder = PackingOpus  # pyright: ignore[reportPrivateImportUsage]
    codecs.G722Encoder = PackingG722  # pyright: ignore[reportPrivateImportUsage]
    codecs.PcmaEncoder = PackingPcma  # pyright: ignore[reportPrivateImportUsage]
    codecs.PcmuEncoder = PackingPcmu  # pyright: ignore[reportPrivateImportUsage]
