"""A visitor who notes how far the mouth is open and how loud the voice is, by their own clocks."""

import time

import numpy as np
from aiortc import MediaStreamTrack
from av import AudioFrame, VideoFrame

from bots.eval.curve import Curve, loudness
from bots.eval.stream import CLOCKS_HZ, Stream
from bots.eval.visitor import luma, own_s, samples
from tests.talk.mouth import Gauge
from tests.talk.visitor import LOUD, Visitor


class Track(Stream):
    """What was decoded of a stream, by its clocks."""

    def __init__(self, rate: int) -> None:
        super().__init__(rate)
        self._noticed: list[Curve] = []

    def notice(self, curve: Curve) -> None:
        """Something was decoded."""
        self._noticed.append(curve)

    def own(self, start_s: float, end_s: float) -> Curve:
        """What was sent between two moments of the sender's day, by the stream's own clock."""
        own_s, day_s = np.array(self._reported).T
        begin, end = np.interp([start_s, end_s], day_s, own_s)
        at_s = np.concatenate([curve.at_s for curve in self._noticed])
        much = np.concatenate([curve.much for curve in self._noticed])
        return Curve(at_s, much).between(begin, end)

    def arrived(self, start_s: float, end_s: float) -> Curve:
        """The same by the time of arrival, less what single packets were late."""
        own = self.own(start_s, end_s)
        if not len(own.at_s):
            return own
        rows = np.array(self._arrived)
        then = rows[(rows[:, 0] >= own.at_s[0]) & (rows[:, 0] <= own.at_s[-1])]
        return Curve(own.at_s + np.median(then[:, 1] - then[:, 0]), own.much)

    def played(self, start_s: float, end_s: float) -> Curve:
        """The same by the sender's time of day, by which browsers play sound and pictures."""
        own = self.own(start_s, end_s)
        return Curve(self.day(own.at_s), own.much)

    def rate(self, start_s: float, end_s: float) -> float:
        """Pictures, or pieces of sound, a second."""
        return len(self.own(start_s, end_s).at_s) / (end_s - start_s)


class Viewer(Visitor):
    """Stays for long: keeps a number for each picture and for each 10 ms of sound."""

    def __init__(self, url: str, mouths: Gauge) -> None:
        super().__init__(url)
        self._mouths = mouths
        self.sound, self.picture = (Track(rate) for rate in CLOCKS_HZ.values())
        self.began_s = self.last_loud_s = 0.0
        """When the voice began by its own clock, and when it was last heard."""

    def _track(self, track: MediaStreamTrack) -> None:
        stream = self.sound if track.kind == "audio" else self.picture
        stream.attach(self._peer, track)
        super()._track(track)

    def _hear(self, frame: AudioFrame) -> None:
        left = samples(frame)
        heard = loudness(left, frame.sample_rate)
        self.sound.notice(Curve(heard.at_s + own_s(frame), heard.much))
        if np.abs(left).max() > LOUD:
            self.began_s = self.began_s or own_s(frame)
            self.last_loud_s = time.time()

    def _see(self, frame: VideoFrame) -> None:
        openness = self._mouths.openness(luma(frame))
        self.picture.notice(Curve(np.array([own_s(frame)]), np.array([openness])))
