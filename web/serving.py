"""An application that is served on sockets until it is told to stop."""

import asyncio
import contextlib
import functools
import math
import socket
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

GRACE_S = 2
HEAD_S = 10.0


class _Protocol(H11Protocol):
    """Uvicorn's, which also ends a connection whose request does not come."""

    def __init__(self, head_s: float, **options: Any) -> None:
        super().__init__(**options)
        self._head_s = head_s
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._expect_no_more()
        elif before is None or before.response_complete:
            self._expect()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        super().handle_websocket_upgrade(event)
        self._expect_no_more()
        self._head_s = math.inf

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_no_more()
        super().connection_lost(exc)

    def _expect(self) -> None:
        """Wait for the head of a request, from its first byte on, or from the connection."""
        if not self._late and self._head_s < math.inf:
            self._late = self.loop.call_later(self._head_s, self.transport.close)

    def _expect_no_more(self) -> None:
        if self._late:
            self._late.cancel()
            self._late = None


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the process belongs to whoever started it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@asynccontextmanager
async def serving(
    app: ASGIApp, listeners: Sequence[socket.socket], head_s: float = HEAD_S, **options: Any
) -> AsyncIterator[None]:
    """Serve an application until the block ends; `options` are uvicorn's.

    The head of a request must come within `head_s` seconds.

    A server that breaks off ends the block, with its error.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        http=cast("Any", functools.partial(_Protocol, head_s)),
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
