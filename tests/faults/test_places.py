"""Every fault of the place: who asks for a room is told why there is none, and none stays open."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bots.running import Stop
from bots.server import models
from bots.server.app import Server
from bots.server.casting import Casting
from pipelines.parts import choose, part
from pipelines.settings import load_settings
from tests.faults import Cell
from tests.faults.broken import SLOW_S, BrokenDaily, BrokenLiveAvatar
from tests.faults.places import BROKEN, CAUSES, CELLS, DAILY, HANGS, KNOWN_S
from tests.standins.daily import Daily
from tests.standins.line import line_to
from tests.standins.liveavatar import LiveAvatar
from web.port import listen

pytestmark = [pytest.mark.realtime, pytest.mark.asyncio(loop_scope="module")]
# What a busy machine may add.
SLACK_S = 2.0
AT_ONCE = 3
WAITED_FOR = (*HANGS, *SLOW_S)
STATUS = ("401", "402", "429", "500")
PATHS = {DAILY: "/v1/rooms"}


@dataclass
class Outcome:
    """What /start answered, after how long, and what was open in the end."""

    status: int
    answer: dict[str, Any]
    waited_s: float
    left_open: Callable[[], int]


@asynccontextmanager
async def vendor_of(cell: Cell) -> AsyncIterator[tuple[dict[str, Any], Callable[[], int]]]:
    """The vendor with the fault: what leads to it, and what tells how much is open there."""
    if cell.vendor == DAILY:
        server: Any = BrokenDaily(cell.fault) if _breaks(cell) else Daily()
    else:
        server = BrokenLiveAvatar(cell.fault) if _breaks(cell) else LiveAvatar()
    async with server, AsyncExitStack() as stack:
        url = {"refused": "http://127.0.0.1:9", "DNS gone": "http://vendor.invalid"}.get(cell.fault)
        if cell.fault == "hangs at connect":
            url = (await stack.enter_async_context(line_to(server.port, "unanswered"))).url
        if cell.fault in STATUS:
            server.fail(PATHS.get(cell.vendor, "/v1/sessions*"), int(cell.fault), lasts=True)
        url = url or server.url
        if cell.vendor == DAILY:
            yield {"daily_api_key": server.key, "daily_base_url": f"{url}/v1"}, server.rooms_open
        else:
            led = {"liveavatar_api_key": server.key, "liveavatar_base_url": url}
            yield led, lambda: len(server.state.open_sessions)


def _breaks(cell: Cell) -> bool:
    return cell.fault in (*BROKEN, *HANGS[1:], *SLOW_S)


async def asked(cell: Cell, folder: Path, stack: AsyncExitStack, few: asyncio.Semaphore) -> Outcome:
    """Ask a server for a room whose vendor has the fault; the server runs as long as the stack."""
    led, left_open = await stack.enter_async_context(vendor_of(cell))
    transport = "daily" if cell.vendor == DAILY else "heygen"
    settings = load_settings(
        llm="guide",
        transport=transport,
        avatar_transcripts=str(folder / cell.fault),
        avatar_ledger=str(folder / "ledger"),
        **led,
    )
    listeners = listen("127.0.0.1", 0)
    server = Server(Casting(settings), choose(settings))
    await stack.enter_async_context(server.life(listeners, Stop()))
    root = f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
    http = await stack.enter_async_context(aiohttp.ClientSession(root))
    async with few if cell.fault not in WAITED_FOR else contextlib.nullcontext():
        began_s = time.monotonic()
        async with http.post("/start", json={"transport": transport}) as answer:
            told = await answer.json()
            return Outcome(answer.status, told, time.monotonic() - began_s, left_open)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What came of every request; they are made at the same time."""
    folder = tmp_path_factory.mktemp("places")
    await _warm_up()
    async with AsyncExitStack() as stack:
        few = asyncio.Semaphore(AT_ONCE)
        came = await asyncio.gather(*(asked(cell, folder, stack, few) for cell in CELLS))
    return {str(cell): each for cell, each in zip(CELLS, came, strict=True)}


async def _warm_up() -> None:
    """Load what a server has loaded before anybody comes."""
    keys = {"daily_api_key": "none", "liveavatar_api_key": "none"}
    for place in ("daily", "heygen"):
        casting = Casting(load_settings(llm="guide", **keys))
        await models.suit(casting.cast(part("transport", place), {}))


@pytest.mark.parametrize("cell", CELLS, ids=str)
async def test_who_asks_is_answered_and_no_room_stays_open(cell, outcomes):
    came = outcomes[str(cell)]
    known_s = KNOWN_S[cell.vendor] if cell.fault in HANGS else SLOW_S.get(cell.fault, 0.0)
    assert came.waited_s < known_s + cell.within_s + SLACK_S
    if cell.fault in SLOW_S:
        assert came.status == 200 and came.answer["dailyRoom"]
    else:
        assert came.status == 502
        assert _sentence(cell) in came.answer["detail"]
    assert came.left_open() == 0


def _sentence(cell: Cell) -> str:
    if cell.fault in HANGS:
        return "takes too long to answer"
    if cell.vendor != DAILY and cell.fault in BROKEN:
        return "gave no session"
    return CAUSES.get(cell.fault, CAUSES["500"])
