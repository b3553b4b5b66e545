"""What runs in this process, so that it can be ended in order."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

# Less than the 10 s after which Docker kills what it has asked to stop.
FAREWELL_TIMEOUT_S = 7.0


class Worker(Protocol):
    """What holds a conversation: Pipecat's worker, or one that LiveAvatar runs."""

    async def cancel(self, *, reason: str) -> Any:
        """End it at once."""
        ...


@dataclass(eq=False)
class Held:
    """A conversation that runs: what tells its user that it ends, and whether it is over."""

    farewell: Callable[[], Awaitable[None]]
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def end(self) -> None:
        """Tell the user, and wait until the conversation is over."""
        await self.farewell()
        await self.over.wait()


class Stop:
    """Ctrl-C or SIGTERM, which end nothing else from now on.

    Attributes:
        update: whether it was SIGTERM alone: somebody stops the process, and nobody waits for it.
    """

    def __init__(self) -> None:
        self.update = False
        self._asked = asyncio.Event()
        self._hurried = asyncio.Event()

    def ask(self, number: signal.Signals | None = None) -> None:
        """Stop; asked again, at once."""
        if self._asked.is_set():
            self._hurried.set()
        self.update = number is signal.SIGTERM
        self._asked.set()

    async def wait(self) -> None:
        """Wait for the first signal."""
        await self._asked.wait()

    async def hurried(self) -> None:
        """Wait for a second one."""
        await self._hurried.wait()


class Running:
    """A set of running workers that can be ended and waited for."""

    def __init__(self) -> None:
        self._held: dict[Worker, Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    @contextmanager
    def holding(self, worker: Worker, farewell: Callable[[], Awaitable[None]]) -> Iterator[None]:
        """Count a worker as running; `farewell` ends it politely."""
        held = self._held[worker] = Held(farewell)
        try:
            yield
        finally:
            del self._held[worker]
            held.over.set()

    async def end_all(self, stop: Stop | None = None) -> None:
        """End every conversation and wait until its sessions are closed.

        Users are told first when the process is stopped for an update.
        """
        if stop and stop.update and self._held:
            await self._say_goodbye(stop)
        running = dict(self._held)
        for worker in running:
            await worker.cancel(reason="the server stops")
        await asyncio.gather(*(held.over.wait() for held in running.values()))

    async def _say_goodbye(self, stop: Stop) -> None:
        said = asyncio.gather(*(held.end() for held in self._held.values()), return_exceptions=True)
        hurried = asyncio.create_task(stop.hurried())
        await asyncio.wait(
            [said, hurried], timeout=FAREWELL_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        for each in (said, hurried):
            each.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await each


RUNNING = Running()


def stop_on_signals() -> Stop:
    """Set by Ctrl-C or SIGTERM, which end nothing else from now on."""
    stop = Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.ask, number)
    return stop
