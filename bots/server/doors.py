"""Who is let in: nobody without a credential, once others than this machine's user can come.

Every route is closed unless it is named here, so one that is added later is closed, too.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from bots.server.origins import (
    POLICY_VIOLATION,
    Origins,
    is_local,
    is_mind,
    is_shown,
    names_proxy,
)
from bots.server.passes import EVAL, VISIT, NoPass, Pass, Passes
from bots.server.refusal import Refused
from pipelines.settings import Settings

TOKEN = "AVATAR_ACCESS_TOKEN"
EXCHANGE = "/api/visit"
# Where a visitor's pass leads; everything else is the operator's.
VISITORS = ("/api/lineup", "/api/offer", "/files", "/start", "/status")
BELOW = ("/files/", "/sessions/")
HOLDER = "avatar.holder"
PROXIED = (
    f"A proxy stands before this avatar, so others can reach it: set {TOKEN},"
    " and give each visitor a link that `avatar link` makes."
)
CLOSED = f"This avatar is for those with a link, or with {TOKEN}: ask whoever runs it for one."
MIND_CLOSED = "This mind answers those with its own bearer, and nobody else."
NOT_YOURS = "A visitor may not do this."
NO_LINK = 'Send the link\'s secret as JSON, {"link": "…"}.'
NO_MEMORY = "It cannot be remembered that a link was used, so none lets anybody in: see the log."


@dataclass(frozen=True)
class Holder:
    """Who asks.

    Attributes:
        visit: what lets a visitor in; None for the operator, and on this machine.
    """

    visit: Pass | None = None

    @property
    def id(self) -> str:
        """Whose a conversation is; "" is everybody's."""
        return self.visit.id if self.visit else ""


OPERATOR = Holder()


def holder(connection: HTTPConnection) -> Holder:
    """Who asks, as the doors have found out."""
    return connection.scope.get(HOLDER, OPERATOR)


class Keys:
    """The credentials that a server takes."""

    def __init__(
        self,
        settings: Settings,
        passes: Passes | None,
        mind: str = "",
        doubt: Callable[[], None] = lambda: None,
    ) -> None:
        """`mind` is the bearer of a mind that is lent; "" for none.

        `doubt` hears that somebody has asked it with another one, as LiveAvatar does that has lost
        the secret.
        """
        self._mind, self._doubt = mind, doubt
        self._token = settings.avatar_access_token.get_secret_value()
        self._passes = passes
        self._origins = Origins.of(settings)

    def admit(self, scope: Scope, has_ticket: Callable[[str], bool]) -> Holder | str:
        """Who asks, or why they are not let in.

        `has_ticket` says whether a token of /ws is one of the server's tickets.
        """
        headers = Headers(scope=scope)
        if self._mind and is_mind(scope):
            if self.opens_mind(scope):
                return OPERATOR
            self._doubt()
            return MIND_CLOSED
        if not self._passes:
            proxied = names_proxy(scope, headers)
            return OPERATOR if is_local(self._origins, headers) and not proxied else PROXIED
        given = bearer(headers)
        if given and _same(given, self._token):
            return OPERATOR
        if scope["type"] == "websocket":
            shown = ticket(scope)
            return OPERATOR if has_ticket(shown) or self._passes.read(EVAL, shown) else CLOSED
        visit = self._passes.read(VISIT, given)
        return Holder(visit) if visit else CLOSED

    def opens_mind(self, scope: Scope) -> bool:
        """Whether a request asks the mind that is lent, with its bearer."""
        given = bearer(Headers(scope=scope)) if self._mind and is_mind(scope) else ""
        return bool(given) and _same(given, self._mind)


class Doors:
    """Lets in who has a credential, as the outermost thing after the judging of pages."""

    def __init__(self, app: ASGIApp, keys: Keys, has_ticket: Callable[[str], bool]) -> None:
        self._app = app
        self._keys = keys
        self._has_ticket = has_ticket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] == "lifespan" or _is_open(scope):
            return await self._app(scope, receive, send)
        found = self._keys.admit(scope, self._has_ticket)
        if isinstance(found, str):
            return await _closed(scope, 401, found)(scope, receive, send)
        if found.visit and not _is_for_visitors(scope["path"]):
            return await _closed(scope, 403, NOT_YOURS)(scope, receive, send)
        scope[HOLDER] = found
        await self._app(scope, receive, send)


class Exchange:
    """POST /api/visit: a link's secret for a visit's, which a page keeps."""

    def __init__(self, passes: Passes | None) -> None:
        self._passes = passes

    async def visit(self, request: Request) -> Response:
        """Answer with what lets the visitor in from now on, and until when."""
        link = await _link(request)
        if not self._passes:
            raise Refused(401, f"No links are taken here: set {TOKEN} first.")
        try:
            text, visit = self._passes.exchange(link)
        except NoPass as error:
            raise Refused(401, str(error)) from None
        except OSError as error:
            raise Refused(500, NO_MEMORY) from error
        return JSONResponse(
            {"token": text, "expires": visit.expires}, headers={"Cache-Control": "no-store"}
        )


def bearer(headers: Headers) -> str:
    """The credential in the header `Authorization`; "" without one."""
    kind, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def ticket(scope: Scope) -> str:
    """What a WebSocket shows: in the header, or where Pipecat's clients do, in path or query."""
    _, _, named = scope["path"].partition("/ws/")
    query = HTTPConnection(scope).query_params
    return bearer(Headers(scope=scope)) or named or query.get("token", "")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _is_open(scope: Scope) -> bool:
    method, path = scope.get("method", ""), scope["path"]
    return is_shown(method, path) or (method, path) == ("POST", EXCHANGE)


def _is_for_visitors(path: str) -> bool:
    return path in VISITORS or path.startswith(BELOW)


def _closed(scope: Scope, status: int, why: str) -> Any:
    if scope["type"] == "websocket":
        return WebSocketClose(POLICY_VIOLATION, why)
    return JSONResponse({"detail": why}, status, {"WWW-Authenticate": "Bearer"})


async def _link(request: Request) -> str:
    try:
        asked = await request.json()
        link = asked["link"]
    except (ValueError, LookupError, TypeError) as error:
        raise Refused(400, NO_LINK) from error
    if not isinstance(link, str):
        raise Refused(400, NO_LINK)
    return link
