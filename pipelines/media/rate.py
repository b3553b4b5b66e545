"""How many pictures of a face are drawn: fewer when they come late, so that its sound does not.

Nothing here knows of Pipecat. Times are seconds of one clock that only goes forward.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

# 25 pictures a second are possible. Drawn are all of them, every other one, or one a second: by one
# that came more seldom a face would be taken for lost (`pipelines/guard/rules.py`).
EVERY = {"25": 1, "12.5": 2, "1": 25}
PACES = tuple(EVERY)
# Half of the pictures of so many seconds count, so that a few which are late together do not.
WINDOW_S = 5.0
# When half of them are later than this, fewer are drawn.
LATE_S = 0.04
# While half of them are no later than this, there may be time for more.
EARLY_S = 0.03
# There must be for so long, and twice as long each time that there was not.
PATIENCE_S = 10.0
LONGEST_PATIENCE_S = 80.0


class Rate:
    """The pace of one face."""

    def __init__(self) -> None:
        self._step = 0
        # Times 40 ms since a picture was drawn, and since one was shown.
        self._undrawn = self._unseen = 0
        self._late_s: deque[tuple[float, float]] = deque()
        self._since_s: float | None = None
        self._tight_s = 0.0
        self._rose_s = -LONGEST_PATIENCE_S
        self._patience_s = PATIENCE_S

    @property
    def pace(self) -> str:
        """Pictures a second: "25", "12.5" or "1"."""
        return PACES[self._step]

    @property
    def is_still(self) -> bool:
        """Whether as few are drawn as can be."""
        return self._step == len(PACES) - 1

    def wants(self) -> bool:
        """Whether a picture is wanted for the next 40 ms, of which each is asked about once."""
        self._undrawn += 1
        self._unseen += 1
        return self._undrawn >= EVERY[self.pace]

    @property
    def is_overdue(self) -> bool:
        """Whether none was shown for so long that the next one is, however late it comes."""
        return self._unseen > EVERY[PACES[-1]]

    def drawn(self) -> None:
        """A picture was drawn for the 40 ms that were asked about last."""
        self._undrawn = 0

    def shown(self) -> None:
        """A picture was shown."""
        self._unseen = 0

    def missed(self) -> None:
        """A picture that was wanted is not shown: the next one is wanted."""
        self._undrawn = EVERY[self.pace]

    def note(self, now_s: float, late_s: float) -> bool:
        """A picture that was wanted is so late; whether the pace is another one from now on."""
        self._late_s.append((now_s, late_s))
        while self._late_s[0][0] <= now_s - WINDOW_S:
            self._late_s.popleft()
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s < WINDOW_S:
            return False
        usual_s = median(late_s for _, late_s in self._late_s)
        if usual_s > EARLY_S:
            self._tight_s = now_s
        if usual_s > LATE_S and not self.is_still:
            self._fall(now_s)
            return True
        if self._step and now_s - self._tight_s >= self._patience_s:
            self._rise(now_s)
            return True
        return False

    def _fall(self, now_s: float) -> None:
        in_vain = now_s - self._rose_s < self._patience_s
        longer_s = min(2 * self._patience_s, LONGEST_PATIENCE_S)
        self._patience_s = longer_s if in_vain else PATIENCE_S
        self._go_on(self._step + 1, now_s)

    def _rise(self, now_s: float) -> None:
        self._rose_s = now_s
        self._go_on(self._step - 1, now_s)

    def _go_on(self, step: int, now_s: float) -> None:
        self._step = step
        self._late_s.clear()
        self._since_s = self._tight_s = now_s


_RATES: set[Rate] = set()


@contextmanager
def drawing(rate: Rate) -> Iterator[None]:
    """Count a face, for as long as it is drawn at this pace."""
    _RATES.add(rate)
    try:
        yield
    finally:
        _RATES.discard(rate)


def paces() -> dict[str, int]:
    """How many faces of this process are drawn at each pace."""
    drawn = [rate.pace for rate in _RATES]
    return {pace: drawn.count(pace) for pace in PACES}


def any_still() -> bool:
    """Whether a face of this process stands still for want of time."""
    return any(rate.is_still for rate in _RATES)
