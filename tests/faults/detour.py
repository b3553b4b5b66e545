"""Ways that lead nowhere, or badly: to a WebSocket of LiveAvatar, or to the server of its room."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from aiohttp import web
from livekit import api

from sandbox import LiveKit
from tests.standins.line import Cut, Line, line_to
from tests.standins.server import Server

UNSENT = ("host", "content-length", "transfer-encoding")
CUTS: Mapping[str, Cut] = {"hangs at connect": "unanswered", "partial then silence": "silent"}


class Refusing(Server):
    """Answers every request, a handshake too, with one status."""

    def __init__(self, status: int) -> None:
        super().__init__([web.get("/{path:.*}", self._never)])
        self._status = status

    def refuse(self, request: web.Request) -> web.Response:
        """Refuse."""
        return self.error(self._status, "refused")

    def error(self, status: int, message: str) -> web.Response:
        """The status, and a word."""
        return web.Response(status=status, text=message)

    async def _never(self, _: web.Request) -> web.Response:
        raise AssertionError("it was refused")


class Detour(Server):
    """Passes on to a LiveAvatar what it is asked, and says otherwise what a session consists of."""

    def __init__(self, url: str, says: Mapping[str, str]) -> None:
        """`says` are fields of the answer to start; of an address only its root is changed."""
        super().__init__([web.route("*", "/{path:.*}", self._pass_on)])
        self._to, self._says = url, says

    def refuse(self, request: web.Request) -> None:
        """Let everybody in."""

    async def _pass_on(self, request: web.Request) -> web.Response:
        headers = {n: v for n, v in request.headers.items() if n.lower() not in UNSENT}
        url, body = f"{self._to}{request.rel_url}", await request.read()
        async with aiohttp.ClientSession(headers=headers) as http:
            async with http.request(request.method, url, data=body) as answer:
                if not (answer.ok and request.path == "/v1/sessions/start"):
                    kind = answer.content_type
                    whole = await answer.read()
                    return web.Response(status=answer.status, body=whole, content_type=kind)
                told = await answer.json()
        return web.json_response({**told, "data": self._retold(told["data"])}, status=201)

    def _retold(self, data: Mapping[str, Any]) -> dict[str, Any]:
        said = {n: _rooted(v, data[n]) if "://" in v else v for n, v in self._says.items()}
        return {**data, **said}


def _rooted(root: str, address: str) -> str:
    """An address with another root."""
    scheme, netloc, *_ = urlsplit(root)
    return urlunsplit((scheme, netloc, *urlsplit(address)[2:]))


@asynccontextmanager
async def way(fault: str, url: str) -> AsyncIterator[tuple[str, Line | None]]:
    """The root of a WebSocket whose server is at `url`, with the fault; and the line to cut."""
    if fault == "refused":
        yield "ws://127.0.0.1:9", None
    elif fault == "DNS gone":
        yield "ws://vendor.invalid", None
    elif fault.isdigit():
        async with Refusing(int(fault)) as server:
            yield server.ws_url, None
    else:
        slow_s = {"slow 2x": 0.1, "slow 10x": 0.5}.get(fault, 0.0)
        port = urlsplit(url).port
        assert port
        async with line_to(port, CUTS.get(fault, ""), after=1, slow_s=slow_s) as line:
            yield f"ws://127.0.0.1:{line.port}", line


def empty_room(livekit: LiveKit) -> dict[str, str]:
    """What a session says of a room that nobody else is in."""
    tokens, name = {}, uuid.uuid4().hex
    for who in ("client", "agent"):
        token = api.AccessToken(livekit.key, livekit.secret).with_identity(who)
        grants = api.VideoGrants(room_join=True, room=name)
        tokens[f"livekit_{who}_token"] = token.with_grants(grants).to_jwt()
    return {"livekit_url": livekit.url, **tokens}
