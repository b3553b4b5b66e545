"""A vendor's front door: HTTP and WebSocket on a free local port, every request on record."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any, Self

from aiohttp import WSCloseCode, web
from aiohttp.typedefs import Handler

CLOSE_TIMEOUT_S = 1.0


@dataclass(frozen=True)
class Request:
    """One request as it arrived; `body` is the parsed JSON, or None when there was none.

    `connection` is the client's port: requests that have it in common came over one connection.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    connection: int = 0


@dataclass(frozen=True)
class Fault:
    """One scripted failure: the next request whose path fits the glob `path` gets `status`.

    One that `lasts` is met by every request.
    """

    path: str
    status: int
    message: str
    lasts: bool = False


class Server:
    """The HTTP half of a stand-in; a vendor adds its routes, its key check and its error body.

    Every request passes, in this order: the record, the routes (no route: 404 and `unmatched`),
    the key check, the scripted faults, the handler.
    """

    def __init__(self, routes: Iterable[web.RouteDef]) -> None:
        self.requests: list[Request] = []
        self.unmatched: list[str] = []
        self._faults: list[Fault] = []
        self._sockets: set[web.WebSocketResponse] = set()
        self._changed = asyncio.Event()
        self._port = 0
        app = web.Application(middlewares=[self._admit])
        app.add_routes(routes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_TIMEOUT_S)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.hang_up()
        await self._runner.cleanup()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def url(self) -> str:
        """The root for HTTP clients, without a trailing slash."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def ws_url(self) -> str:
        """The root for WebSocket clients, without a trailing slash."""
        return f"ws://127.0.0.1:{self._port}"

    def fail(
        self, path: str, status: int, message: str = "scripted failure", *, lasts: bool = False
    ) -> None:
        """Answer the next request to `path` (a glob), or all, with the vendor's error."""
        self._faults.append(Fault(path, status, message, lasts))

    def heal(self) -> None:
        """Fail no more."""
        self._faults.clear()

    @property
    def open_sockets(self) -> int:
        """How many WebSockets are open."""
        return len(self._sockets)

    async def hang_up(self, code: int = WSCloseCode.GOING_AWAY) -> None:
        """Close every open WebSocket with this close code."""
        for socket in list(self._sockets):
            await socket.close(code=code)

    async def until(self, happened: Callable[[], bool], timeout_s: float = 5.0) -> None:
        """Wait for something to become true of the requests or the state.

        Raises:
            TimeoutError: it did not within `timeout_s`.
        """
        async with asyncio.timeout(timeout_s):
            while not happened():
                await self._changed.wait()

    def assert_all_used(self) -> None:
        """Fail on scripted answers nobody fetched and on requests nobody scripted."""
        complaints = [f"never used: {line}" for line in self.unused()]
        complaints += [f"not expected: {line}" for line in self.unmatched]
        assert not complaints, f"{type(self).__name__}: " + "; ".join(complaints)

    def unused(self) -> list[str]:
        """What was scripted and not asked for; vendors with more scripts extend it."""
        left = (fault for fault in self._faults if not fault.lasts)
        return [f"{fault.status} for {fault.path}" for fault in left]

    def refuse(self, request: web.Request) -> web.Response | None:
        """The vendor's answer to a wrong credential, or None when it is right."""
        raise NotImplementedError

    def error(self, status: int, message: str) -> web.Response:
        """The vendor's error body for a status."""
        raise NotImplementedError

    def notify(self) -> None:
        """Wake everyone in `until()`; called after each change of state."""
        self._changed.set()
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def accept(self, request: web.Request) -> AsyncIterator[web.WebSocketResponse]:
        """Shake hands; the socket is open, and within reach of `hang_up()`, inside the block."""
        socket = web.WebSocketResponse(timeout=CLOSE_TIMEOUT_S)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            yield socket
        finally:
            self._sockets.discard(socket)
            self.notify()

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append(await _on_record(request))
        self.notify()
        if request.match_info.http_exception is not None:
            self.unmatched.append(f"{request.method} {request.path}")
            return self.error(404, f"No route for {request.method} {request.path}")
        refusal = self.refuse(request)
        return refusal or self._next_fault(request.path) or await handler(request)

    def _next_fault(self, path: str) -> web.Response | None:
        for fault in self._faults:
            if fnmatchcase(path, fault.path):
                if not fault.lasts:
                    self._faults.remove(fault)
                return self.error(fault.status, fault.message)
        return None


async def body_of(request: web.Request) -> Any:
    """The parsed JSON of a request, or None when it has no body; may be asked repeatedly."""
    text = await request.text()
    return json.loads(text) if text else None


async def _on_record(request: web.Request) -> Request:
    query, headers = dict(request.query), request.headers.copy()
    peer = request.transport.get_extra_info("peername") if request.transport else None
    port = peer[1] if peer else 0
    return Request(request.method, request.path, query, headers, await body_of(request), port)
