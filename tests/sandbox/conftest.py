"""Fixtures: a sandbox with and without rooms, a clock one can turn, and somebody who calls."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox import LiveKit, livekit_server, sandbox
from sandbox.livekit_server import find_binary
from tests.needs import missing
from tests.sandbox.caller import Caller

HOW = "No LiveKit server: run scripts/livekit-server, which builds one into the cache folder."
Served = Callable[..., AbstractAsyncContextManager[Caller]]


class TurnedClock:
    """Seconds since the epoch, as a test sets them."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s += seconds


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@asynccontextmanager
async def serving(livekit: LiveKit | None, **options: Any) -> AsyncIterator[Caller]:
    """A sandbox, and somebody with its key."""
    async with sandbox(livekit, **options) as address, aiohttp.ClientSession() as http:
        async with contextlib.AsyncExitStack() as stack:
            yield Caller(http, address.url, address.key, stack, livekit, address.desk)


@pytest.fixture
def served() -> Served:
    """Serves a sandbox without rooms, with any options of `sandbox()`."""
    return lambda **options: serving(None, **options)


@pytest.fixture
async def caller(clock: TurnedClock) -> AsyncIterator[Caller]:
    """A caller of a sandbox without rooms, on the turned clock."""
    async with serving(None, clock=clock) as caller:
        yield caller


@pytest.fixture(scope="session")
def livekit_binary() -> Path:
    """The LiveKit server's program."""
    binary = find_binary()
    if not binary:
        missing(HOW)
    return binary


@pytest.fixture(scope="session")
def livekit(livekit_binary: Path) -> Iterator[LiveKit]:
    """A LiveKit server of this test run's own."""
    running = _Background()
    try:
        yield running.started()
    finally:
        running.stop()


@pytest.fixture
async def roomy(livekit: LiveKit) -> AsyncIterator[Caller]:
    """A caller of a sandbox with rooms, on the machine's clock."""
    async with serving(livekit) as caller:
        yield caller


class _Background:
    """Holds a LiveKit server open in a thread, across the event loops of tests."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._server: LiveKit | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def started(self) -> LiveKit:
        """The server, once it runs."""
        assert self._ready.wait(60) and self._server, "the LiveKit server did not start"
        return self._server

    def stop(self) -> None:
        """Stop the server."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._hold())
        finally:
            self._ready.set()
            self._loop.close()

    async def _hold(self) -> None:
        async with livekit_server(dev=None) as self._server:
            self._ready.set()
            await self._stop.wait()
