"""The time of a room: it stands still until it is moved on, for every timer in the room."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from pipecat.clocks.base_clock import BaseClock


class RoomLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is moved on by hand; what threads do takes none of it."""

    def __init__(self) -> None:
        super().__init__()
        # Not zero, which Pipecat takes for no time at all.
        self.now_s = 1.0

    def time(self) -> float:
        """The room's time, in seconds."""
        return self.now_s

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
        """As ever; what any thread may do is done here and now, so that nobody waits for it."""
        return super().run_in_executor(executor or AtOnce(), func, *args)

    async def settle(self) -> None:
        """Let everything happen that can happen now."""
        await asyncio.sleep(0)
        while self._ready:  # type: ignore[attr-defined]  # noqa: ASYNC110
            await asyncio.sleep(0)


class RoomClock(BaseClock):
    """The pipeline's clock, by the room's time."""

    def __init__(self, loop: RoomLoop) -> None:
        self._loop = loop

    def start(self) -> None:
        """It runs with the room."""

    def get_time(self) -> int:
        """Nanoseconds."""
        return round(self._loop.now_s * 1e9)


class AtOnce(Executor):
    """Does what it is given in the thread that gives it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Done when it returns."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def room_loop() -> RoomLoop:
    """The loop of the test that is running."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, RoomLoop)
    return loop
