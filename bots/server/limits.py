"""How much anybody may ask for: how large a request is, how long it takes, how many there are."""

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from bots.server.origins import POLICY_VIOLATION, is_mind, is_shown
from bots.server.refusal import Refused

TOO_LARGE = "This request is too large: {most} bytes are taken."
TOO_SLOW = "This request took too long to come: send it within {limit_s:g} s."
TOO_MANY = "These are too many requests: wait a second."
# Of one client, a second on the long run and at once: a page that begins sends about ten.
RATE, BURST = 20.0, 100.0
MOST_CLIENTS = 10_000
IPV6_NETWORK = 64  # bits, which one customer of a provider has to themselves


@dataclass(frozen=True)
class Size:
    """How many bytes a body may have, and within how many seconds it must have come."""

    most: int
    limit_s: float


BODY = Size(64 * 1024, 10.0)
# What was said in a conversation of hours.
ASKED = Size(1024 * 1024, 10.0)
# Of a file, in bytes.
LONGEST_BYTES = 50 * 1024 * 1024
# A form around one.
UPLOAD = Size(LONGEST_BYTES + BODY.most, 120.0)


class Reading:
    """Reads no more of a request than it may have, and not for longer."""

    def __init__(self, app: ASGIApp, body: Size = BODY, upload: Size = UPLOAD) -> None:
        self._app = app
        self._body = body
        self._upload = upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        size = ASKED if is_mind(scope) else self._upload if _is_upload(scope) else self._body
        body = _Body(receive, size, Headers(scope=scope))
        app = self._app
        if body.announced > size.most:
            app = JSONResponse({"detail": TOO_LARGE.format(most=size.most)}, 413)
        await app(scope, body.receive, body.closing(send))


class _Body:
    """A body as it comes."""

    def __init__(self, receive: Receive, size: Size, headers: Headers) -> None:
        length = headers.get("Content-Length", "0")
        self.announced = int(length) if length.isdecimal() else 0
        self._receive = receive
        self._size = size
        self._ends = asyncio.get_running_loop().time() + size.limit_s
        self._read = 0
        self._chunked = "Transfer-Encoding" in headers
        self._whole = not self.announced and not self._chunked

    async def receive(self) -> Message:
        """The next part, or what comes after the last one.

        Raises:
            Refused: it is too large, or too late.
        """
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._ends):
                message = await self._receive()
        except TimeoutError:
            raise Refused(408, TOO_SLOW.format(limit_s=self._size.limit_s)) from None
        self._read += len(message.get("body", b""))
        if self._read > self._size.most:
            raise Refused(413, TOO_LARGE.format(most=self._size.most))
        self._whole = not message.get("more_body", False)
        return message

    def closing(self, send: Send) -> Send:
        """Ends the connection after an answer to what has not come as a whole."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._hear_out()
                if not self._whole:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        return sending

    async def _hear_out(self) -> None:
        """Read the rest of a short one: who is cut off while sending may not hear the answer."""
        if self.announced <= BODY.most and not self._chunked:
            with contextlib.suppress(Refused):
                while not self._whole:
                    await self.receive()


class Buckets:
    """One bucket for each client, out of which every request takes a drop."""

    def __init__(
        self,
        rate: float = RATE,
        burst: float = BURST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`rate` is in drops a second, `burst` what a full bucket holds."""
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, client: str) -> bool:
        """Whether there was a drop left."""
        if len(self._levels) >= MOST_CLIENTS:
            levels = self._levels.items()
            self._levels = {name: at for name, at in levels if self._level(name) < self._burst}
        level = self._level(client)
        self._levels[client] = (max(level - 1, 0.0) if level >= 1 else level, self._clock())
        return level >= 1

    def _level(self, client: str) -> float:
        level, at_s = self._levels.get(client, (self._burst, self._clock()))
        return min(self._burst, level + (self._clock() - at_s) * self._rate)


def of_all(_scope: Scope) -> str | None:
    """Every request is counted with all others of its address."""
    return ""


class Pace:
    """Refuses what one client asks for too fast; looking at the page is free."""

    def __init__(
        self, app: ASGIApp, buckets: Buckets, own: Callable[[Scope], str | None] = of_all
    ) -> None:
        """`own` names the bucket of who is known here, be there others at the same address.

        It is "" for anybody else, and None for what is bounded elsewhere.
        """
        self._app = app
        self._buckets = buckets
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        asks = scope["type"] in ("http", "websocket")
        if not asks or is_shown(scope.get("method", ""), scope["path"]):
            return await self._app(scope, receive, send)
        own = self._own(scope)
        if own is None or self._buckets.take(own or _client(scope)):
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            return await WebSocketClose(POLICY_VIOLATION, TOO_MANY)(scope, receive, send)
        refused = JSONResponse({"detail": TOO_MANY}, 429, {"Retry-After": "1"})
        await refused(scope, receive, send)


def _client(scope: Scope) -> str:
    """Who asks, by address; of IPv6 by network."""
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(ipaddress.ip_network((int(address), IPV6_NETWORK), strict=False))


def _is_upload(scope: Scope) -> bool:
    path = scope["path"]
    return path == "/files" or (path.startswith("/sessions/") and path.endswith("/files"))
