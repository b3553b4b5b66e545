"""A visitor who notes when pictures come and does not keep them, so that it can stay for long."""

import time
from fractions import Fraction

import numpy as np
from aiortc import codecs
from aiortc.codecs.base import Decoder
from aiortc.jitterbuffer import JitterFrame
from av import VideoFrame
from av.frame import Frame

from pipelines.media.video import VIDEO_CLOCK
from tests.talk.visitor import Sight, Sound, Visitor, own_s

NOTHING = np.empty((0, 0), np.uint8)


class Counting(Decoder):
    """Takes a picture that is complete for one that is seen: users decode theirs elsewhere."""

    def decode(self, encoded_frame: JitterFrame) -> list[Frame]:
        """A black speck of the picture's time."""
        speck = VideoFrame(16, 16, "yuv420p")
        speck.pts, speck.time_base = encoded_frame.timestamp, Fraction(1, VIDEO_CLOCK)
        return [speck]


def count_only() -> None:
    """Let nobody of this process decode a picture from now on."""
    codecs.Vp8Decoder = Counting  # pyright: ignore[reportPrivateImportUsage]


class Onlooker(Visitor):
    """Keeps the times of pictures only. Times are monotonic seconds."""

    @property
    def last_loud_s(self) -> float:
        """When something was last heard, 0 if never."""
        return next((sound.at_s for sound in reversed(self.sounds) if sound.loud), 0.0)

    def first_loud(self, since_s: float) -> Sound | None:
        """The first 20 ms that could be heard since then."""
        return next((s for s in self.sounds if s.at_s > since_s and s.loud), None)

    def forget(self) -> None:
        """Forget what was heard and seen so far."""
        self.sounds.clear()
        self.sights.clear()

    async def silence(self, seconds: float, limit_s: float) -> None:
        """Wait until nothing has been heard for so long; there must have been a sound."""
        await self.until(
            lambda: 0 < self.last_loud_s < time.monotonic() - seconds,
            "silence",
            limit_s,
        )

    def _see(self, frame: VideoFrame) -> None:
        self.sights.append(Sight(time.monotonic(), own_s(frame), NOTHING))
