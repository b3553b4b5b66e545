"""VP8 and H.264 for the browser without the coarse pictures that each change of the rate brings.

aiortc's encoders cannot change their rate. Whenever the viewer's estimate (REMB) has moved by a
tenth they begin anew, with a key frame that looks coarse for a second or two. It starts low, and
Chromium raises its estimate by a twelfth a second, so that is most of a call's first half minute.
"""

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
import numpy as np
from aiortc import codecs
from aiortc.codecs import h264, vpx
from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from av import Packet, VideoFrame
from av.frame import Frame

from pipelines.media.again import again
from pipelines.media.tokens import opened
from pipelines.media.view import STEPS, frame_of, scaled, shrunk

# Bits a second: a face of 1280 x 720 needs no more.
FULL = 1_000_000
MOST = 2_000_000
# What no link is taken to carry less than: an estimate is made of what is sent, which is hardly
# anything while a face listens.
LEAST = 150_000
# The share of what it has need of below which a picture is smaller rather than coarse.
SHARP = 0.25
RAISE = 1.4
LOWER = 0.7

FASTEST_HZ = 30
FACE_HZ = 25
LONGEST_GROUP = 3000
RTP_CLOCK = Fraction(1, 90_000)
# A preset that takes less of a core than VP8. Key frames come when a viewer asks for one, and are
# on their way for half a second at most. Without a level, x264 writes the one that the size needs.
H264 = {
    "preset": "veryfast",
    "tune": "zerolatency",
    "threads": "1",
    "g": str(LONGEST_GROUP),
    "sc_threshold": "0",
}
LONGEST_KEY_FRAME_S = 0.5
# As aiortc has it, but at two thirds of the cost: without a denoiser, of which a drawn face has no
# need, and with a quicker search. A face looks as good (45.7 dB at a megabit and a half).
VP8 = {
    "cpu-used": "-12",
    "deadline": "realtime",
    "lag-in-frames": "0",
    "noise-sensitivity": "0",
    "overshoot-pct": "15",
    "partitions": "0",
    "static-thresh": "100",
    "undershoot-pct": "100",
}
# Finer than anybody sees, at more than twice the bits while a face listens: of them a viewer's
# estimate of the link is made before the face speaks.
VP8_QUANTIZERS = (2, 56)
# Bytes of a picture in a packet: with the headers of RTP, SRTP and TURN it goes through a network
# whose packets have 1280 bytes, as those of VPNs may. Where aiortc's 1300 do not, no picture comes.
PACKET = 1150


def needs(width: int, height: int) -> float:
    """Bits a second that a face of a size has need of."""
    return FULL * width * height / (1280 * 720)


def steady(wanted: int, now: int, full: int = FULL) -> int:
    """The rate to go on with, in bits a second: the same, unless it is well off."""
    wanted = min(wanted, full)
    return now if LOWER * now <= wanted < RAISE * now else wanted


def fitted(frame: VideoFrame, bitrate: int) -> VideoFrame:
    """The picture in the largest size that so many bits a second do not blur."""
    size = (frame.width, frame.height)
    sizes = [scaled(size, step) for step in STEPS]
    fit = [each for each in sizes if SHARP * needs(*each) <= bitrate]
    chosen = max(fit, default=min(sizes))
    if chosen == size:
        return frame
    small = frame_of(shrunk(frame.to_ndarray(), chosen))
    small.pts, small.time_base = frame.pts, frame.time_base
    return small


class Steady(Encoder):
    """An encoder of one rate, until the viewer's estimate of the link is well below it."""

    def __init__(self) -> None:
        super().__init__()
        self._rate = self._full = FULL
        self._estimate = MOST
        self.codec: av.VideoCodecContext | None = None
        # The size and rate that it was made for: x264 rounds the rate that it is given.
        self._made = (0, 0, 0)

    @property
    def target_bitrate(self) -> int:
        """Bits a second."""
        return self._rate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        self._estimate = max(bitrate, LEAST)
        self._rate = steady(self._estimate, self._rate, self._full)

    @abstractmethod
    def _make(self, width: int, height: int, bitrate: int) -> av.VideoCodecContext:
        """What encodes pictures of a size in pixels at a rate in bits a second."""

    def _ready(self, frame: VideoFrame) -> VideoFrame:
        """The picture as it is encoded, by what is made for it: aiortc makes none in its place."""
        frame = self._fit(frame)
        wanted = (frame.width, frame.height, self._rate)
        if wanted != self._made:
            self.codec, self._made = None, (0, 0, 0)  # whose memory the next one can have
            self.codec, self._made = self._make(*wanted), wanted
        return frame

    def _fit(self, frame: VideoFrame) -> VideoFrame:
        """The picture in the size that the link carries, at the rate that its size asks for."""
        full = max(FULL, min(MOST, round(needs(frame.width, frame.height))))
        if full != self._full:
            hindered = self._rate < self._full
            self._rate = min(full, self._rate if hindered else self._estimate)
            self._full = full
        return fitted(frame, self._rate)


