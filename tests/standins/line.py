"""The line to a stand-in, which can be cut: what a network does, on real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

Cut = Literal["", "silent", "closed", "garbage", "unanswered", "dead"]
UNANSWERED = ("unanswered", "dead")
GARBAGE = b"\x00\xff%%%garbage%%%\r\n" * 4


class Line:
    """Passes on what is said between clients and a stand-in, until it is cut.

    It is cut by itself once `after` pieces have come back of what a request of `path` asks for:
    "silent" passes nothing on, "closed" hangs up, "garbage" says something else and hangs up,
    "unanswered" takes connections and never answers; "dead" does so, too, and passes nothing on in
    either direction of those that are open. New connections are cut, too, until `mend()`.
    """

    def __init__(
        self, port: int, cut: Cut = "", path: str = "", after: int = 1, slow_s: float = 0.0
    ) -> None:
        """What comes back takes `slow_s` longer."""
        self._server_port, self._slow_s = port, slow_s
        self._cut, self._path, self._after = cut, path.encode(), after
        self.port = 0
        self.is_cut = cut in UNANSWERED
        self.open = 0
        self._server: asyncio.Server | None = None
        self._mended = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it is, for HTTP clients."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self, cut: Cut, after: int) -> None:
        """Be cut so many pieces after the next request; "unanswered" and "dead" at once."""
        self._cut, self._after, self.is_cut = cut, after, cut in UNANSWERED

    def mend(self) -> None:
        """It works again, for connections to come."""
        self.is_cut, self._cut = False, ""

    async def start(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take none any more."""
        assert self._server
        self._server.close()

    async def _take(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            if self.is_cut and self._cut in UNANSWERED:
                await client.read()
            elif not self.is_cut or self._cut == "silent":
                await self._join(client, back)
        finally:
            self.open -= 1
            back.close()

    async def _join(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            server, forth = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            return
        armed = asyncio.Event()
        there = asyncio.create_task(self._pass_on(client, forth, armed))
        here = asyncio.create_task(self._answer(server, back, armed))
        try:
            await asyncio.wait([there, here], return_when=asyncio.FIRST_COMPLETED)
            if not there.done() and self.is_cut and self._cut in ("silent", "dead"):
                await there
        finally:
            there.cancel()
            here.cancel()
            await asyncio.gather(there, here, return_exceptions=True)
            forth.close()

    async def _pass_on(
        self, client: asyncio.StreamReader, forth: asyncio.StreamWriter, armed: asyncio.Event
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await client.read(65536):
                if self._path in piece:
                    armed.set()
                if self.is_cut and self._cut == "dead":
                    continue
                forth.write(piece)
                await forth.drain()

    async def _answer(
        self, server: asyncio.StreamReader, back: asyncio.StreamWriter, armed: asyncio.Event
    ) -> None:
        pieces = 0
        with contextlib.suppress(ConnectionError):
            while piece := await server.read(65536):
                if self._cut and armed.is_set():
                    pieces += 1
                await asyncio.sleep(self._slow_s)
                if pieces > self._after or self.is_cut:
                    self.is_cut = True
                    if self._cut == "garbage":
                        back.write(GARBAGE)
                        await back.drain()
                    return
                back.write(piece)
                await back.drain()


@asynccontextmanager
async def line_to(
    port: int, cut: Cut = "", path: str = "", after: int = 1, slow_s: float = 0.0
) -> AsyncIterator[Line]:
    """A line to a stand-in's port while the block lasts."""
    line = Line(port, cut, path, after, slow_s)
    await line.start()
    try:
        yield line
    finally:
        await line.stop()
