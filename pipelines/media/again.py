"""The picture before, once more, for nearly nothing: a VP8 frame that changes nothing.

An encoder costs the same for a picture that stands as for one that moves. A frame of VP8 in which
every block is skipped says the same in some 100 bytes, and is as good for every picture of a size:
it brings no new probabilities, no filter and no reference but the last picture (RFC 6386, 9.6 to
9.11). libvpx itself makes it, of grey that stands: it is the same frame for every picture.
"""

import functools
from fractions import Fraction

import av
import numpy as np
from av import VideoFrame

from pipelines.media.tokens import opened

# What a track gives for it: a packet without content.
AGAIN = b""
# Without a loss there is no filter, which would change a picture that stands.
LOSSLESS = 0
BIT_RATE = 1_000_000  # which it needs and does not keep
OPTIONS = {
    "deadline": "realtime",
    "cpu-used": "-12",
    "lag-in-frames": "0",
    "static-thresh": "100000",
}
# The first is whole, the second still tells of what it learned.
PICTURES = 3
FASTEST_HZ = 30


@functools.lru_cache(maxsize=16)
def again(width: int, height: int) -> bytes:
    """The frame for pictures of a size in pixels; takes some 50 ms the first time."""
    grey = np.full((height * 3 // 2, width), 128, np.uint8)
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.qmin = codec.qmax = LOSSLESS
    codec.bit_rate = BIT_RATE
    codec.time_base, codec.options, codec.thread_count = Fraction(1, FASTEST_HZ), OPTIONS, 1
    opened(codec)
    data = b""
    for number in range(PICTURES):
        frame = VideoFrame.from_ndarray(grey, format="yuv420p")
        frame.pts, frame.time_base = number, codec.time_base
        data = b"".join(map(bytes, codec.encode(frame)))
    return data
