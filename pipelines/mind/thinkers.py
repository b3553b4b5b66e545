"""Who thinks for a server that lends its mind: a mind for each question, some kept warm."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp

from pipelines.budget import admit
from pipelines.errors import PartFailed
from pipelines.parts import Lineup
from pipelines.persona import Persona
from pipelines.settings import Settings

from .thinker import CLOSED, Thinker

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
        # Questions from their admission on, who thinks about them, and who ends in the background.
        self._questions = 0
        self._at_work: set[Thinker] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    @asynccontextmanager
    async def one(self, id: str, persona: Persona) -> AsyncIterator[Thinker]:
        """One for the persona of an id, whom nobody else asks meanwhile.

        Raises:
            UserError: a mind cannot be built as the settings ask.
            PartFailed: it does not start, all are closed, or whether the day has cost enough is
                not known.
            Spent: conversations have cost as much as they may today.
        """
        with self._asked():
            await admit(self._settings, self._lineup)
            resting = self._resting.setdefault(id, [])
            thinker = self._rested(resting) or self._new(persona)
            self._at_work.add(thinker)
            try:
                if not thinker.fit:
                    await thinker.open()
                yield thinker
            finally:
                self._at_work.discard(thinker)
                if thinker.fit and len(resting) < RESTING and not self._closed:
                    resting.append(thinker)
                else:
                    self._end(thinker)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        self._questions += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._questions -= 1
            if not self._questions:
                self._idle.set()

    async def close(self) -> None:
        """Let those finish who answer, for a moment, and end all."""
        self._closed = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), FINISHES_S)
        resting = [each for some in self._resting.values() for each in some]
        self._resting.clear()
        for each in [*resting, *self._at_work]:
            self._end(each)
        await asyncio.gather(*self._ending)
        if self._http:
            await self._http.close()

    def _end(self, thinker: Thinker) -> None:
        """Close one, for which nobody waits but `close()`: its ledger may take seconds."""
        ending = asyncio.create_task(thinker.close())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    def _rested(self, resting: list[Thinker]) -> Thinker | None:
        while resting:
            thinker = resting.pop()
            if thinker.fit:
                return thinker
            self._end(thinker)
        return None

    def _new(self, persona: Persona) -> Thinker:
        """One that is to be opened."""
        if self._closed:
            raise PartFailed(CLOSED)
        if self._http is None:
            connector = aiohttp.TCPConnector(keepalive_timeout=KEPT_S)
            self._http = aiohttp.ClientSession(connector=connector)
        return Thinker(self._settings, self._lineup, persona, self._http)
