"""Which pages may use this server: its own, those of its own machine, and those that are listed.

Browsers say in `Origin` which page is asking, and no page can change what they say. Whoever sends
no `Origin` is no page, except for a GET of a page's own server. So the server judges by itself and
leaves nothing to CORS, which only tells pages what they may read.
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from loguru import logger
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from pipelines.settings import Settings
from web.files import FOR_ANYONE
from web.loopback import is_loopback
from web.policy import EVERYWHERE, frame_policy

SETTING = "AVATAR_ALLOWED_ORIGINS"
ANY = "*"
# What any page may load, and what anybody may look at: neither does anything nor tells a secret.
SHARED = ("/avatar.js", "/web/", "/api/faces/")
PAGES = ("/", "/view", "/client", "/favicon.ico", "/health", "/ready")
# A GET that changes nothing, and may so be sent by a page under whatever name it knows us.
READ = ("/api/lineup", "/status")
# Where a mind that is lent is asked, under whatever name: it has a credential of its own.
MIND = "/v1/"
OTHER_SITES = ("cross-site", "same-site")
# Headers that proxies and tunnels add, in small letters.
PASSED_ON = ("forwarded", "x-forwarded-", "x-real-ip", "via", "cf-connecting-ip", "true-client-ip")
PREFLIGHT_S = 600
POLICY_VIOLATION = 1008


@dataclass(frozen=True)
class Origins:
    """Who may ask a server that listens on `host`."""

    host: str
    allowed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> "Origins":
        """The origins that the settings allow."""
        return cls(settings.avatar_host, frozenset(settings.allowed_origins))

    def why_not(self, method: str, path: str, headers: Headers) -> str:
        """Why a request is refused, in a sentence; "" if it is not."""
        origin = headers.get("Origin")
        if origin is not None:
            return "" if self._may(origin, headers) else _refusal(origin)
        if headers.get("Sec-Fetch-Site") in OTHER_SITES and ANY not in self.allowed:
            return f"Another page may not use this avatar: add its origin to {SETTING}."
        if method in ("GET", "HEAD") and path not in READ and not path.startswith(MIND):
            return self._why_not_by_name(headers.get("Host", ""))
        return ""

    def _may(self, origin: str, headers: Headers) -> bool:
        asking = _split(origin)
        return (
            bool({ANY, origin.lower()} & self.allowed)
            or self._own(asking, headers)
            or (is_loopback(self.host) and is_loopback(asking.hostname or ""))
        )

    def _own(self, asking: SplitResult, headers: Headers) -> bool:
        """Whether a page is this server's own.

        A name of somebody else's that leads to this machine makes a page look like ours. It cannot
        have a certificate here; so on a loopback server a page by plain http is ours only under an
        address, which nobody can make lead elsewhere.
        """
        if is_loopback(self.host) and asking.scheme != "https":
            return _is_address(asking.hostname or "") and _names(headers, asking)
        # Behind a proxy that changes the name, the browser still knows.
        return _names(headers, asking) or headers.get("Sec-Fetch-Site") == "same-origin"

    def _why_not_by_name(self, host: str) -> str:
        name = _split(f"//{host}").hostname or ""
        known = {_split(origin).hostname for origin in self.allowed}
        if not is_loopback(self.host) or _is_address(name) or name in known or ANY in self.allowed:
            return ""
        return f"This avatar is not known as {host}: add https://{host} to {SETTING}."


class Guard:
    """Refuses what a page may not do, and tells pages what they may read."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        headers, path = Headers(scope=scope), scope["path"]
        if scope["type"] == "http" and _is_preflight(scope, headers):
            return await _preflight(headers)(scope, receive, send)
        method = scope.get("method", "WEBSOCKET")
        shown = is_shown(method, path)
        why = "" if shown else self._origins.why_not(method, path, headers)
        if why:
            logger.warning(f"{method} {path} is refused. {why}")
        if scope["type"] == "websocket":
            closed = WebSocketClose(POLICY_VIOLATION, why)
            return await (closed if why else self._app)(scope, receive, send)
        app = JSONResponse({"detail": why}, 403) if why else self._app
        added = self._headers(path, None if shown else headers.get("Origin"))
        await app(scope, receive, _sending(added, send))

    def _headers(self, path: str, reader: str | None) -> dict[str, str]:
        """The headers of every answer; `reader` is the page that may read it, besides our own."""
        embedders = sorted(self._origins.allowed)
        headers = {**EVERYWHERE, "Content-Security-Policy": frame_policy(embedders)}
        if path.startswith(SHARED):
            return {**headers, **FOR_ANYONE}
        headers |= {"Cross-Origin-Resource-Policy": "same-origin", "Vary": "Origin"}
        return headers | ({"Access-Control-Allow-Origin": reader} if reader else {})


def is_shown(method: str, path: str) -> bool:
    """Whether anybody may look at this."""
    seen = path.startswith((*SHARED, "/client/")) or path in PAGES
    return seen and method in ("GET", "HEAD")


def is_mind(scope: Scope) -> bool:
    """Whether a request is for the mind."""
    return scope["type"] == "http" and scope["path"].startswith(MIND)


def names_proxy(scope: Scope, headers: Headers) -> bool:
    """Whether a request shows that a proxy has passed it on: nginx speaks HTTP/1.0 by default."""
    passed_on = any(name.startswith(PASSED_ON) for name in headers)
    return passed_on or scope.get("http_version") == "1.0"


def is_local(origins: Origins, headers: Headers) -> bool:
    """Whether a request can only come from this machine: from no page of another, to no name of it.

    A page that is listed is somebody's own choice, wherever it comes from.
    """
    asking, asked = headers.get("Origin", ""), _split(f"//{headers.get('Host', '')}").hostname
    listed = bool({ANY, asking.lower()} & origins.allowed)
    by_us = not asking or listed or is_loopback(_split(asking).hostname or "")
    return is_loopback(origins.host) and is_loopback(asked or "") and by_us


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return is_loopback(name)
    return True


def _names(headers: Headers, asking: SplitResult) -> bool:
    """Whether the request is sent to the host that the page came from."""
    return bool(asking.netloc) and asking.netloc.lower() == headers.get("Host", "").lower()


def _split(origin: str) -> SplitResult:
    """The parts of an origin; all empty where it is none."""
    try:
        parts = urlsplit(origin)
        return parts if parts.hostname else urlsplit("")
    except ValueError:
        return urlsplit("")


def _refusal(origin: str) -> str:
    if origin == "null":
        return "A page opened from a file may not use this avatar: open it from a web server."
    return f"Pages of {origin} may not use this avatar: add {origin} to {SETTING}."


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    return scope["method"] == "OPTIONS" and "Access-Control-Request-Method" in headers


def _preflight(asked: Headers) -> Response:
    """Let the browser send the request itself, which is judged: a refusal can be read then."""
    headers = {
        "Access-Control-Allow-Origin": asked.get("Origin", ANY),
        "Access-Control-Allow-Methods": asked["Access-Control-Request-Method"],
        "Access-Control-Allow-Headers": asked.get("Access-Control-Request-Headers", ""),
        "Access-Control-Max-Age": str(PREFLIGHT_S),
        "Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }
    if "Access-Control-Request-Private-Network" in asked:
        headers["Access-Control-Allow-Private-Network"] = "true"
    return Response(status_code=204, headers=headers)


def _sending(added: dict[str, str], send: Send) -> Send:
    """Sends an answer with these headers, unless it has them already."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in added.items():
                if name == "Vary":
                    headers.add_vary_header(value)
                else:
                    headers.setdefault(name, value)
        await send(message)

    return send_with_headers
