"""Work that goes on only until something happens."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def done_before(
    happening: Coroutine[Any, Any, object], work: asyncio.Task[Any], left_s: float = 0.0
) -> bool:
    """Wait for work, but once something has happened no longer than so; it is ended then.

    Gives whether the work was done; whoever waits for it no longer ends it, too.
    """
    waiting = asyncio.create_task(happening)
    try:
        await asyncio.wait([work, waiting], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait([work], timeout=left_s)
        return work.done()
    finally:
        for task in (work, waiting):
            task.cancel()
        await asyncio.gather(work, waiting, return_exceptions=True)
