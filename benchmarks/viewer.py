"""A visitor who notes how far the mouth is open and how loud the voice is, by their own clocks."""

import time

import numpy as np
from aiortc import MediaStreamTrack
from av import AudioFrame, VideoFrame

from bots.eval.curve import Curve, loudness
from bots.eval.stream import CLOCKS_HZ, Stream
from tests.talk.mouth import Gauge
from tests.talk.visitor import LOUD, Visitor, own_s


class Viewer(Visitor):
    """Stays for long: keeps a number for each picture and for each 10 ms of sound."""

    def __init__(self, url: str, mouths: Gauge) -> None:
        super().__init__(url)
        self._mouths = mouths
        self.sound, self.picture = (Stream(rate) for rate in CLOCKS_HZ.values())
        self.began_s = self.last_loud_s = 0.0
        """When the voice began by its own clock, and when it was last heard."""

    def _track(self, track: MediaStreamTrack) -> None:
        stream = self.sound if track.kind == "audio" else self.picture
        (receiver,) = (r for r in self._peer.getReceivers() if r.track is track)
        stream.attach(receiver)
        super()._track(track)

    def _hear(self, frame: AudioFrame) -> None:
        left = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
        heard = loudness(left, frame.sample_rate)
        self.sound.notice(Curve(heard.at_s + own_s(frame), heard.much))
        if np.abs(left).max() > LOUD:
            self.began_s = self.began_s or own_s(frame)
            self.last_loud_s = time.time()

    def _see(self, frame: VideoFrame) -> None:
        openness = self._mouths.openness(_luma(frame))
        self.picture.notice(Curve(np.array([own_s(frame)]), np.array([openness])))


def _luma(frame: VideoFrame) -> np.ndarray:
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]