class SteadyVp8Encoder(Steady, Vp8Encoder):
    """VP8; a picture that is the one before costs nothing (`again.py`)."""

    def __init__(self) -> None:
        super().__init__()
        self._again = b""

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """The packets of a picture, I420, and its time of RTP."""
        assert isinstance(frame, VideoFrame)
        return super().encode(self._ready(frame), force_keyframe)

    def pack(self, packet: Packet) -> tuple[list[bytes], int]:
        """The same of the picture before."""
        repeated = Packet(self._again)
        repeated.pts, repeated.time_base = packet.pts, packet.time_base
        return super().pack(repeated)

    def _make(self, width: int, height: int, bitrate: int) -> av.VideoCodecContext:
        self._again = again(width, height)
        return opened(_libvpx(width, height, bitrate))


class SteadyH264Encoder(Steady, H264Encoder):
    """H.264 for browsers that have no VP8; at every size with the level that it needs."""

    def _encode_frame(self, frame: VideoFrame, force_keyframe: bool) -> Iterator[bytes]:
        return super()._encode_frame(self._ready(frame), force_keyframe)

    def _make(self, width: int, height: int, bitrate: int) -> av.VideoCodecContext:
        return _x264(width, height, bitrate)


def _libvpx(width: int, height: int, bitrate: int) -> av.VideoCodecContext:
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.bit_rate = width, height, bitrate
    codec.pix_fmt, codec.gop_size, codec.thread_count = "yuv420p", LONGEST_GROUP, 1
    codec.qmin, codec.qmax = VP8_QUANTIZERS
    rates = dict.fromkeys(("bufsize", "minrate", "maxrate"), str(bitrate))
    codec.options = {**VP8, **rates}
    return codec


def _x264(width: int, height: int, bitrate: int) -> av.VideoCodecContext:
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.bit_rate = width, height, bitrate
    codec.pix_fmt, codec.profile = "yuv420p", "Baseline"
    codec.framerate, codec.time_base = Fraction(FASTEST_HZ), RTP_CLOCK
    most = {"maxrate": str(bitrate), "bufsize": str(int(bitrate * LONGEST_KEY_FRAME_S))}
    codec.options = {**H264, **most}
    return codec


def exercise(pictures: Sequence[bytes], size: tuple[int, int]) -> float:
    """Encode a face's pictures, I420 of (width, height) `size`, for a browser.

    Returns how many seconds they are seen.
    """
    encoder, width, height = SteadyVp8Encoder(), *size
    again(width, height)  # which is made once for all conversations
    before = None
    for number, picture in enumerate(pictures):
        if picture is not before:
            planes = np.frombuffer(picture, np.uint8).reshape(height * 3 // 2, width)
            frame = frame_of(planes)
            frame.pts, frame.time_base = int(number / FACE_HZ / RTP_CLOCK), RTP_CLOCK
            encoder.encode(frame)
        before = picture
    return len(pictures) / FACE_HZ


def vp8_first(sdp: str) -> str:
    """An offer in which VP8 is the first choice, where it is one: aiortc takes the first.

    Safari lists H.264 before it.
    """
    return "".join(map(_vp8_first, re.split("(?m)(?=^m=)", sdp)))


def _vp8_first(media: str) -> str:
    if not media.startswith("m=video"):
        return media
    first, *lines = media.splitlines(keepends=True)
    chosen = [line for line in lines if re.match(r"a=rtpmap:\d+ VP8/", line, re.IGNORECASE)]
    numbers = [line.split()[0].removeprefix("a=rtpmap:") for line in chosen]
    *head, listed = re.split(r"(?<=^m=video) (\S+) (\S+) ", first.strip())
    order = sorted(listed.split(), key=lambda number: number not in numbers)
    others = [line for line in lines if line not in chosen]
    at = next((n for n, line in enumerate(others) if line.startswith("a=rtpmap:")), len(others))
    return "".join([" ".join([*head, *order]) + "\r\n", *others[:at], *chosen, *others[at:]])


def install() -> None:
    """Let aiortc's connections of this process use them, and packets that come through."""
    vpx.PACKET_MAX = h264.PACKET_MAX = PACKET
    codecs.Vp8Encoder = SteadyVp8Encoder  # pyright: ignore[reportPrivateImportUsage]
    codecs.H264Encoder = SteadyH264Encoder  # pyright: ignore[reportPrivateImportUsage]
