"""What conversations may cost: each by itself, and all of a day together, in any process."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta

from loguru import logger

from sessions import metrics
from sessions.ledger import NOT_KEPT, LedgerError
from sessions.spend import Bill

from .errors import PartFailed, Spent
from .ledger import Books, books
from .meter import Meter, costs
from .parts import Lineup
from .settings import Settings

# So far is the ledger behind.
PERIOD_S = 2.0
# Why a conversation is ended.
ENOUGH, ENOUGH_TODAY = "spend", "spend-day"
Reached = Callable[[str], Awaitable[None]]


async def admit(settings: Settings, lineup: Lineup) -> None:
    """Let a conversation begin that costs something, unless its day has cost enough.

    Raises:
        Spent: it has.
        PartFailed: that is not known.
    """
    limit = settings.avatar_spend_limit_per_day
    if limit is None or not costs(lineup, settings):
        return
    try:
        spent = await books(settings).spent(today())
    except LedgerError as error:
        logger.error(f"No conversation is begun: {error}")
        raise PartFailed(f"No conversation is begun, for {NOT_KEPT}.") from error
    if spent >= limit:
        raise Spent(left_s(datetime.now(UTC)))


def today() -> date:
    """The day on which something is spent now."""
    return datetime.now(UTC).date()


def left_s(now: datetime) -> int:
    """Seconds until the next day, at least one."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo)
    return max(1, round((midnight - now).total_seconds()))


class Budget:
    """Writes what a conversation costs into the ledger, and says when a limit is reached.

    Attributes:
        meter: what reads it.
    """

    def __init__(
        self, settings: Settings, lineup: Lineup, meter: Meter, period_s: float = PERIOD_S
    ) -> None:
        """`meter` reads what is used; it is written every `period_s`.

        Raises:
            UserError: the ledger of the settings cannot be used.
        """
        self._per_conversation = settings.avatar_spend_limit_per_conversation
        self._per_day = settings.avatar_spend_limit_per_day
        self.meter, self._period_s = meter, period_s
        self._books = books(settings) if costs(lineup, settings) else None
        # What all have spent today, as far as that is known; what of the bill is in the ledger, and
        # what of it monitors know.
        self._spent = self._written = self._counted = 0.0
        self._problem = ""
        self._wake, self._closed = asyncio.Event(), False
        self._watching: asyncio.Task[None] | None = None

    @property
    def bill(self) -> Bill:
        """What the conversation has cost until now."""
        return self.meter.bill

    def watch(self, reached: Reached | None = None) -> None:
        """Write from now on, and tell once, and which, when a limit is reached.

        With nobody to tell, the ledger is left alone while nothing is spent.
        """
        if self._books:
            self._watching = asyncio.create_task(self._watch(self._books, reached))

    def nudge(self) -> None:
        """Write now, and not only after the period; nobody waits for it."""
        self._wake.set()

    async def close(self) -> None:
        """Write the rest, which goes on though nobody waits for it any more."""
        self._closed = True
        self._wake.set()
        if self._watching:
            await asyncio.shield(self._watching)

    async def _watch(self, kept: Books, reached: Reached | None) -> None:
        told = closed = False
        while not closed:
            await self._pause()
            # While it is written, more may be spent, and this be closed: that is written next.
            closed = self._closed
            await self.meter.ask()
            await self._write(kept, limited=reached is not None)
            limit = "" if told or self._closed or not reached else self._limit()
            if limit and reached:
                told = True
                await reached(limit)

    async def _pause(self) -> None:
        """Wait for the period, or a nudge; no task is between, so that it is heeded at once."""
        timer = asyncio.get_running_loop().call_later(self._period_s, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        self._wake.clear()

    async def _write(self, kept: Books, *, limited: bool) -> None:
        dollars = self.bill.dollars
        metrics.spent(dollars - self._counted)
        self._counted = dollars
        try:
            if dollars > self._written:
                self._spent = await kept.spend(today(), dollars - self._written)
                self._written = dollars
            elif limited and self._per_day is not None:
                self._spent = await kept.spent(today())
            self._problem = ""
        except LedgerError as error:
            if str(error) != self._problem:
                logger.error(f"What a conversation costs is not written down: {error}")
            self._problem = str(error)

    def _limit(self) -> str:
        dollars = self.bill.dollars
        if self._per_conversation is not None and dollars >= self._per_conversation:
            return ENOUGH
        spent = self._spent + dollars - self._written
        return ENOUGH_TODAY if self._per_day is not None and spent >= self._per_day else ""
