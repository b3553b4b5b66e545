"""The user's page in a conversation that LiveAvatar runs: what it relays, and what it is told.

It is the only one in the room that speaks for the user, so it is also who is asked to have the
avatar say something.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipecat.runner.types import RunnerArguments

from pipelines.errors import Incompatible
from pipelines.lent import LentMind

if TYPE_CHECKING:
    from .events import Batch, Happening, Seen

Hear = Callable[[float, "Happening"], None]
INTERACTIVITIES = ("CONVERSATIONAL", "PUSH_TO_TALK")
# What a page is told that asks for nothing: the newest, should it be gone.
MOST_TOLD = 50


class Page:
    """Messages to the page wait until it relays the next time.

    Both sides number what they tell, from 1, and tell again what the other has not confirmed; what
    came before is not taken twice.

    Attributes:
        taken: the number of the last event that was taken.
        told: the number of the last message for the page.
        seen_s: when it relayed last, by the clock; None before.
        muted: whether the user's voice is kept from the avatar.
        left: set when the user leaves for good.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.seen_s: float | None = None
        self.active_s = 0.0
        self.muted = False
        self.left = asyncio.Event()
        self.taken = self.told = 0
        self._happened_s = clock()
        self._hear: Hear | None = None
        self._told: list[dict[str, Any]] = []
        self._knows = asyncio.Event()

    def follow(self, hear: Hear) -> None:
        """Have somebody hear of all that the page relays."""
        self._hear = hear

    def take(self, batch: "Batch") -> list[dict[str, Any]]:
        """Take what a page relays; gives what it is told, the last of which is number `told`."""
        from .events import happenings  # and LiveAvatar's messages, for those whom it talks with

        self.seen_s = self._clock()
        self.muted = batch.muted
        if batch.active:
            self.active_s = self.seen_s
        for at_s, happening in happenings(self._new(batch.events), self._clock):
            self._happened_s = max(self._happened_s, at_s)
            if self._hear:
                self._hear(self._happened_s, happening)
        told = self._unheard(batch.heard)
        if batch.leaves:
            self.left.set()
            self._knows.set()
        return told

    def _new(self, events: "Sequence[Seen]") -> "list[Seen]":
        """Those that were not taken before; a page that does not count sends each once."""
        new: list[Seen] = []
        for seen in events:
            if seen.number is None or seen.number > self.taken:
                new.append(seen)
                self.taken = seen.number or self.taken
        return new

    def _unheard(self, heard: int | None) -> list[dict[str, Any]]:
        """What the page is told; one that does not count is told once, and knows it then.

        One that counts knows what it has confirmed: an answer may be lost.
        """
        first = self.told - len(self._told) + 1
        told = self._told[max(0, (heard or 0) - first + 1) :]
        self._told = told if heard is not None else []
        if not self._told:
            self._knows.set()
        return told

    def tell(self, message: dict[str, Any]) -> None:
        """Tell the page something the next time it relays."""
        self._told = [*self._told, message][-MOST_TOLD:]
        self.told += 1
        if not self.left.is_set():
            self._knows.clear()

    async def knows(self, limit_s: float) -> None:
        """Wait until it knows everything, or leaves, but not for longer."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._knows.wait(), limit_s)


@dataclass
class FullRunnerArguments(RunnerArguments):
    """Arguments of one conversation that LiveAvatar runs, whose user has a page.

    Attributes:
        mind: one of ours that LiveAvatar asks; None where there is none.
    """

    page: Page = field(default_factory=Page)
    mind: LentMind | None = None


def wants_button(body: Any) -> bool:
    """Whether the body of /start asks for push-to-talk.

    Raises:
        Incompatible: it asks for what there is not.
    """
    asked = body.get("interactivity") if isinstance(body, dict) else None
    if asked not in (None, *INTERACTIVITIES):
        raise Incompatible(
            f'"interactivity" in the body of /start is {str(asked)[:40]!r}',
            f"send {' or '.join(INTERACTIVITIES)}",
        )
    return asked == INTERACTIVITIES[1]
