"""Which sound of a vendor's agent belongs to an answer that was silenced, as far as can be told.

The agent knows nothing of it and goes on to send it; no sound says of which answer it is.
"""

# So long without a sign of an answer, the next one begins.
GAP_S = 1.0


class Answers:
    """Tells one answer from the next. Times are seconds of any clock."""

    def __init__(self) -> None:
        self._silenced = self._worded = False
        self._came_s = float("-inf")

    def begin(self) -> None:
        """What comes from now on is another answer."""
        self._silenced = self._worded = False

    def silence(self, now_s: float) -> None:
        """Nothing more is to be heard of the answer that is given."""
        self._silenced, self._came_s = True, now_s

    def word(self, now_s: float) -> None:
        """The text of an answer, which each has one of: early, or after its first sound."""
        if self._worded:
            self.begin()
        self._comes(now_s)
        self._worded = True

    def sounds(self, now_s: float) -> bool:
        """Some sound has come: whether it is to be heard."""
        self._comes(now_s)
        return not self._silenced

    def _comes(self, now_s: float) -> None:
        if now_s - self._came_s >= GAP_S:
            self.begin()
        self._came_s = now_s
