"""VP8 for the browser without the coarse pictures that each change of its rate brings.

aiortc's Vp8Encoder cannot change its rate. Whenever the viewer's estimate (REMB) has moved by a
tenth it begins anew, with a key frame that looks coarse for a second or two. It starts low, and
Chromium raises its estimate by a twelfth a second, so that is most of a call's first half minute.
"""

from aiortc import codecs
from aiortc.codecs.vpx import Vp8Encoder

# Bits a second: a face of 1280 x 720 needs no more.
FULL = 1_000_000
RAISE = 1.4
LOWER = 0.7


class SteadyVp8Encoder(Vp8Encoder):
    """An encoder of one rate, until the viewer's estimate of the link is well below it."""

    def __init__(self) -> None:
        super().__init__()
        self._set(FULL)

    @property
    def target_bitrate(self) -> int:
        """Bits a second."""
        return super().target_bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        wanted = min(bitrate, FULL)
        if not LOWER * self.target_bitrate <= wanted < RAISE * self.target_bitrate:
            self._set(wanted)

    def _set(self, bitrate: int) -> None:
        Vp8Encoder.target_bitrate.__set__(self, bitrate)


def install() -> None:
    """Let aiortc's connections of this process use it."""
    codecs.Vp8Encoder = SteadyVp8Encoder  # pyright: ignore[reportPrivateImportUsage]
