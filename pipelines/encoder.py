"""VP8 for the browser without the coarse pictures that each change of its rate brings.

aiortc's Vp8Encoder cannot change its rate. Whenever the viewer's estimate (REMB) has moved by a
tenth it begins anew, with a key frame that looks coarse for a second or two. Chromium raises its
estimate by a twelfth a second, so that is most of a call's first half minute.
"""

from aiortc import codecs
from aiortc.codecs.vpx import MAX_BITRATE, Vp8Encoder

RAISE = 1.4
LOWER = 0.7


class SteadyVp8Encoder(Vp8Encoder):
    """An encoder that follows the viewer's estimate in few, large steps."""

    @property
    def target_bitrate(self) -> int:
        """Bits a second."""
        return super().target_bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        now = self.target_bitrate
        if bitrate < LOWER * now or min(bitrate, MAX_BITRATE) >= RAISE * now:
            Vp8Encoder.target_bitrate.__set__(self, bitrate)


def install() -> None:
    """Let aiortc's connections of this process use it."""
    codecs.Vp8Encoder = SteadyVp8Encoder  # pyright: ignore[reportPrivateImportUsage]
