"""The server from its first moment: its doors and its page, before the rest of it is loaded.

Whoever asks for anything else waits until that is there. The doors are the same all the time, so
nothing is reachable while it loads that is not reachable afterwards.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from bots.server import page
from bots.server.doors import EXCHANGE, Doors, Exchange, Keys
from bots.server.limits import Buckets, Pace, Reading, of_all
from bots.server.origins import Guard, Origins, is_mind
from bots.server.passes import Passes
from bots.server.refusal import MISTAKE, Refused, refuse
from pipelines.errors import AvatarError
from pipelines.lent import bearer, is_lent
from pipelines.parts import Lineup
from pipelines.redaction import redacted
from pipelines.settings import Settings
from web.serving import serving

# Of a WebSocket, in bytes: seconds of sound.
LONGEST_MESSAGE = 1024 * 1024
QUIET = ("WARNING", "ERROR")
# Who waits longer for models to load is told to come again.
PATIENCE_S = 30.0
RETRY_S = 5
STARTING = "The avatar is getting ready: try again in a few seconds."
TRY_AGAIN_LATER = 1013


class Front:
    """What answers from the first moment on.

    Attributes:
        patience_s: how long somebody waits for what is being loaded.
    """

    def __init__(self, settings: Settings, lineup: Lineup, patience_s: float = PATIENCE_S) -> None:
        self.patience_s = patience_s
        self._settings = settings
        self._known = asyncio.Event()
        self._failure: AvatarError | Refused | None = None
        self._open = False
        self._has_ticket: Callable[[str], bool] = lambda token: False
        passes = Passes.of(settings)
        self._bucket: Callable[[Scope], str | None] = of_all
        self._doubt: Callable[[], None] | None = None
        mind = bearer(settings) if is_lent(settings) else ""
        self._keys = Keys(settings, passes, mind, self._doubted)
        self._routes = [
            *page.routes(settings, lineup, lambda: not self._open),
            Route(EXCHANGE, Exchange(passes).visit, methods=["POST"]),
            Route("/health", self._alive),
        ]
        early = [*self._routes, Route("/ready", _not_ready)]
        self.application = self._application(early)
        self.application.router.default = self._wait

    def open(
        self,
        routes: Sequence[BaseRoute],
        has_ticket: Callable[[str], bool],
        bucket: Callable[[Scope], str | None] = of_all,
        doubt: Callable[[], None] | None = None,
    ) -> None:
        """Answer everything from now on.

        A token of /ws is a ticket if `has_ticket` says so, `bucket` is by what a request is counted
        (see `Pace`), and `doubt` hears of those who ask a mind that is lent with a wrong bearer.
        """
        router = self.application.router
        self._has_ticket, self._bucket, self._doubt = has_ticket, bucket, doubt
        router.routes[:] = [*self._routes, *routes]
        router.default = router.not_found
        self._open = True
        self._known.set()

    def _counted(self, scope: Scope) -> str | None:
        """By what a request is counted; the mind bounds its own questions."""
        return None if self._keys.opens_mind(scope) else self._bucket(scope)

    def _doubted(self) -> None:
        if self._doubt:
            self._doubt()

    def fail(self, error: Exception) -> None:
        """Tell whoever waits that there will be nothing, and why."""
        told = isinstance(error, (AvatarError, Refused))
        self._failure = error if told else AvatarError(MISTAKE)
        self._known.set()

    @asynccontextmanager
    async def life(self, listeners: Sequence[socket.socket]) -> AsyncIterator[None]:
        """Answer requests until the block ends."""
        trusted = self._settings.avatar_trusted_proxies
        async with serving(
            self.application,
            listeners,
            access_log=self._settings.avatar_log_level not in QUIET,
            ws_max_size=LONGEST_MESSAGE,
            proxy_headers=bool(trusted),
            forwarded_allow_ips=trusted,
        ):
            yield

    def _application(self, routes: Sequence[BaseRoute]) -> Starlette:
        """The routes, behind the guard, with every failure in a sentence."""
        return Starlette(
            routes=list(routes),
            middleware=[
                Middleware(Enveloped),
                Middleware(Reading),
                Middleware(Guard, Origins.of(self._settings)),
                Middleware(Pace, Buckets(), self._counted),
                Middleware(Doors, self._keys, lambda token: self._has_ticket(token)),
            ],
            exception_handlers={
                Refused: _refused,
                HTTPException: _http_refused,
                AvatarError: _failed,
                Exception: _broken,
            },
        )

    def _alive(self, _request: Request) -> Response:
        return JSONResponse({"status": "alive" if self._open else "starting"})

    async def _wait(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold a request until it can be answered.

        Raises:
            Refused: that takes too long, or the server is stopped.
            AvatarError: it will never be.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._known.wait(), self.patience_s)
        if self._open:
            return await self.application.router(scope, receive, send)
        why = str(self._failure or STARTING)
        if scope["type"] == "websocket":
            return await WebSocketClose(TRY_AGAIN_LATER, why)(scope, receive, send)
        raise self._failure or Refused(503, STARTING, RETRY_S)


class Enveloped:
    """Has whoever asks the mind answered in OpenAI's protocol, which is imported for them alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._envelope: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if not is_mind(scope):
            return await self._app(scope, receive, send)
        envelope = self._envelope = self._envelope or await asyncio.to_thread(self._made)
        await envelope(scope, receive, send)

    def _made(self) -> ASGIApp:
        from bots.server.completion import Envelope

        return Envelope(self._app)


def _not_ready(_request: Request) -> Response:
    raise Refused(503, STARTING, RETRY_S)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.answer


async def _http_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = refuse(error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


async def _failed(_request: Request, error: Exception) -> Response:
    return refuse(500, redacted(str(error)))


async def _broken(_request: Request, _error: Exception) -> Response:
    return refuse(500, MISTAKE)
