"""What is paid for is ended: asked for until its vendor confirms it, also for who died before."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain, repeat

import aiohttp
from loguru import logger

from liveavatar import LiveAvatarError
from sessions.ledger import LedgerError, Paid

from .errors import PartFailed
from .ledger import DAILY, LIVEAVATAR, Books, account, books
from .redaction import redacted
from .settings import Settings

TIMEOUT_S = 10.0
# A conversation waits so long between its tries, and then leaves it to the rest of the process.
FEW_WAITS_S = (1.0, 2.0)
# Which goes on with these, and then with the last of them.
WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
PERIOD_S = 10.0


async def end(
    paid: Paid,
    settings: Settings,
    http: aiohttp.ClientSession,
    waits_s: Sequence[float] = FEW_WAITS_S,
    limit_s: float = TIMEOUT_S,
) -> str:
    """End something paid; says why that is not confirmed, or "".

    What is not is tried again by the process, and then by others.

    Args:
        paid: what is to be ended.
        settings: the key of its vendor.
        http: what is asked by.
        waits_s: before each further try.
        limit_s: how long each may take.
    """
    if paid.account != account(settings, paid.kind):
        return f"{paid.kind} {paid.id} belongs to another account, whose key is not set"
    kept, why = books(settings), "it was not asked for"
    try:
        for wait_s in (0.0, *waits_s):
            await asyncio.sleep(wait_s)
            if not (why := await _ended(paid, settings, http, kept, limit_s)):
                break
            logger.error(why)
    finally:
        if why:
            kept.owed.add(paid)
    return why


async def _ended(
    paid: Paid,
    settings: Settings,
    http: aiohttp.ClientSession,
    kept: Books,
    limit_s: float = TIMEOUT_S,
) -> str:
    """End it and note so; says why it did not succeed, or ""."""
    try:
        async with asyncio.timeout(limit_s):
            await _ask(paid, settings, http)
        await kept.over(paid)
    except (LiveAvatarError, PartFailed, LedgerError, aiohttp.ClientError, TimeoutError) as error:
        why = redacted(str(error)) or "time-out"
        return f"The end of {paid.kind} {paid.id} is not confirmed: {why}"
    return ""


async def _ask(paid: Paid, settings: Settings, http: aiohttp.ClientSession) -> None:
    if paid.kind == LIVEAVATAR:
        from liveavatar.rest import stop_session  # and its messages, for those who have sessions

        key = settings.liveavatar_api_key.get_secret_value()
        await stop_session(http, settings.liveavatar_base_url, key, paid.id)
    else:
        await _delete_room(paid.id, settings, http)


async def _delete_room(name: str, settings: Settings, http: aiohttp.ClientSession) -> None:
    url = f"{settings.daily_base_url.rstrip('/')}/rooms/{name}"
    headers = {"Authorization": f"Bearer {settings.daily_api_key.get_secret_value()}"}
    async with http.delete(url, headers=headers) as answer:
        if not answer.ok and answer.status != 404:
            raise PartFailed(f"Daily answered {answer.status}")


@asynccontextmanager
async def reaping(settings: Settings) -> AsyncIterator[None]:
    """End what dead processes have left open, now and again and again, until the block ends."""
    if not any(account(settings, kind) for kind in (LIVEAVATAR, DAILY)):
        yield
        return
    reaper = asyncio.create_task(_reap(settings))
    try:
        yield
    finally:
        reaper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reaper


async def _reap(settings: Settings) -> None:
    kept, at_work, told = books(settings), dict[Paid, asyncio.Task[None]](), ""
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        while True:
            why = ""
            try:
                for paid in await kept.left(settings) - at_work.keys():
                    work = tasks.create_task(_end_for_good(paid, settings, http, kept))
                    at_work[paid] = work
                    work.add_done_callback(lambda _, paid=paid: at_work.pop(paid))
            except LedgerError as error:
                why = str(error)
            if why and why != told:
                logger.error(f"What others have left open is not ended: {why}")
            told = why
            await asyncio.sleep(PERIOD_S)


async def _is_written_off(paid: Paid, kept: Books) -> bool:
    """Whether the ledger has taken in that something is over for long, whatever its vendor says."""
    try:
        await kept.over(paid)
    except LedgerError as error:
        logger.error(f"{paid.kind} {paid.id} is over, which is not written down: {error}")
        return False
    return True


async def _end_for_good(
    paid: Paid, settings: Settings, http: aiohttp.ClientSession, kept: Books
) -> None:
    for wait_s in chain(WAITS_S, repeat(WAITS_S[-1])):
        why = await _ended(paid, settings, http, kept)
        if not why:
            logger.info(f"{paid.kind} {paid.id}, which was left open, is ended.")
            return
        logger.error(why)
        if paid.is_past(time.time()) and await _is_written_off(paid, kept):
            return
        await asyncio.sleep(wait_s)
