"""The ledger as conversations keep it: what is paid for is in it from before its beginning."""

import asyncio
import hashlib
import importlib.util
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import TypeVar

from sessions.ledger import Entry, FileLedger, Ledger, LedgerError, Paid

from .errors import BadSetting, MissingExtra
from .installation import adds
from .once import once
from .parts import Lineup
from .settings import Settings

T = TypeVar("T")
LIVEAVATAR, DAILY = "liveavatar", "daily"
PAID_PARTS = ("heygen", "full", "daily")
DATABASES = ("postgresql://", "postgres://")
FIX = "mend that, or give another folder"


class Books:
    """The ledger of this process, written in order and beside the event loop.

    Attributes:
        owed: what was to be ended, and whose vendor has not confirmed it.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.owed: set[Paid] = set()
        self._desk = ThreadPoolExecutor(1, "ledger")
        self._told: dict[Paid, Callable[[], None]] = {}

    async def open(self, paid: Paid) -> None:
        """Write down what is about to be begun. Raises: LedgerError."""
        await self._do(lambda: self.ledger.open(paid))

    async def over(self, paid: Paid) -> None:
        """Write down that something is over. Raises: LedgerError."""
        await self._do(lambda: self.ledger.over(paid))
        self.owed.discard(paid)
        if tell := self._told.pop(paid, None):
            tell()

    def when_over(self, paid: Paid, tell: Callable[[], None]) -> None:
        """Have it told once somebody of this process has confirmed the end."""
        self._told[paid] = tell

    async def entries(self) -> list[Entry]:
        """What is open. Raises: LedgerError."""
        return await self._do(self.ledger.entries)

    async def spend(self, day: date, dollars: float) -> float:
        """Add to what all processes have spent on a day; gives the sum. Raises: LedgerError."""
        return await self._do(lambda: self.ledger.spend(day, dollars))

    async def spent(self, day: date) -> float:
        """What all processes have spent on a day, in dollars. Raises: LedgerError."""
        return await self._do(lambda: self.ledger.spent(day))

    async def left(self, settings: Settings) -> set[Paid]:
        """What is to be ended: of dead processes, and of this one. Raises: LedgerError."""
        accounts = {account(settings, kind) for kind in (LIVEAVATAR, DAILY)} - {""}
        adopted = await self._do(lambda: self.ledger.adopt(accounts))
        self.owed |= set(adopted)
        return {paid for paid in self.owed if paid.account in accounts}

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._desk, work)


def books(settings: Settings) -> Books:
    """The ledger of the settings, which is one for the whole process.

    Raises:
        MissingExtra: it is in PostgreSQL, and what that needs is not installed.
        BadSetting: its folder is in somebody's home, and there is no such home.
    """
    if settings.avatar_ledger.startswith(DATABASES):
        return _books(settings.avatar_ledger)
    try:
        return _books(str(Path(settings.avatar_ledger).expanduser().absolute()))
    except RuntimeError:
        raise bad_ledger(settings, "is in a home that is not known") from None


@once
def _books(where: str) -> Books:
    if not where.startswith(DATABASES):
        return Books(FileLedger(Path(where)))
    if not importlib.util.find_spec("psycopg"):
        raise MissingExtra(["AVATAR_LEDGER=postgresql://…"], adds("postgres"))
    from sessions.postgres import PostgresLedger

    return Books(PostgresLedger(where))


def check(settings: Settings, lineup: Lineup) -> None:
    """See to it that what a line-up pays for can be written down, and a limit of the day be kept.

    Raises:
        BadSetting: it cannot.
        MissingExtra: what that needs is not installed.
    """
    paid = any(choice.part.value in PAID_PARTS for choice in lineup.values())
    if not paid and settings.avatar_spend_limit_per_day is None:
        return
    try:
        books(settings).ledger.hold()
    except LedgerError as error:
        raise bad_ledger(settings, f"cannot be used: {error}") from None


def bad_ledger(settings: Settings, problem: str) -> BadSetting:
    """What to say of a ledger that cannot be used."""
    return BadSetting("AVATAR_LEDGER", problem, FIX)


def paid(settings: Settings, kind: str, id: str, lasts_s: float) -> Paid:
    """Something that is about to be begun, and lasts so many seconds at most."""
    now = time.time()
    return Paid(kind, id, account(settings, kind), now, now + lasts_s)


def account(settings: Settings, kind: str) -> str:
    """Tells the accounts at a vendor apart; "" without a key."""
    url, key = {
        LIVEAVATAR: (settings.liveavatar_base_url, settings.liveavatar_api_key),
        DAILY: (settings.daily_base_url, settings.daily_api_key),
    }[kind]
    whole = f"{url.rstrip('/')} {key.get_secret_value()}"
    return hashlib.sha256(whole.encode()).hexdigest()[:12] if key else ""
