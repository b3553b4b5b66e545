"""The start: the page first, and behind it whatever takes time."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from loguru import logger

from bots.running import stop_on_signals
from bots.server.front import Front
from bots.server.refusal import Refused

if TYPE_CHECKING:
    import socket

    from bots.server.app import Server

RETRY_S = 60
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
        Exception: what `afterwards` raised, which was logged at once, when all is over.
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
            front.fail(Refused(503, STOPPED, RETRY_S))
            return False
        try:
            server = await loading
        except Exception as error:
            front.fail(error)
            raise
        async with server.behind(front, listeners, stop):
            ready()
            rest = asyncio.create_task(asyncio.to_thread(afterwards))
            rest.add_done_callback(_tell)
            await stopped
        await rest  # which no end of the process may interrupt in the middle of a model's work
    return True


def _tell(rest: "asyncio.Task[None]") -> None:
    if not rest.cancelled() and (error := rest.exception()):
        logger.error(f"The models did not rehearse, so the first answer takes longer: {error}")
