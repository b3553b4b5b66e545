"""Who said what, and when: one JSON-lines file per conversation."""

import json
import re
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

# What a page that comes back is told: more than anybody reads again.
REMEMBERED_TURNS = 200


class Transcript:
    """Writes one line per turn as it ends; times are seconds from the start of the conversation.

    Attributes:
        turns: the last of those lines, also where none are kept in a file.
    """

    def __init__(
        self, file: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file = file
        self._clock = clock
        self._start_s = clock()
        self.turns: deque[dict[str, Any]] = deque(maxlen=REMEMBERED_TURNS)

    def keep_in(self, folder: Path, conversation: str) -> None:
        """Keep the lines from now on, in a file of their own.

        Raises:
            OSError: the folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
        name = re.sub(r"[^A-Za-z0-9-]", "", conversation)[:40] or "conversation"
        self._file = (folder / f"{stamp}-{name}.jsonl").open(
            "a", encoding="utf-8", errors="replace"
        )

    @property
    def now_s(self) -> float:
        """Seconds since the conversation started."""
        return self._clock() - self._start_s

    def event(self, event: str, **facts: Any) -> None:
        """Write a line that is no turn: the start, an error, the end."""
        self._write({"event": event, "at_s": round(self.now_s, 3), **facts})

    def turn(
        self,
        who: str,
        text: str,
        at_s: float,
        latency_s: float | None = None,
        interrupted: bool = False,
        steps: Mapping[str, float] | None = None,
        told_by: str = "",
    ) -> None:
        """Write one turn.

        Args:
            who: "user" or "avatar".
            text: what was said, or typed.
            at_s: when the turn began.
            latency_s: from the end of the user's speech to the first sound, where measured.
            interrupted: whether the user cut it off; `text` is what was said until then.
            steps: from the end of the user's speech until each step of the answer was done, in
                seconds.
            told_by: whose word it is alone; "" for what this process knows.
        """
        line: dict[str, Any] = {"who": who, "text": text, "at_s": round(at_s, 3)}
        if latency_s is not None:
            line["latency_s"] = round(latency_s, 3)
        if steps:
            line["steps"] = {step: round(at_s, 3) for step, at_s in steps.items()}
        if interrupted:
            line["interrupted"] = True
        if told_by:
            line["told_by"] = told_by
        self.turns.append(line)
        self._write(line)

    def close(self) -> None:
        """Close the file; later lines are dropped."""
        if self._file:
            self._file.close()
            self._file = None

    def _write(self, line: dict[str, Any]) -> None:
        if self._file:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()


def why_not_kept(folder: Path) -> str:
    """Why transcripts cannot be written into a folder, made or still to be made; "" if they can."""
    try:
        whole = folder.absolute()
        exists = next(path for path in (whole, *whole.parents) if path.exists())
        with tempfile.TemporaryFile(dir=exists):
            return ""
    except OSError as error:
        return error.strerror or str(error)
