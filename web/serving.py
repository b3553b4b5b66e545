"""An application that is served on sockets until it is told to stop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

GRACE_S = 2


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the process belongs to whoever started it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@asynccontextmanager
async def serving(
    app: ASGIApp, listeners: Sequence[socket.socket], **options: Any
) -> AsyncIterator[None]:
    """Serve an application until the block ends; `options` are uvicorn's.

    A server that breaks off ends the block, with its error.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="websockets-sansio",
        timeout_graceful_shutdown=GRACE_S,
        **options,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=list(listeners)))
    block = asyncio.current_task()

    def broke_off(over: asyncio.Task[None]) -> None:
        if block and not over.cancelled() and over.exception():
            block.cancel()

    serving.add_done_callback(broke_off)
    try:
        yield
    finally:
        serving.remove_done_callback(broke_off)
        server.should_exit = True
        await serving
