"""The sign of life of this process, in places that do not end with it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pipecat.processors.frameworks.rtvi import models as RTVI

# Who misses it for 6 s, on a network that carries anything, says that the avatar has stopped.
PERIOD_S = 2.0
BEAT = RTVI.ServerMessage(data={"type": "alive"}).model_dump()
Tell = Callable[[dict[str, Any]], Awaitable[None]]


async def beat(tell: Tell, period_s: float = PERIOD_S) -> None:
    """Tell everybody in a place that this process lives, until cancelled."""
    while True:
        await tell(BEAT)
        await asyncio.sleep(period_s)
