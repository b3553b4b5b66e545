"""Fixtures: the client, pointed at a sandbox without rooms, and what it has asked there."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import aiohttp
import pytest

from liveavatar import LiveAvatar
from tests.sandbox.caller import Caller
from tests.sandbox.conftest import caller, clock, roomy

__all__ = ["caller", "clock", "roomy"]


@pytest.fixture
def asked() -> list[str]:
    """Every request of the client, as `GET /v1/voices`."""
    return []


@pytest.fixture
async def live(caller: Caller, asked: list[str]) -> AsyncIterator[LiveAvatar]:
    """The client of the sandbox that `caller` calls."""

    async def note(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        request: aiohttp.TraceRequestStartParams,
    ) -> None:
        asked.append(f"{request.method} {request.url.raw_path}")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    async with aiohttp.ClientSession(trace_configs=[trace]) as http:
        yield LiveAvatar(http, caller.key["X-API-KEY"], caller.url)
