"""The server: its routes, and what happens from its start to its end."""

import asyncio
import contextlib
import io
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from loguru import logger
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bots.lending import lend
from bots.running import RUNNING, Stop, stop_on_signals
from bots.server import page
from bots.server.casting import Casting
from bots.server.completion import Envelope
from bots.server.completions import Completions
from bots.server.doors import EXCHANGE, Doors, Exchange, Keys
from bots.server.files import Files, storage
from bots.server.harness import Harness, Tickets
from bots.server.limits import Buckets, Pace, Reading
from bots.server.metrics import Metrics
from bots.server.origins import MIND, Guard, Origins
from bots.server.passes import Passes
from bots.server.refusal import MISTAKE, Refused, refuse
from bots.server.relays import Relays
from bots.server.seats import Seats
from bots.server.start import Start
from bots.server.visits import Visits
from bots.server.webrtc import WebRtc
from pipelines.ending import reaping
from pipelines.errors import AvatarError
from pipelines.lent import Lender, is_lent
from pipelines.media import rate
from pipelines.parts import Lineup
from pipelines.settings import Settings
from web.serving import serving

# Of a WebSocket, in bytes: seconds of sound.
LONGEST_MESSAGE = 1024 * 1024
QUIET = ("WARNING", "ERROR")


class Server:
    """One server: the settings it was started with, and who is visiting.

    It holds `most` conversations at a time. If that is nobody's wish but measured, it takes no
    other one while a face stands still. `say` tells whoever has started it of a mind that is lent.
    """

    def __init__(
        self,
        casting: Casting,
        lineup: Lineup,
        most: int = sys.maxsize,
        say: Callable[[str], None] = logger.info,
    ) -> None:
        settings, self._say = casting.settings, say
        self._settings = settings
        self._lineup = lineup
        kept, tickets = storage(settings), Tickets()
        passes = Passes.of(settings)
        self._lender = Lender(settings) if is_lent(settings) else None
        self._has_ticket = tickets.has
        self._keys, self._exchange = _keys(settings, passes, self._lender), Exchange(passes)
        self._mind = Completions(casting, lineup) if self._lender else None
        visits = self._visits = Visits(kept, seats=Seats(most, _overloaded(settings)))
        self._start = Start(casting, visits, tickets, kept, self._lender)
        self._webrtc = WebRtc(casting, visits, kept)
        self._harness = Harness(casting, tickets, visits.seats)
        self._files = Files(settings, visits, kept)
        self._relays = Relays(visits)
        self._metrics = Metrics(settings)

    @property
    def routes(self) -> list[BaseRoute]:
        """Everything that can be asked for."""
        start, webrtc, files, harness = self._start, self._webrtc, self._files, self._harness
        return [
            *page.routes(self._settings, self._lineup),
            Mount("/client", _pipecats_client()),
            Route(EXCHANGE, self._exchange.visit, methods=["POST"]),
            Route("/health", _alive),
            Route("/ready", start.ready),
            Route("/metrics", self._metrics.show),
            Route("/status", start.status),
            Route("/start", start.start, methods=["POST"]),
            Route("/daily", start.daily),
            Route("/api/offer", webrtc.offer, methods=["POST"]),
            Route("/api/offer", webrtc.candidates, methods=["PATCH"]),
            Route("/sessions/{session_id}/api/offer", webrtc.offer, methods=["POST"]),
            Route("/sessions/{session_id}/api/offer", webrtc.candidates, methods=["PATCH"]),
            Route("/sessions/{session_id}/files", files.send, methods=["POST"]),
            Route("/sessions/{session_id}/events", self._relays.take, methods=["POST"]),
            Route("/files", files.send, methods=["POST"]),
            Route("/files/{path:path}", files.load),
            WebSocketRoute("/ws", harness.meet),
            WebSocketRoute("/ws/{token}", harness.meet),
            *(_asked(self._mind) if self._mind else []),
        ]

    @property
    def application(self) -> Starlette:
        """The routes, behind the guard, with every failure in a sentence."""
        return Starlette(
            routes=self.routes,
            middleware=[
                Middleware(Envelope),
                Middleware(Reading),
                Middleware(Guard, Origins.of(self._settings)),
                Middleware(Pace, Buckets(), self._bucket),
                Middleware(Doors, self._keys, self._has_ticket),
            ],
            exception_handlers={
                Refused: _refused,
                HTTPException: _http_refused,
                AvatarError: _failed,
                Exception: _broken,
            },
        )

    def _bucket(self, scope: Scope) -> str | None:
        """What a request is counted by: the mind bounds its own questions."""
        return None if self._keys.opens_mind(scope) else self._relays.bucket(scope)

    @asynccontextmanager
    async def life(self, listeners: Sequence[socket.socket], stop: Stop) -> AsyncIterator[None]:
        """Answer requests until the block ends; then conversations end before connections do."""
        quiet = self._settings.avatar_log_level in QUIET
        trusted = self._settings.avatar_trusted_proxies
        async with (
            reaping(self._settings),
            serving(
                self.application,
                listeners,
                access_log=not quiet,
                ws_max_size=LONGEST_MESSAGE,
                proxy_headers=bool(trusted),
                forwarded_allow_ips=trusted,
            ),
        ):
            lending = self._lend(listeners[0].getsockname()[1])
            try:
                yield
            finally:
                if lending:
                    lending.cancel()
                self._visits.close()
                await RUNNING.end_all(stop)
                await self._visits.settle()
                await self._webrtc.close()
                if self._mind:
                    await self._mind.close()

    def _lend(self, port: int) -> asyncio.Task[None] | None:
        """Lend the mind that answers at this port, beside everything else."""
        if not (self._lender and self._mind):
            return None
        self._lender.opened(port)
        return asyncio.create_task(lend(self._settings, self._lender, self._mind.models, self._say))


async def serve(
    casting: Casting,
    lineup: Lineup,
    most: int,
    listeners: Sequence[socket.socket],
    ready: Callable[[], None],
    say: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C or SIGTERM, `most` conversations at a time."""
    stop = stop_on_signals()
    async with Server(casting, lineup, most, say).life(listeners, stop):
        ready()
        await stop.wait()


def _overloaded(settings: Settings) -> Callable[[], bool]:
    """Whether this machine does more than it can; who has said how many it holds knows better."""
    return (lambda: False) if settings.avatar_max_conversations else rate.any_still


def _keys(settings: Settings, passes: Passes | None, lender: Lender | None) -> Keys:
    return Keys(settings, passes, lender.bearer, lender.doubt) if lender else Keys(settings, passes)


def _asked(mind: Completions) -> list[BaseRoute]:
    """Where a mind that is lent is asked; some add /v1 to an address that ends so already."""
    return [
        route
        for root in (MIND, f"{MIND}v1/")
        for route in (
            Route(f"{root}models", mind.offer),
            Route(f"{root}chat/completions", mind.complete, methods=["POST"]),
        )
    ]


def _pipecats_client() -> StaticFiles:
    with contextlib.redirect_stdout(io.StringIO()):  # it prints where it looks for its files
        from pipecat_ai_prebuilt.frontend import PipecatPrebuiltUI
    return PipecatPrebuiltUI


def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "alive"})


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.answer


async def _http_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = refuse(error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


async def _failed(_request: Request, error: Exception) -> Response:
    return refuse(500, str(error))


async def _broken(_request: Request, _error: Exception) -> Response:
    return refuse(500, MISTAKE)
