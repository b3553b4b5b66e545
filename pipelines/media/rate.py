"""How many pictures of a face are drawn: fewer when they or its voice come late.

So the sound stays whole on a machine that is too small for both. Faces of one process give way in
turn, the liveliest first.

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
# The same of the time that the voice has lost on its way in these seconds, for which pictures wait.
LOST_S, UNLOST_S = 0.25, 0.1
# A single wait counts for no more: what was held up once makes up for it.
MOST_WAITED_S = 0.1
# There must be for so long, and twice as long each time that there was not.
PATIENCE_S = 10.0
LONGEST_PATIENCE_S = 80.0


class Rate:
    """The pace of one face."""

    def __init__(self) -> None:
        self._step = 0
        # Whether anybody sees them.
        self.seen = True
        self._told = self.pace
        # Times 40 ms since a picture was drawn, and since one was shown.
        self._undrawn = self._unseen = 0
        self._late_s: deque[tuple[float, float]] = deque()
        self._waits_s: deque[tuple[float, float]] = deque()
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
        return self._undrawn >= EVERY[self.pace if self.seen else PACES[-1]]

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

    def waited(self, now_s: float, waited_s: float) -> None:
        """The voice was waited for so long, or has made up for so much of it (below zero)."""
        self._waits_s.append((now_s, min(waited_s, MOST_WAITED_S)))

    def note(self, now_s: float, late_s: float) -> bool:
        """A picture that was wanted is so late; whether the pace is another one from now on."""
        self._late_s.append((now_s, late_s))
        for noted in (self._late_s, self._waits_s):
            while noted and noted[0][0] <= now_s - WINDOW_S:
                noted.popleft()
        if self._since_s is None:
            self._since_s = now_s
        self._change(now_s)
        told, self._told = self._told, self.pace
        return told != self.pace

    def _change(self, now_s: float) -> None:
        """Let fewer pictures be drawn, or more, if it is time."""
        lost_s = sum(waited_s for _, waited_s in self._waits_s)
        if lost_s > LOST_S:
            self._give_way(now_s)
        if now_s - (self._since_s or 0.0) < WINDOW_S:
            return
        usual_s = median(late_s for _, late_s in self._late_s)
        if usual_s > EARLY_S or lost_s > UNLOST_S:
            self._tight_s = now_s
        if usual_s > LATE_S:
            self._give_way(now_s)
        elif now_s - self._tight_s >= self._patience_s and self._step == max(map(_step, self._all)):
            self._rise(now_s)

    @property
    def _all(self) -> set["Rate"]:
        """The faces that share the machine."""
        return _RATES | {self}

    def _give_way(self, now_s: float) -> None:
        """Of all faces the liveliest does; this one if there is none that is livelier."""
        liveliest = min(sorted(self._all, key=lambda rate: rate is not self), key=_step)
        if not liveliest.is_still:
            liveliest._fall(now_s)

    def _fall(self, now_s: float) -> None:
        # They share the machine, so it does not matter which of them rose.
        rises = [(rate._rose_s, rate._patience_s) for rate in self._all]
        in_vain = [patience_s for rose_s, patience_s in rises if now_s - rose_s < patience_s]
        longer_s = min(2 * max(in_vain, default=0.0), LONGEST_PATIENCE_S)
        for rate in self._all:
            rate._patience_s = longer_s or PATIENCE_S
        self._go_on(self._step + 1, now_s)

    def _rise(self, now_s: float) -> None:
        if self._step:
            self._rose_s = now_s
            self._go_on(self._step - 1, now_s)

    def _go_on(self, step: int, now_s: float) -> None:
        self._step = step
        for rate in self._all:
            rate._look_anew(now_s)

    def _look_anew(self, now_s: float) -> None:
        self._late_s.clear()
        self._waits_s.clear()
        self._since_s = self._tight_s = now_s


def _step(rate: Rate) -> int:
    return rate._step


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
