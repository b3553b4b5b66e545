"""`avatar --direct`: a conversation in a Daily room, without a server."""

import asyncio
import uuid
from collections.abc import Callable

from pipecat.runner.types import DailyRunnerArguments

from bots.avatar import converse
from bots.running import RUNNING, stop_on_signals
from bots.server.casting import Casting
from bots.server.rooms import daily_room
from pipelines.parts import part


async def wait(casting: Casting, say: Callable[..., None]) -> None:
    """Wait in a room until its user has come and gone, or until Ctrl-C or SIGTERM.

    Raises:
        AvatarError: there is no such conversation.
    """
    cast = casting.cast(part("transport", "daily"), {})
    async with daily_room(casting.settings, {}) as room:
        stop = asyncio.create_task(stop_on_signals().wait())
        arguments = DailyRunnerArguments(room.url, room.token, session_id=str(uuid.uuid4()))
        held = asyncio.create_task(converse(cast.request(arguments)))
        say(f"Ready: open {room.url} (Ctrl-C ends it)")
        await asyncio.wait([stop, held], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        await RUNNING.end_all()
        await held
