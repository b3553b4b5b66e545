"""The start: the page first, and behind it whatever takes time."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bots.running import stop_on_signals
from bots.server.front import Front
from pipelines.errors import AvatarError

if TYPE_CHECKING:
    import socket

    from bots.server.app import Server

STOPPED = "The avatar was stopped before it was ready: call again in a minute."


async def serve(
    front: Front,
    listeners: "Sequence[socket.socket]",
    load: "Callable[[], Server]",
    there: Callable[[], None],
    ready: Callable[[], None],
    afterwards: Callable[[], None],
) -> bool:
    """Serve until Ctrl-C or SIGTERM; whether that came after everything was loaded.

    If not, the thread that loads may still run, and Python waits for it when the process ends.

    `there` is called when the page can be had, `ready` when a conversation can begin, and
    `afterwards`, which is short, in a thread when nobody waits for it.

    Raises:
        UserError: something cannot be loaded as the settings ask; whoever waited has been told.
    """
    stop = stop_on_signals()
    async with front.life(listeners):
        there()
        # A thread of its own, for which no loop waits at its end: a download takes minutes.
        thread = ThreadPoolExecutor(1, "loading")
        loading = asyncio.get_running_loop().run_in_executor(thread, load)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([loading, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not loading.done():
            loading.cancel()
            front.fail(AvatarError(STOPPED))
            return False
        try:
            server = await loading
        except Exception as error:
            front.fail(error)
            raise
        async with server.behind(front, listeners, stop):
            ready()
            rest = asyncio.create_task(asyncio.to_thread(afterwards))
            await stopped
        await rest  # which no end of the process may interrupt in the middle of a model's work
    return True
