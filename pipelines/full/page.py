"""The user's page in a conversation that LiveAvatar runs: what it relays, and what it is told.

It is the only one in the room that speaks for the user, so it is also who is asked to have the
avatar say something.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pipecat.runner.types import RunnerArguments

from liveavatar import LiveAvatar

from .events import Batch, Happening, happenings

Mind = Callable[[LiveAvatar], Awaitable[str]]
Hear = Callable[[float, Happening], None]
# What a page is told that asks for nothing: the newest, should it be gone.
MOST_TOLD = 50


class Page:
    """Messages to the page wait until it relays the next time.

    Attributes:
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
        self._hear: Hear | None = None
        self._told: list[dict[str, Any]] = []
        self._fetched = asyncio.Event()

    def follow(self, hear: Hear) -> None:
        """Have somebody hear of all that the page relays."""
        self._hear = hear

    def take(self, batch: Batch) -> list[dict[str, Any]]:
        """Take what a page relays; gives what it is told."""
        self.seen_s = self._clock()
        self.muted = batch.muted
        if batch.active:
            self.active_s = self.seen_s
        for at_s, happening in happenings(batch, self._clock):
            if self._hear:
                self._hear(at_s, happening)
        if batch.leaves:
            self.left.set()
        told, self._told = self._told, []
        self._fetched.set()
        return told

    def tell(self, message: dict[str, Any]) -> None:
        """Tell the page something the next time it relays."""
        self._told = [*self._told, message][-MOST_TOLD:]
        self._fetched.clear()

    async def fetched(self, limit_s: float) -> None:
        """Wait until it has been told everything, but not for longer."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._fetched.wait(), limit_s)


@dataclass
class FullRunnerArguments(RunnerArguments):
    """Arguments of one conversation that LiveAvatar runs, whose user has a page.

    Attributes:
        mind: gives the LLM configuration that leads to a mind of ours; None where there is none.
    """

    page: Page = field(default_factory=Page)
    mind: Mind | None = None
