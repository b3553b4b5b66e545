"""Who thinks for a server that lends its mind: a mind for each question, some kept warm."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp

from pipelines.budget import admit
from pipelines.parts import Lineup
from pipelines.persona import Persona
from pipelines.settings import Settings

from .thinker import Thinker

# Of each persona, so many rest between two questions, their connections open.
RESTING = 4
# A connection to a vendor is kept for so long.
KEPT_S = 120.0
# So long may an answer go on when all are closed; the process is not waited for much longer.
FINISHES_S = 2.0


class Thinkers:
    """All of a server."""

    def __init__(self, settings: Settings, lineup: Lineup) -> None:
        """What a single conversation may cost does not count here: none is known."""
        none = {"avatar_spend_limit_per_conversation": None}
        self._settings = settings.model_copy(update=none)
        self._lineup = {"llm": lineup["llm"]}
        self._http: aiohttp.ClientSession | None = None
        self._resting: dict[str, list[Thinker]] = {}
        self._at_work: set[Thinker] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    @asynccontextmanager
    async def one(self, id: str, persona: Persona) -> AsyncIterator[Thinker]:
        """One for the persona of an id, whom nobody else asks meanwhile.

        Raises:
            UserError: a mind cannot be built as the settings ask.
            PartFailed: it does not start, or whether the day has cost enough is not known.
            Spent: conversations have cost as much as they may today.
        """
        await admit(self._settings, self._lineup)
        resting = self._resting.setdefault(id, [])
        thinker = await self._rested(resting) or await self._new(persona)
        try:
            with self._working(thinker):
                yield thinker
        finally:
            if thinker.fit and len(resting) < RESTING and not self._closed:
                resting.append(thinker)
            else:
                await thinker.close()

    @contextmanager
    def _working(self, thinker: Thinker) -> Iterator[None]:
        self._at_work.add(thinker)
        self._idle.clear()
        try:
            yield
        finally:
            self._at_work.discard(thinker)
            if not self._at_work:
                self._idle.set()

    async def close(self) -> None:
        """Let those finish who answer, for a moment, and end all."""
        self._closed = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), FINISHES_S)
        resting = [each for some in self._resting.values() for each in some]
        self._resting.clear()
        await asyncio.gather(*(each.close() for each in [*resting, *self._at_work]))
        if self._http:
            await self._http.close()

    async def _rested(self, resting: list[Thinker]) -> Thinker | None:
        while resting:
            thinker = resting.pop()
            if thinker.fit:
                return thinker
            await thinker.close()
        return None

    async def _new(self, persona: Persona) -> Thinker:
        if self._http is None:
            connector = aiohttp.TCPConnector(keepalive_timeout=KEPT_S)
            self._http = aiohttp.ClientSession(connector=connector)
        thinker = Thinker(self._settings, self._lineup, persona, self._http)
        try:
            await thinker.open()
        except BaseException:
            await thinker.close()
            raise
        return thinker
