"""A face that costs money by the minute is there while somebody sees it, and no longer."""

from pipelines.guard.cast import Cast
from pipelines.guard.face import FaceGuard


class PaidFace(FaceGuard):
    """A guarded face that comes once the user is there, and is left when they are gone.

    Who comes back gets another one; the voice, and what stands in, stay.
    """

    def __init__(self, cast: Cast, *, early: bool = False) -> None:
        """`early` has the face come before anybody is there."""
        super().__init__(cast)
        self._seen = early

    def user_came(self) -> None:
        """Have the face come, unless it is there or is given up; as often as one likes."""
        self._seen = True
        there = self._coming or (self._on and self._on.proper)
        if self._tries.is_idle and not there:
            self._call()

    async def user_left(self) -> None:
        """Leave the face, and one that is on its way."""
        self._seen = False
        self._missed = None
        self._tries.rest()
        if self._coming:
            self._dismiss(self._coming)
            self._coming = None
        if self._on and self._on.proper:
            self._dismiss(self._on)
            self._on = self._watch = None
            self._level = 0
            await self._go_on_alone()

    def _call(self) -> None:
        if self._seen and not (self._over or self._ends):
            super()._call()
