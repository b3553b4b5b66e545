"""All that is asked of a server once it is loaded, and what happens until its end."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from loguru import logger
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from bots.running import RUNNING, Stop
from bots.server.casting import Casting
from bots.server.files import Files, storage
from bots.server.front import Front
from bots.server.harness import Harness, Tickets
from bots.server.metrics import Metrics
from bots.server.origins import MIND
from bots.server.relays import Relays
from bots.server.seats import Seats
from bots.server.start import Start
from bots.server.visits import Visits
from bots.server.webrtc import WebRtc
from pipelines.ending import reaping
from pipelines.lent import Lender, is_lent
from pipelines.media import rate
from pipelines.parts import Lineup
from pipelines.settings import Settings

if TYPE_CHECKING:
    from bots.server.completions import Completions

# Pipecat's own page, as its `frontend` serves it, which brings FastAPI and prints where it looks.
PIPECATS_CLIENT = ("pipecat_ai_prebuilt", "client/dist")


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
        self._lender = Lender(settings) if is_lent(settings) else None
        self._has_ticket = tickets.has
        self._mind = _mind(casting, lineup) if self._lender else None
        visits = self._visits = Visits(kept, seats=Seats(most, _overloaded(settings)))
        self._start = Start(casting, visits, tickets, kept, self._lender)
        self._webrtc = WebRtc(casting, visits, kept)
        self._harness = Harness(casting, tickets, visits.seats)
        self._files = Files(settings, visits, kept)
        self._relays = Relays(visits)
        self._metrics = Metrics(settings)

    @property
    def routes(self) -> list[BaseRoute]:
        """What can be asked for, beside what the front answers."""
        start, webrtc, files, harness = self._start, self._webrtc, self._files, self._harness
        return [
            Mount("/client", StaticFiles(packages=[PIPECATS_CLIENT], html=True)),
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

    @asynccontextmanager
    async def life(self, listeners: Sequence[socket.socket], stop: Stop) -> AsyncIterator[None]:
        """Answer requests until the block ends, with nothing to load before."""
        front = Front(self._settings, self._lineup)
        async with front.life(listeners), self.behind(front, listeners, stop):
            yield

    @asynccontextmanager
    async def behind(
        self, front: Front, listeners: Sequence[socket.socket], stop: Stop
    ) -> AsyncIterator[None]:
        """Answer what comes by a front that is there already, until the block ends.

        Then conversations end before connections do.
        """
        async with reaping(self._settings):
            lending = self._lend(listeners[0].getsockname()[1])
            doubt = self._lender.doubt if self._lender else None
            front.open(self.routes, self._has_ticket, self._relays.bucket, doubt)
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
        from bots.lending import lend  # and LiveAvatar's client

        self._lender.opened(port)
        return asyncio.create_task(lend(self._settings, self._lender, self._mind.models, self._say))


def _overloaded(settings: Settings) -> Callable[[], bool]:
    """Whether this machine does more than it can; who has said how many it holds knows better."""
    return (lambda: False) if settings.avatar_max_conversations else rate.any_still


def _mind(casting: Casting, lineup: Lineup) -> "Completions":
    """The mind that is lent, which brings OpenAI's client."""
    from bots.server.completions import Completions

    return Completions(casting, lineup)


def _asked(mind: "Completions") -> list[BaseRoute]:
    """Where a mind that is lent is asked; some add /v1 to an address that ends so already."""
    return [
        route
        for root in (MIND, f"{MIND}v1/")
        for route in (
            Route(f"{root}models", mind.offer),
            Route(f"{root}chat/completions", mind.complete, methods=["POST"]),
        )
    ]
