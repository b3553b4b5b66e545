"""The avatar's words on their way past its face: each is let go when the voice has come to it.

A TTS service stamps its words as if the voice it sends were heard at once and without a gap. A face
takes the voice in and gives it out later, at real pace.
"""

import heapq
import itertools
import math

from pipecat.frames.frames import AudioRawFrame, Frame, ImageRawFrame, TTSTextFrame
from pipecat.processors.frame_processor import FrameDirection

NS = 1e9


def is_timed(frame: Frame, direction: FrameDirection) -> bool:
    """Whether a frame is text, or the end of it, that belongs to a moment of the voice."""
    downstream = direction == FrameDirection.DOWNSTREAM
    return downstream and bool(frame.pts) and not isinstance(frame, AudioRawFrame | ImageRawFrame)


class Words:
    """Timed frames that wait for the voice. Positions are seconds of the voice given so far.

    Times are the pipeline clock's, in nanoseconds.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Frame]] = []
        self._order = itertools.count()
        self._given_s = 0.0
        # The time and the position at which the current stretch of voice began.
        self._origin: tuple[int, float] | None = None
        self._last_pts = 0

    def give(self, voice: AudioRawFrame, now_ns: int) -> None:
        """The face was given more voice."""
        self._begin(now_ns)
        self._given_s += voice.num_frames / voice.sample_rate

    def end(self) -> None:
        """The voice is complete for now: no word is later than its end."""
        self._waiting = [(min(at_s, self._given_s), n, f) for at_s, n, f in self._waiting]
        heapq.heapify(self._waiting)
        self._origin = None

    def hold(self, frame: Frame, now_ns: int) -> None:
        """Let a timed frame wait."""
        if isinstance(frame, TTSTextFrame):
            self._begin(now_ns)
            self._last_pts = max(self._last_pts, frame.pts or 0)
        heapq.heappush(self._waiting, (self._position_s(frame), next(self._order), frame))

    def until(self, at_s: float) -> list[Frame]:
        """Let go of the frames up to a position, in order, to travel with the voice."""
        due: list[Frame] = []
        while self._waiting and self._waiting[0][0] <= at_s:
            due.append(heapq.heappop(self._waiting)[2])
            due[-1].pts = None
        return due

    def interrupt(self) -> list[Frame]:
        """Forget the words that will not be said; the frames that must be let go all the same."""
        kept = [frame for frame in self.until(math.inf) if not frame.interruptible]
        self._origin = None
        return kept

    def _begin(self, now_ns: int) -> None:
        # The rule by which Pipecat's WordTimestampTracker begins to count.
        self._origin = self._origin or (max(self._last_pts, now_ns), self._given_s)

    def _position_s(self, frame: Frame) -> float:
        if self._origin is None or frame.pts is None:
            return self._given_s
        began_ns, began_s = self._origin
        return began_s + (frame.pts - began_ns) / NS
