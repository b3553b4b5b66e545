"""What the mouth does in an utterance whose sounds are known: each sound on its way to the next.

Every sound pulls at opening and width while it is heard, and less before and after, so that lips
are round before a "w" is heard. What no face can do otherwise goes before: lips are shut for "p",
"b" and "m", under the teeth for "f" and "v", and shut in pauses.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from puppet.phones import PAUSE_S, Phone, Segment, readable, segments

# By how much a sound pulls less per second of distance: to 1/e in these seconds.
OPENS_S, ROUNDS_S = 0.022, 0.04
FARTHEST_S = 0.25
# Lips come together, or part, in this time.
CLOSING_S = 0.02
# A mouth opens before the sound, and shuts after it.
BEFORE_S, AFTER_S = 0.1, 0.1
# A picture is of 40 ms: lips that meet in them are seen to meet.
HALF_S = 0.02
# By how much places are rounded.
ROUNDED_S = 0.001
# Between two parts of what is known a longer silence is not known to be one.
BRIDGED_S = 0.6
# How far vowels open by their stress, where stress is told.
UNSTRESSED, STRESSED = 0.85, 1.12
# A question is seen in its last words, and a moment after them.
ASKS_S, ASKED_S = 0.8, 0.3


class Shape(NamedTuple):
    """A mouth as it is to be shown, and what else is known of the moment.

    Attributes:
        stress: that of the vowel that is heard, 0 to 1.
        asks: whether it is the end of a question.
    """

    open: float
    width: float
    close: float
    bite: float
    stress: float = 0.0
    asks: bool = False

    @property
    def pauses(self) -> bool:
        """Whether nothing is articulated."""
        return not (self.open or self.close or self.bite)

    def opened(self, share: float) -> "Shape":
        """The same mouth, less far open."""
        return self._replace(open=share * self.open, width=share * self.width)


SHUT = Shape(0.0, 0.0, 0.0, 0.0)


class Articulation:
    """The sounds of one utterance as far as they are known. Times are seconds of it."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._starts_s: list[float] = []
        self._known: list[list[float]] = []
        self._asked_s: list[float] = []
        self._marked = False

    def add(self, phones: Sequence[Phone], from_s: float) -> None:
        """More sounds; their times count from `from_s`.

        From zero on they hold, and what was told before of that time does not: that voice was cut
        off. What they say of the time below zero comes late. What is not told in IPA is not known.
        """
        begins = (phone.start_s for phone in phones if phone.start_s > -ROUNDED_S)
        self._forget(from_s + min(begins, default=math.inf))
        if not readable(phones):
            return
        end_s = self._segments[-1].end_s if self._segments else -math.inf
        for segment in segments(phones):
            start_s = max(from_s + segment.start_s, end_s)
            if from_s + segment.end_s > start_s:
                self._append(segment._replace(start_s=start_s, end_s=from_s + segment.end_s))

    def _forget(self, at_s: float) -> None:
        """What is from a place on is not known any more."""
        del self._segments[bisect_left(self._starts_s, at_s) :]
        del self._starts_s[len(self._segments) :]
        if self._segments:
            last = self._segments[-1]
            self._segments[-1] = last._replace(end_s=min(last.end_s, at_s))
        self._asked_s = [asked_s for asked_s in self._asked_s if asked_s < at_s + HALF_S]
        self._known = [[start, min(end, at_s)] for start, end in self._known if start < at_s]

    def _append(self, segment: Segment) -> None:
        if segment.sound and self._segments:
            segment = self._joined(segment)
        self._segments.append(segment)
        self._starts_s.append(segment.start_s)
        self._marked = self._marked or segment.stress > 0
        if segment.asks:
            self._asked_s.append(segment.end_s)
        if self._known and segment.start_s - self._known[-1][1] < BRIDGED_S:
            self._known[-1][1] = segment.end_s
        else:
            self._known.append([segment.start_s, segment.end_s])

    def _joined(self, segment: Segment) -> Segment:
        """The next sound, which shares with the last one a pause that is too short for one."""
        last = self._segments[-1]
        if not last.sound and last.end_s - last.start_s < PAUSE_S and len(self._segments) > 1:
            self._segments.pop()
            self._starts_s.pop()
            last = self._segments[-1]
        if not last.sound or segment.start_s - last.end_s >= PAUSE_S:
            return segment
        middle_s = (last.end_s + segment.start_s) / 2
        self._segments[-1] = last._replace(end_s=middle_s)
        return segment._replace(start_s=middle_s)

    def at(self, at_s: float) -> Shape | None:
        """The mouth in the middle of a picture; None where the sounds are not known."""
        if not any(start - BEFORE_S <= at_s < end + AFTER_S for start, end in self._known):
            return None
        low = bisect_right(self._starts_s, at_s - FARTHEST_S)
        high = bisect_right(self._starts_s, at_s + FARTHEST_S)
        near = [
            each
            for each in self._segments[max(0, low - 1) : high]
            if each.sound and _away_s(each, at_s) < FARTHEST_S
        ]
        asks = any(-ASKS_S < at_s - asked_s < ASKED_S for asked_s in self._asked_s)
        if not near:
            return SHUT._replace(asks=asks)
        speaks = _speaks(near, at_s)
        close = max(_pressed(each, at_s) for each in near)
        bite = max(_bitten(each, at_s) for each in near) * (1 - close)
        opening, width, stress = self._between(near, at_s)
        opening *= speaks * (1 - close) * (1 - 0.8 * bite)
        return Shape(opening, width * speaks, close, bite, stress, asks)

    def _between(self, near: Sequence[Segment], at_s: float) -> tuple[float, float, float]:
        """Opening, width and stress among the sounds around a moment."""
        opening = width = holds = grips = stress = 0.0
        for segment in near:
            sound = segment.sound
            assert sound, "no pause"
            away_s = _away_s(segment, at_s)
            hold = sound.hold * math.exp(-away_s / OPENS_S)
            grip = sound.grip * math.exp(-away_s / ROUNDS_S)
            gain = self._gain(segment) if sound.vowel else 1.0
            opening += hold * min(1.0, gain * sound.open)
            width += grip * sound.width
            holds += hold
            grips += grip
            stress = stress if away_s else segment.stress
        return opening / holds, width / grips, stress

    def _gain(self, vowel: Segment) -> float:
        if not self._marked:
            return 1.0
        return UNSTRESSED + vowel.stress * (STRESSED - UNSTRESSED)


