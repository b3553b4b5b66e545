"""The server: its routes, and what happens from its start to its end."""

import contextlib
import io
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from bots.running import RUNNING, stop_on_signals
from bots.server import page
from bots.server.casting import Casting
from bots.server.files import Files, storage
from bots.server.harness import Harness, Tickets
from bots.server.origins import Guard, Origins
from bots.server.refusal import MISTAKE, Refused, refuse
from bots.server.start import Start
from bots.server.visits import Visits
from bots.server.webrtc import WebRtc
from pipelines.errors import AvatarError
from pipelines.parts import Lineup
from web.serving import serving

QUIET = ("WARNING", "ERROR")


class Server:
    """One server: the settings it was started with, and who is visiting."""

    def __init__(self, casting: Casting, lineup: Lineup) -> None:
        settings = casting.settings
        self._settings = settings
        self._lineup = lineup
        kept, tickets = storage(settings), Tickets()
        visits = Visits(kept)
        self._start = Start(casting, visits, tickets, kept)
        self._webrtc = WebRtc(casting, visits, kept)
        self._harness = Harness(casting, tickets)
        self._files = Files(settings, visits, kept)

    @property
    def routes(self) -> list[BaseRoute]:
        """Everything that can be asked for."""
        start, webrtc, files, harness = self._start, self._webrtc, self._files, self._harness
        return [
            *page.routes(self._settings, self._lineup),
            Mount("/client", _pipecats_client()),
            Route("/status", start.status),
            Route("/start", start.start, methods=["POST"]),
            Route("/daily", start.daily),
            Route("/api/offer", webrtc.offer, methods=["POST"]),
            Route("/api/offer", webrtc.candidates, methods=["PATCH"]),
            Route("/sessions/{session_id}/api/offer", webrtc.offer, methods=["POST"]),
            Route("/sessions/{session_id}/api/offer", webrtc.candidates, methods=["PATCH"]),
            Route("/sessions/{session_id}/files", files.send, methods=["POST"]),
            Route("/files", files.send, methods=["POST"]),
            Route("/files/{path:path}", files.load),
            WebSocketRoute("/ws", harness.meet),
            WebSocketRoute("/ws/{token}", harness.meet),
        ]

    @property
    def application(self) -> Starlette:
        """The routes, behind the guard, with every failure in a sentence."""
        return Starlette(
            routes=self.routes,
            middleware=[Middleware(Guard, Origins.of(self._settings))],
            exception_handlers={
                Refused: _refused,
                HTTPException: _http_refused,
                AvatarError: _failed,
                Exception: _broken,
            },
        )

    @asynccontextmanager
    async def life(self, listeners: Sequence[socket.socket]) -> AsyncIterator[None]:
        """Answer requests until the block ends; then conversations end before connections do."""
        quiet = self._settings.avatar_log_level in QUIET
        async with serving(self.application, listeners, access_log=not quiet):
            try:
                yield
            finally:
                await RUNNING.end_all()
                await self._webrtc.close()


async def serve(
    casting: Casting, lineup: Lineup, listeners: Sequence[socket.socket], ready: Callable[[], None]
) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    stop = stop_on_signals()
    async with Server(casting, lineup).life(listeners):
        ready()
        await stop.wait()


def _pipecats_client() -> StaticFiles:
    with contextlib.redirect_stdout(io.StringIO()):  # it prints where it looks for its files
        from pipecat_ai_prebuilt.frontend import PipecatPrebuiltUI
    return PipecatPrebuiltUI


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refuse(error.status, str(error))


async def _http_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = refuse(error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


async def _failed(_request: Request, error: Exception) -> Response:
    return refuse(500, str(error))


async def _broken(_request: Request, _error: Exception) -> Response:
    return refuse(500, MISTAKE)
