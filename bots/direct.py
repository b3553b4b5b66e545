"""`avatar --direct`: a conversation in a Daily room, without a server."""

import asyncio
import uuid
from collections.abc import Callable

from pipecat.runner.types import DailyRunnerArguments

from bots.avatar import converse
from bots.running import RUNNING, stop_on_signals
from bots.server.casting import Casting
from bots.server.rooms import daily_room
from pipelines.budget import admit
from pipelines.ending import reaping
from pipelines.parts import part


async def wait(casting: Casting, say: Callable[..., None]) -> None:
    """Wait in a room until its user has come and gone, or until Ctrl-C or SIGTERM.

    Raises:
        AvatarError: there is no such conversation.
    """
    cast = casting.cast(part("transport", "daily"), {})
    await admit(cast.settings, cast.lineup)
    async with reaping(casting.settings), daily_room(casting.settings, {}) as room:
        stop = stop_on_signals()
        asked = asyncio.create_task(stop.wait())
        arguments = DailyRunnerArguments(room.url, room.token, session_id=str(uuid.uuid4()))
        held = asyncio.create_task(converse(cast.request(arguments)))
        say(f"Ready: open {room.url} (Ctrl-C ends it)")
        await asyncio.wait([asked, held], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        await RUNNING.end_all(stop)
        await held