def _away_s(segment: Segment, at_s: float) -> float:
    return max(0.0, segment.start_s - at_s, at_s - segment.end_s)


def _speaks(near: Sequence[Segment], at_s: float) -> float:
    """1 while something is heard, and down to 0 in a pause."""
    return max(
        max(0.0, 1 - (each.start_s - at_s) / BEFORE_S) ** 2
        if at_s < each.start_s
        else max(0.0, 1 - max(0.0, at_s - each.end_s) / AFTER_S) ** 2
        for each in near
    )


def _pressed(segment: Segment, at_s: float) -> float:
    """How far the lips are shut for a sound."""
    if not segment.sound or not segment.sound.shut:
        return 0.0
    return _within(segment, segment.sound.shut, at_s)


def _bitten(segment: Segment, at_s: float) -> float:
    bites = segment.sound and segment.sound.bites
    return _within(segment, (0.1, 0.9), at_s) if bites else 0.0


def _within(segment: Segment, part: tuple[float, float], at_s: float) -> float:
    """1 in a picture that has something of a part of a sound in it, 0 a little away from it."""
    lasts_s = segment.end_s - segment.start_s
    from_s, to_s = (segment.start_s + share * lasts_s for share in part)
    away_s = max(0.0, from_s - at_s - HALF_S, at_s - HALF_S - to_s)
    return max(0.0, 1 - away_s / CLOSING_S)
