"""Fixtures: a sandbox with and without rooms, a clock one can turn, and somebody who calls."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from sandbox import LiveKit, sandbox
from tests.sandbox.caller import Caller

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


@pytest.fixture
async def roomy(livekit: LiveKit) -> AsyncIterator[Caller]:
    """A caller of a sandbox with rooms, on the machine's clock."""
    async with serving(livekit) as caller:
        yield caller
