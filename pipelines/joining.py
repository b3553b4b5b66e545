"""Joining a LiveKit room, and changing one's mind meanwhile.

When a room answers a `connect()` that was cancelled, LiveKit's library ends the whole process by
SIGTERM, with every other conversation in it (livekit/rtc/_ffi_client.py:207). So none is cancelled.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from livekit import rtc

_LEAVING: set[asyncio.Task[None]] = set()


async def join(work: Coroutine[Any, Any, None], room: Callable[[], rtc.Room | None]) -> None:
    """Do work that joins `room`. Cancelled, it goes on alone, and the room is left after it."""
    joining = asyncio.create_task(work)
    try:
        await asyncio.shield(joining)
    except asyncio.CancelledError:
        leaving = asyncio.create_task(_leave(joining, room()))
        _LEAVING.add(leaving)
        leaving.add_done_callback(_LEAVING.discard)
        raise


async def _leave(joining: asyncio.Task[None], room: rtc.Room | None) -> None:
    await asyncio.gather(joining, return_exceptions=True)
    if room and room.isconnected():
        await room.disconnect()


async def all_left() -> None:
    """Wait until every room is left that nobody wants any more."""
    while _LEAVING:
        await asyncio.wait(_LEAVING)
