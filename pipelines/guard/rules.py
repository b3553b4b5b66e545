"""When a face is lost, when another is tried and when it may come: bounds, and what keeps them.

Nothing here knows of Pipecat. Times are seconds of one clock that only goes forward.
"""

from dataclasses import dataclass

import numpy as np

# Voice was given, and so long nothing of it came back.
ANSWER_S = 3.0
# So much loud voice must be due: what is less may be a matter of how it is counted.
DUE_S = 0.3
# No picture came for so long, or none but black ones, or the mouth did not move in speech.
PICTURE_S = 3.0
# A face that says nothing may stand still for longer.
STILL_S = 15.0
# How often it is looked after a face.
TICK_S = 0.1
# When nothing at all was done for so long, it is not the face that did nothing.
STALLED_S = 0.3
# A face that stands in is waited for so long; otherwise the voice goes on at once.
STAND_IN_S = 0.6
# A face that is not there by then is replaced for the time being; it may still come.
FACE_LATE_S = 10.0
# A face that is not there by then is given up.
SETUP_S = 60.0
# Nobody speaks for so long: another face may come.
PAUSE_S = 0.3
# Nobody speaks for so long: nothing is left of what was to be said.
SILENCE_S = 1.5
# So long before a session ends, the next one is prepared.
WARM_S = 20.0
# So long before its end the user is told, if no other follows.
WARNING_S = 10.0
# So long before its end it is left in the middle of a sentence, if there was no pause.
LAST_S = 1.0
# Waits before a lost face is tried again; after the last of them it is given up.
RETRIES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
# A face that stayed for so long was well, as one is whose sessions end after a minute: what happens
# to it then is counted anew.
WELL_S = 30.0

# How often a picture is looked at, how many of its bytes, and how little tells two apart.
LOOK_S = 0.5
SAMPLES = 4096
SAME = 2
# Mean brightness under which a picture is black; black is 16 in video's limited range.
BLACK = 20


@dataclass(frozen=True)
class Loss:
    """Why a face is lost; `why` goes on "The face is gone: …"."""

    why: str


GONE = Loss("it broke off")
ABSENT = Loss("it did not come")
LATE = Loss(f"it has not come within {FACE_LATE_S:.0f} s")
MUTE = Loss(f"for {ANSWER_S:.0f} s nothing was heard of the voice it was given")
BLIND = Loss(f"no picture came for {PICTURE_S:.0f} s")
BLACKED = Loss("its picture is black")
STILL = Loss("its picture stands still")
OVER = Loss("its session is over")


class Watch:
    """What came of a face that is seen and heard, and whether it is lost by that."""

    def __init__(self, now_s: float, *, sees: bool = True) -> None:
        """Without `sees`, nothing is known of its picture."""
        self._sees = sees
        self._answered_s = self._seen_s = self._bright_s = self._moved_s = self._began_s = now_s
        self._looked_s = self._spoke_s = -STILL_S
        self._due = False
        self._last: np.ndarray | None = None

    def excuse(self, seconds: float) -> None:
        """Nothing could come for so long, for it was not looked at."""
        self._answered_s += seconds
        self._seen_s += seconds
        self._bright_s += seconds
        self._moved_s += seconds

    def given(self, now_s: float) -> None:
        """The face was given voice; what it says is waited for from the first on."""
        if not self._due:
            self._answered_s = now_s
        self._due = True

    def heard(self, now_s: float) -> None:
        """The face was loud."""
        if now_s - self._spoke_s > LOOK_S:
            self._began_s = now_s
        self._answered_s = self._spoke_s = now_s

    def seen(self, now_s: float, luma: bytes | memoryview) -> None:
        """A picture came: how bright it is from point to point, or its colours."""
        self._seen_s = now_s
        if now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        look = _samples(luma)
        if look.mean() > BLACK:
            self._bright_s = now_s
        if self._last is None or _differ(look, self._last):
            self._moved_s = now_s
        self._last = look

    def loss(self, now_s: float, due_s: float) -> Loss | None:
        """Why the face is lost, if it is; `due_s` of loud voice was given and not heard."""
        self._due = self._due and due_s > DUE_S
        if self._due and now_s - self._answered_s > ANSWER_S:
            return MUTE
        return self._unseen(now_s) if self._sees else None

    def _unseen(self, now_s: float) -> Loss | None:
        if now_s - self._seen_s > PICTURE_S:
            return BLIND
        if now_s - self._bright_s > PICTURE_S + LOOK_S:
            return BLACKED
        return STILL if self._stands_still(now_s) else None

    def _stands_still(self, now_s: float) -> bool:
        comes = now_s - self._seen_s < LOOK_S
        speaks = now_s - self._spoke_s < LOOK_S
        in_speech = speaks and now_s - max(self._moved_s, self._began_s) > PICTURE_S
        return comes and (in_speech or now_s - self._moved_s > STILL_S)


def _samples(picture: bytes | memoryview) -> np.ndarray:
    whole = np.frombuffer(picture, np.uint8)
    # An odd step meets every channel and column.
    return whole[:: len(whole) // SAMPLES | 1].astype(np.int16)


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    return len(one) != len(other) or int(np.abs(one - other).max(initial=0)) > SAME


class Tries:
    """When a face is tried (again)."""

    def __init__(self) -> None:
        self._failed = 0
        self._next_s: float | None = None
        self._given_up = False

    @property
    def is_idle(self) -> bool:
        """Whether none is planned, and none is given up."""
        return self._next_s is None and not self._given_up

    def failed(self, now_s: float, *, stayed_s: float = 0.0, for_good: bool = False) -> None:
        """A face did not come, or was lost after `stayed_s`; if `for_good`, none is tried again."""
        if stayed_s > WELL_S:
            self._failed = 0
        self._given_up = for_good or self._failed >= len(RETRIES_S)
        self._next_s = None if self._given_up else now_s + RETRIES_S[self._failed]
        self._failed += 1

    def rest(self) -> None:
        """Plan none for now."""
        self._next_s = None

    def due(self, now_s: float) -> bool:
        """Whether it is time; that is said once."""
        if self._next_s is None or now_s < self._next_s:
            return False
        self._next_s = None
        return True
