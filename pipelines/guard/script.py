"""What the face was given and the user has not heard: voice by time, words at their places.

Positions are seconds of all voice there was in this conversation, whichever face spoke it.
"""

import math
from collections import deque

import numpy as np
from pipecat.frames.frames import (
    ControlFrame,
    DataFrame,
    Frame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)

from pipelines.media.articulation import ArticulationFrame
from pipelines.media.follower import is_loud
from pipelines.media.words import Words

PIECE_S = 0.02
# Nearer to its end than this, all of the voice was heard: faces resample it.
NEAR_S = 0.05
# Faces may find that they were not as far as they thought.
KEPT_S = 1.0


class Script:
    """Follows the voice through one face after the other."""

    def __init__(self) -> None:
        self._words = Words()
        # Where each begins: the voice, and what else has not left the face.
        self._given: deque[tuple[float, Frame]] = deque()
        # Where the loud pieces of the voice end that were not heard.
        self._louds: deque[float] = deque()
        self._given_s = self._heard_s = self._loud_s = 0.0
        # What the face has said by its own count, by how much that is less than what was heard,
        # and what it cannot go back behind.
        self._said_s = self._ahead_s = self._cut_s = 0.0
        self.speaks_on = False

    def give(self, frame: Frame, now_ns: int) -> None:
        """A frame goes to the face, or to the next one; not a word, which is held."""
        if isinstance(frame, DataFrame | ControlFrame):
            self._given.append((self._given_s, frame))
        match frame:
            case TTSAudioRawFrame():
                self._words.give(frame, now_ns)
                self._louds.extend(self._given_s + at_s for at_s in _louds(frame))
                self._given_s += frame.num_frames / frame.sample_rate
            case TTSStartedFrame():
                self.speaks_on = True
            case TTSStoppedFrame():
                self._words.end()
                self.speaks_on = False
            case _:
                pass

    def hold(self, word: Frame, now_ns: int) -> None:
        """A word waits until its place has been heard."""
        self._words.hold(word, now_ns)

    def left(self, frame: Frame) -> None:
        """A frame has left the face again. The end of the voice counts until all is heard."""
        if not isinstance(frame, TTSStoppedFrame):
            self._given = deque(each for each in self._given if each[1] is not frame)

    def cast(self, said_s: float) -> list[Frame]:
        """Another face goes on, which has said so much before; what to give to it, in order."""
        self._heard_s = self._loud_s
        self._match(said_s)
        return [rest for at_s, frame in self._given for rest in self._left_of(at_s, frame)]

    def _left_of(self, at_s: float, frame: Frame) -> list[Frame]:
        if isinstance(frame, TTSAudioRawFrame):
            return _from(frame, self._loud_s - at_s)
        if isinstance(frame, ArticulationFrame):
            return [frame.moved(min(0.0, at_s - self._loud_s))]
        said = isinstance(frame, TTSStoppedFrame) and at_s <= self._loud_s
        return [] if said else [frame]

    def hear(self, said_s: float, *, loud: bool) -> None:
        """The face was heard, and has said so much by its own count."""
        if self._given_s <= self._cut_s:
            self._match(said_s)
        self._said_s = said_s
        heard_s = max(self._cut_s, self._ahead_s + said_s)
        ends = not loud and not self.speaks_on and self.due_s <= NEAR_S
        self._reach(self._given_s if ends or heard_s > self._given_s - NEAR_S else heard_s, loud)

    def settle(self) -> None:
        """The face has nothing left to say, whatever the count is."""
        self._cut_s = self._given_s
        self._reach(self._given_s, loud=True)
        self._match(self._said_s)

    def _match(self, said_s: float) -> None:
        """What was heard so far is what the face has said by its own count."""
        self._said_s = said_s
        self._ahead_s = self._heard_s - said_s

    def _reach(self, heard_s: float, loud: bool) -> None:
        self._heard_s = heard_s
        if loud:
            self._loud_s = heard_s
        while self._given and self._is_over(*self._given[0]):
            self._given.popleft()
        while self._louds and self._louds[0] <= self._loud_s - KEPT_S:
            self._louds.popleft()

    def _is_over(self, at_s: float, frame: Frame) -> bool:
        if isinstance(frame, TTSAudioRawFrame):
            return at_s + frame.num_frames / frame.sample_rate <= self._loud_s - KEPT_S
        if isinstance(frame, ArticulationFrame):
            return at_s + frame.end_s <= self._loud_s - KEPT_S
        return isinstance(frame, TTSStoppedFrame) and at_s <= self._heard_s

    def due_words(self) -> list[Frame]:
        """The words whose place has been heard, once each."""
        return self._words.until(self._heard_s)

    def all_words(self) -> list[Frame]:
        """The words that are left, when no more will be heard."""
        return self._words.until(math.inf)

    def cut(self) -> list[Frame]:
        """The face says no more of what it was given; the words to let go all the same."""
        self._given = deque(each for each in self._given if not each[1].interruptible)
        self._louds.clear()
        self._heard_s = self._loud_s = self._cut_s = self._given_s
        self.speaks_on = False
        return self._words.interrupt()

    @property
    def due_s(self) -> float:
        """Seconds of loud voice that were given and not heard."""
        return PIECE_S * sum(1 for at_s in self._louds if at_s > self._loud_s)


def _from(frame: TTSAudioRawFrame, over_s: float) -> list[Frame]:
    """The voice without its first `over_s`; nothing if nothing is left of it."""
    if over_s <= 0:
        return [frame]
    audio = frame.audio[round(over_s * frame.sample_rate) * 2 * frame.num_channels :]
    rest = TTSAudioRawFrame(audio, frame.sample_rate, frame.num_channels, frame.context_id)
    rest.transport_destination = frame.transport_destination
    return [rest] if audio else []


def _louds(frame: TTSAudioRawFrame) -> list[float]:
    """Where in a frame its loud pieces end, in seconds."""
    samples = np.frombuffer(frame.audio, np.int16)
    size = max(1, round(PIECE_S * frame.sample_rate))
    starts = range(0, len(samples), size)
    return [(at + size) / frame.sample_rate for at in starts if is_loud(samples[at : at + size])]
