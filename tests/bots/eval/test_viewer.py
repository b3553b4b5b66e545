"""What a viewer keeps of what it sees and hears, and for how long."""

from fractions import Fraction

import numpy as np
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

from bots.eval.sighting import PIXELS
from bots.eval.viewer import Viewer

LOUD = np.full((1, 960), 9000, np.int16)


class Track(MediaStreamTrack):
    """Gives what it is made of, and ends."""

    kind = "video"

    def __init__(self, frames: list[AudioFrame | VideoFrame]) -> None:
        super().__init__()
        self._frames = iter(frames)

    async def recv(self) -> AudioFrame | VideoFrame:
        """The next one."""
        for frame in self._frames:
            return frame
        raise MediaStreamError


def frames(width: int, height: int) -> list[AudioFrame | VideoFrame]:
    """A picture and 20 ms of sound."""
    picture = VideoFrame(width, height, "yuv420p")
    sound = AudioFrame.from_ndarray(LOUD, layout="mono")
    picture.pts = sound.pts = 0
    picture.time_base = sound.time_base = Fraction(1, 48_000)
    sound.sample_rate = 48_000
    return [picture, sound]


@pytest.mark.parametrize(
    ("looks_s", "size", "kept"),
    [(60.0, (1280, 720), (90, 160)), (60.0, (720, 1280), (160, 90)), (0.0, (1280, 720), None)],
    ids=["wide", "tall", "not looked at"],
)
async def test_pictures_are_kept_small_and_only_while_they_are_looked_at(looks_s, size, kept):
    heard: list[bytes] = []
    viewer = Viewer("http://127.0.0.1:9", "", lambda _: None, heard.append, looks_s)
    await viewer._follow(Track(frames(*size)))
    seen = viewer.sighting()
    assert viewer.last_heard_s > 0 and len(seen.sizes) == len(seen.pictures)
    if kept is None:
        assert len(seen.pictures) == len(seen.voice.at_s) == 0
    else:
        assert seen.pictures.shape == (1, *kept) and kept[0] * kept[1] == PIXELS
        assert len(seen.voice.at_s) == len(seen.vowels) == 2
