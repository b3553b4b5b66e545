"""Judges what was seen of a face by what is wanted of it: a sentence for each thing wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bots.eval.face import MOUTH, PIXELS, QUANTITIES, Face
from bots.eval.mouth import HEARD, Mouth, Pictures, Still, Untold
from bots.eval.sighting import Sighting
from bots.eval.step import Step, in_step

# A mouth is shut when it stays so for so long, or until the next words: those come after so long a
# silence, and a mouth opens so long before them.
STAYS_SHUT_S, BETWEEN_S, AHEAD_S = 0.2, 0.15, 0.1
# Speech goes on through pauses of so long, and in so much of it the mouth has to be seen open once;
# what is shorter than the last is not looked at.
PAUSE_S, OPENS_WITHIN_S, SHORT_S = 0.3, 1.5, 0.6


@dataclass(frozen=True)
class Finding:
    """What became of one thing that was wanted.

    Attributes:
        what: its key in the `face:` block.
        seen: the same as it was seen, in `unit`; None where it could not be told.
        at_s: the second of the conversation that it was seen at, None for all of it.
    """

    what: str
    passed: bool
    wanted: Any
    seen: Any
    unit: str
    at_s: float | None
    sentence: str


class Judge:
    """Judges one conversation; what is looked for in all pictures is looked for once."""

    def __init__(self, seen: Sighting) -> None:
        self._seen = seen
        self._found: Step | Mouth | Untold | None = None

    def first_picture_within_s(self, wanted: float) -> Finding:
        """When the first picture came, from joining."""
        came = self._seen.came_s
        if not len(came):
            return self._untold("first_picture_within_s", wanted, "no picture came")
        return self._most("first_picture_within_s", wanted, float(came[0]), float(came[0]), "")

    def pictures_a_second(self, wanted: float) -> Finding:
        """How many came a second, from the first to the end."""
        came, what = self._seen.came_s, "pictures_a_second"
        if len(came) < 2:
            return self._untold(what, wanted, "fewer than two pictures came")
        rate = len(came) / max(self._seen.ended_s - came[0], 1e-3)
        said = f"wanted at least {wanted:g} pictures a second, saw {rate:.1f}"
        span = f"from second {came[0]:.1f} to {self._seen.ended_s:.1f}"
        return _finding(what, rate >= wanted, wanted, rate, None, f"{said}, {span}")

    def longest_freeze_s(self, wanted: float) -> Finding:
        """The longest time without another picture, after the first; one sent again is no other."""
        what, pictures = "longest_freeze_s", self._seen.pictures
        again = (pictures[1:] == pictures[:-1]).all(axis=(1, 2))
        came = self._seen.came_s[np.append(True, ~again)[: len(pictures)]]
        if not len(came):
            return self._untold(what, wanted, "no picture came")
        gaps = np.diff(np.append(came, self._seen.ended_s))
        at = int(gaps.argmax())
        return self._most(what, wanted, float(gaps[at]), float(came[at]), "without a new picture")

    def offset_ms(self, wanted: float) -> Finding:
        """How far sound and mouth are apart, over all that was said."""
        what, found = "offset_ms", self._look()
        if not isinstance(found, Step):
            return self._untold(what, wanted, str(found))
        behind_ms, unsure_ms = 1000 * found.behind_s, 1000 * found.unsure_s
        if 2 * unsure_ms > wanted:
            why = f"{found.speech_s:.0f} s of speech tell it only to ± {2 * unsure_ms:.0f} ms"
            return self._untold(what, wanted, why)
        side = "behind" if behind_ms >= 0 else "ahead of"
        said = (
            f"wanted sound and mouth at most {wanted:g} ms apart, saw the sound"
            f" {abs(behind_ms):.0f} ± {2 * unsure_ms:.0f} ms {side} the mouth,"
            f" over {found.speech_s:.0f} s of speech"
        )
        return _finding(what, abs(behind_ms) <= wanted, wanted, behind_ms, None, said)

    def mouth_shut_after_interruption_s(self, wanted: float) -> Finding:
        """How long the mouth still moved after each interruption; the longest counts."""
        what, mouth = "mouth_shut_after_interruption_s", self._mouth()
        if not self._seen.interruptions_s:
            why = "nobody interrupted the avatar while it spoke: give a turn `send_after`"
            return self._untold(what, wanted, why)
        if isinstance(mouth, Untold):
            return self._untold(what, wanted, str(mouth))
        took = [self._shut_after(mouth, at_s) for at_s in self._seen.interruptions_s]
        took_s, at_s = max(zip(took, self._seen.interruptions_s, strict=True))
        return self._most(what, wanted, took_s, at_s, "until the mouth was shut")

    def mouth_open_while_speaking(self, wanted: bool) -> Finding:
        """Whether the mouth is seen open wherever something is said."""
        what, mouth = MOUTH, self._mouth()
        if isinstance(mouth, Still):
            still = f"wanted {_yes(wanted)}, saw that {mouth}"
            return _finding(what, not wanted, wanted, False, None, still)
        if isinstance(mouth, Untold):
            return self._untold(what, wanted, str(mouth))
        pieces = self._speech(mouth)
        if not pieces:
            return self._untold(what, wanted, f"nothing was said for {SHORT_S:g} s")
        at_s = [begin_s for begin_s, opened in pieces if opened is not wanted]
        is_ = "shut" if wanted else "open"
        total = f"{len(pieces)} pieces of speech of {OPENS_WITHIN_S:g} s or less"
        said = f"wanted {_yes(wanted)}, saw the mouth {is_} in {len(at_s)} of {total}"
        if not at_s:
            return _finding(what, True, wanted, wanted, None, said)
        said += f", first at second {at_s[0]:.1f}"
        return _finding(what, False, wanted, not wanted, at_s[0], said)

    def size(self, wanted: tuple[int, int]) -> Finding:
        """Whether every picture is of that size, in pixels."""
        asked = f"{wanted[0]}x{wanted[1]}"
        if not self._seen.sizes:
            return self._untold(PIXELS, asked, "no picture came")
        at_s, (width, height) = next(
            (each for each in self._seen.sizes if each[1] != wanted), self._seen.sizes[0]
        )
        said = f"wanted {asked}, saw {width}x{height} at second {at_s:.1f}"
        return _finding(PIXELS, (width, height) == wanted, asked, f"{width}x{height}", at_s, said)

    def _look(self) -> Step | Mouth | Untold:
        if self._found is None:
            try:
                self._found = in_step(self._seen)
            except Untold as error:
                self._found = self._only_mouth(error)
        return self._found

    def _only_mouth(self, why: Untold) -> Mouth | Untold:
        """A mouth without enough speech to compare."""
        try:
            return Pictures(self._seen).mouth()
        except Untold:
            return why

    def _mouth(self) -> Mouth | Untold:
        found = self._look()
        return found.mouth if isinstance(found, Step) else found

    def _shut_after(self, mouth: Mouth, at_s: float) -> float:
        """Seconds from then until the mouth is shut and stays so."""
        after = self._seen.came_s >= at_s
        came_s, shut = self._seen.came_s[after], mouth.open[after] <= mouth.limit
        next_s = self._speaks_again_s(at_s) - AHEAD_S
        for begin in np.flatnonzero(shut):
            begin_s = came_s[begin]
            end_s = begin_s + STAYS_SHUT_S
            if begin_s < next_s:
                end_s = min(end_s, next_s)
            if shut[(came_s >= begin_s) & (came_s < end_s)].all():
                return float(begin_s - at_s)
        return self._seen.ended_s - at_s

    def _speaks_again_s(self, at_s: float) -> float:
        """When the first words after then begin."""
        voice = self._seen.voice
        loud_s = voice.at_s[voice.much > HEARD]
        begins = np.flatnonzero((np.diff(loud_s) > BETWEEN_S) & (loud_s[1:] > at_s)) + 1
        return float(loud_s[begins[0]]) if len(begins) else self._seen.ended_s

    def _speech(self, mouth: Mouth) -> list[tuple[float, bool]]:
        """Pieces of speech that have pictures: from when, and whether the mouth was open in it."""
        voice, came_s = self._seen.voice, self._seen.came_s
        loud_s = voice.at_s[voice.much > HEARD]
        found = []
        for begin_s, end_s in _pieces(loud_s):
            there = (came_s >= begin_s) & (came_s < end_s)
            if there.any():  # a voice without pictures is a freeze, or a late face
                found.append((begin_s, bool((mouth.open[there] > mouth.limit).any())))
        return found

    def _most(self, what: str, wanted: float, seen: float, at_s: float, of: str) -> Finding:
        """At most so many seconds are wanted."""
        said = f"wanted at most {wanted:g} s, saw {seen:.2f} s {of}".rstrip()
        return _finding(what, seen <= wanted, wanted, seen, at_s, f"{said}, at second {at_s:.1f}")

    def _untold(self, what: str, wanted: Any, why: str) -> Finding:
        match wanted:
            case bool():
                limit = _yes(wanted)
            case str():
                limit = wanted
            case _:
                limit = f"{wanted:g} {QUANTITIES[what].unit}"
        said = f"wanted {limit}, but it could not be told: {why}"
        return _finding(what, False, wanted, None, None, said)


def judge(face: Face, seen: Sighting) -> list[Finding]:
    """Judge all that is wanted."""
    judging = Judge(seen)
    checks: dict[str, Callable[[Any], Finding]] = {
        key: getattr(judging, key) for key in (*QUANTITIES, MOUTH, PIXELS)
    }
    wanted = {key: getattr(face, key) for key in checks}
    return [checks[key](value) for key, value in wanted.items() if value is not None]


def _pieces(loud_s: np.ndarray) -> list[tuple[float, float]]:
    """From when until when something is said, in pieces; `loud_s` is when something is heard."""
    found = []
    for said in np.split(loud_s, np.flatnonzero(np.diff(loud_s) > PAUSE_S) + 1):
        if not len(said) or said[-1] - said[0] < SHORT_S:
            continue
        for begin_s in np.arange(said[0], said[-1] - SHORT_S, OPENS_WITHIN_S):
            found.append((float(begin_s), float(min(begin_s + OPENS_WITHIN_S, said[-1]))))
    return found


def _finding(
    what: str, passed: bool, wanted: Any, seen: Any, at_s: float | None, said: str
) -> Finding:
    unit = QUANTITIES[what].unit if what in QUANTITIES else ("pixels" if what == PIXELS else "")
    return Finding(what, bool(passed), wanted, seen, unit, at_s, f"{what}: {said}.")


def _yes(wanted: bool) -> str:
    return "an open mouth" if wanted else "no open mouth"
