"""What guards do beside the pipeline."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Work:
    """Any number of things that are under way, and one clock."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._clock: asyncio.Task[None] | None = None

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin with something; nothing waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def clock_runs(self) -> bool:
        """Whether the clock was started and has not run down."""
        return self._clock is not None and not self._clock.done()

    def start_clock(self, work: Coroutine[Any, Any, None]) -> None:
        """Start the clock anew; it runs for as long as this does."""
        self.stop_clock()
        self._clock = asyncio.create_task(work)

    def stop_clock(self) -> None:
        """Stop the clock, if it runs."""
        clock, self._clock = self._clock, None
        if clock:
            clock.cancel()

    async def close(self) -> None:
        """Do nothing any more."""
        self.stop_clock()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
