"""The transcript of a FULL session: LiveAvatar's own, with the times that the page has seen.

What is written is what LiveAvatar has written down, so a page that makes something up, or is closed
in mid-sentence, changes nothing of it. What LiveAvatar does not know is written at the end, as the
page has told it.
"""

import time
from collections.abc import Callable

from liveavatar.records import Line, Transcript
from pipelines.text import clean
from sessions import metrics
from sessions import transcript as kept

from .turns import Turn, Turns, key

# A timestamp of now in seconds is smaller, one in milliseconds larger (no source says which it is).
MILLISECONDS = 100_000_000_000
# The page may be told of a turn later than LiveAvatar writes it down.
GRACE_S = 5.0
# An answer that took longer is none, or a page has made up when it began.
SLOWEST_S = 20.0
Key = tuple[int, str, str]


class Record:
    """Writes turns when they are settled: nobody takes back what the avatar has answered.

    Attributes:
        since: from which of LiveAvatar's timestamps on there may be more.
    """

    def __init__(
        self,
        transcript: kept.Transcript,
        turns: Turns,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`turns` has times of the clock."""
        self._transcript, self._turns, self._clock = transcript, turns, clock
        self._began_s = 0.0
        self._written: set[Key] = set()
        self._first_s: dict[Key, float] = {}
        self.since: int | None = None

    def begin(self) -> None:
        """LiveAvatar's session begins now."""
        self._began_s = self._transcript.now_s

    def take(self, said: Transcript, *, last: bool = False) -> int:
        """Write what is new in what LiveAvatar has written down, the `last` time all of it.

        Gives how many lines that were.
        """
        new = (line for line in said.transcript_data if _key(line) not in self._written)
        lines = [line for line in new if clean(line.transcript).strip()]
        answers = [at for at, line in enumerate(lines) if line.role != "user"]
        settled = len(lines) if last else max(answers, default=-1) + 1
        for line in lines[:settled]:
            turn = self._match(line)
            if not (turn or last or self._is_late(line)):
                return 0
            self._write(line, turn)
        return settled

    def close(self) -> None:
        """Write what only the page has told."""
        for turn in [*self._turns.done]:
            self._transcript.turn(
                turn.who,
                turn.text,
                self._at_s(turn),
                turn.answered_s,
                turn.interrupted,
                turn.steps,
                told_by="page",
            )
        self._turns.done.clear()

    def _match(self, line: Line) -> Turn | None:
        """What the page has told of a line."""
        who, text = _who(line), key(line.transcript)
        turns = [turn for turn in self._turns.done if turn.who == who and turn.key and text]
        same = [turn for turn in turns if turn.key == text]
        near = [t for t in turns if t.key.startswith(text) or text.startswith(t.key)]
        found = [*same, *near]
        return found[0] if found else None

    def _is_late(self, line: Line) -> bool:
        now_s = self._clock()
        return now_s - self._first_s.setdefault(_key(line), now_s) >= GRACE_S

    def _write(self, line: Line, turn: Turn | None) -> None:
        self._written.add(_key(line))
        self._first_s.pop(_key(line), None)
        self.since = max(self.since or 0, line.absolute_timestamp)
        if turn:
            self._turns.done.remove(turn)
            if _is_plausible(turn):
                metrics.answered(turn.steps, turn.answered_s)
        self._transcript.turn(
            _who(line),
            clean(line.transcript).strip(),
            self._at_s(turn) if turn else self._told_s(line),
            turn.answered_s if turn else None,
            bool(turn and turn.interrupted),
            turn.steps if turn else None,
        )

    def _at_s(self, turn: Turn) -> float:
        return max(0.0, self._transcript.now_s - (self._clock() - turn.at_s))

    def _told_s(self, line: Line) -> float:
        in_seconds = 0 < line.absolute_timestamp < MILLISECONDS
        told_s = line.relative_timestamp / (1 if in_seconds else 1000)
        return min(self._transcript.now_s, self._began_s + max(0.0, told_s))


def _is_plausible(turn: Turn) -> bool:
    """Whether monitors are told how fast an answer was."""
    return bool(turn.steps) and max(turn.steps.values()) <= SLOWEST_S


def _who(line: Line) -> str:
    return "user" if line.role == "user" else "avatar"


def _key(line: Line) -> Key:
    return line.absolute_timestamp, line.role, line.transcript
