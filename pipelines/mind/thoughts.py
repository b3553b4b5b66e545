"""A mind's stream without its thoughts: what a reasoning model writes before its answer."""

# How models mark them: DeepSeek, Qwen and others; Magistral; Kimi.
MARKS = {
    **{f"<{name}>": f"</{name}>" for name in ("think", "thinking", "thought", "reasoning")},
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
}
ALL = (*MARKS, *MARKS.values())
LONGEST = max(map(len, ALL))


class Thoughts:
    """Takes a stream in pieces, cut anywhere, and gives it back without thoughts.

    Some templates begin the thought themselves, so that the model only ends it. With
    `begun` the stream is taken for such a thought, and for an answer if it is never ended.

    Pipecat's PatternPairAggregator could do some of this, but looks through the whole thought again
    at each character of it, which takes seconds for a long one.
    """

    def __init__(self, *, begun: bool = False) -> None:
        self.begun = begun
        self._held = ""
        self._end = ""  # the mark that ends the thought, where one was begun in the stream
        self._perhaps = "" if begun else None

    def hear(self, text: str) -> str:
        """What of the stream so far is no thought and was not given before."""
        self._held += text
        answer = ""
        while mark := self._next():
            before, _, self._held = self._held.partition(mark)
            answer = self._passed(answer + self._spoken(before), mark)
        safe = len(self._held) - self._unsure()
        rest, self._held = self._held[:safe], self._held[safe:]
        return answer + self._spoken(rest)

    def end(self) -> str:
        """The rest of a stream that is over; a thought that was never ended is none of it."""
        rest, self._held = self._spoken(self._held), ""
        kept, self._perhaps = self._perhaps or "", None
        self.begun &= not kept
        return kept + rest

    def _spoken(self, text: str) -> str:
        """What of a text without marks can be given now."""
        if self._perhaps is None:
            return "" if self._end else text
        self._perhaps += text
        return ""

    def _passed(self, answer: str, mark: str) -> str:
        """The answer after a mark."""
        kept, self._perhaps = self._perhaps or "", None
        if mark in MARKS:
            self._end = MARKS[mark]
            return answer + kept
        ended, self._end = self._end, ""
        self.begun |= not ended
        return answer if ended else ""

    @property
    def _awaited(self) -> tuple[str, ...]:
        return (self._end,) if self._end else ALL

    def _next(self) -> str:
        """The next mark that changes something; "" without one."""
        places = {self._held.find(mark): mark for mark in self._awaited}
        return places[min(found)] if (found := [at for at in places if at >= 0]) else ""

    def _unsure(self) -> int:
        """How much at the end may be the beginning of a mark."""
        for length in range(min(LONGEST - 1, len(self._held)), 0, -1):
            if any(mark.startswith(self._held[-length:]) for mark in self._awaited):
                return length
        return 0
