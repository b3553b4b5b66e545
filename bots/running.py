"""What runs in this process, so that it can be ended in order."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Pipecat takes a second to import, and not every command needs it
    from pipecat.pipeline.worker import PipelineWorker


class Running:
    """A set of running workers that can be cancelled and waited for."""

    def __init__(self) -> None:
        self._over: dict[PipelineWorker, asyncio.Event] = {}

    def __len__(self) -> int:
        return len(self._over)

    @contextmanager
    def holding(self, worker: "PipelineWorker") -> Iterator[None]:
        """Count a worker as running."""
        over = self._over[worker] = asyncio.Event()
        try:
            yield
        finally:
            del self._over[worker]
            over.set()

    async def end_all(self) -> None:
        """Cancel every conversation and wait until its sessions are closed."""
        running = dict(self._over)
        for worker in running:
            await worker.cancel(reason="the server stops")
        await asyncio.gather(*(over.wait() for over in running.values()))


RUNNING = Running()


def stop_on_signals() -> asyncio.Event:
    """Set by Ctrl-C or SIGTERM, which end nothing else from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
