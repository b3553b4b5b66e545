"""Pauses in what a face says, in which another may come."""

from collections.abc import Callable

from . import rules
from .script import Script


class Pauses:
    """Knows by what was given to a face, and heard of it, whether something is still to be said."""

    def __init__(self, script: Script, now_s: Callable[[], float]) -> None:
        self._script = script
        self._now_s = now_s
        self._given_s = self._sounded_s = 0.0

    def given(self) -> None:
        """The face was given voice."""
        self._given_s = self._now_s()

    def sounded(self) -> None:
        """The face was loud."""
        self._sounded_s = self._now_s()

    @property
    def face_owes(self) -> bool:
        """Whether something was given that was not heard, or more will be."""
        return self._script.speaks_on or self._script.due_s > rules.DUE_S

    @property
    def is_now(self) -> bool:
        """Whether nobody is in the middle of something that the face says."""
        silent_s = self._now_s() - self._sounded_s
        return silent_s > (rules.ANSWER_S if self.face_owes else rules.PAUSE_S)

    @property
    def is_long(self) -> bool:
        """Whether all has been said, for long enough to be sure."""
        since_s = self._now_s() - max(self._sounded_s, self._given_s)
        return not self.face_owes and since_s > rules.SILENCE_S
