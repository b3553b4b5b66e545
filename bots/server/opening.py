"""The start: the page first, and behind it whatever takes time."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from bots.running import stop_on_signals
from bots.server.front import Front
from pipelines.errors import AvatarError

if TYPE_CHECKING:
    import socket

    from bots.server.app import Server

T = TypeVar("T")
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

    `there` is called when the page can be had, `ready` when a conversation can begin, and
    `afterwards`, which is short, in a thread when nobody waits for it.

    Raises:
        UserError: something cannot be loaded as the settings ask; whoever waited has been told.
    """
    stop = stop_on_signals()
    async with front.life(listeners):
        there()
        loading, stopped = in_thread(load), asyncio.create_task(stop.wait())
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
            rest = in_thread(afterwards)
            await stopped
        await rest  # which no end of the process may interrupt in the middle of a model's work
    return True


def in_thread(work: Callable[[], T]) -> "asyncio.Future[T]":
    """Do something in a thread that no end of the process waits for: a download takes minutes."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if outcome.done():
            return
        if error:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="loading", daemon=True).start()
    return outcome
