"""Every fault of the face, side by side: what is heard and seen, and what stays open."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from pipelines.avatar.puppet import PuppetVideoService
from pipelines.guard.cast import Cast
from pipelines.guard.portrait import Portrait
from pipelines.joining import all_left
from puppet import load_pack
from sandbox import LiveKit, sandbox
from tests.faults import Cell
from tests.faults.broken import BrokenLiveAvatar
from tests.faults.deaths import Act, freeze, remove
from tests.faults.detour import Detour, empty_room, way
from tests.faults.faces import (
    BY_ANOTHER,
    BY_BOT,
    BY_FACE,
    DIRECT,
    GOES_ON,
    LATE,
    OWN,
    REACHED,
    REFUSED,
    REST,
    ROOM,
    SOCKET,
)
from tests.faults.gallery import Show, in_own_room, in_room, show, showing
from tests.standins.line import Line
from tests.standins.liveavatar import LiveAvatar

pytestmark = [pytest.mark.realtime, pytest.mark.asyncio(loop_scope="module")]
TONES, SOME = 7, 2
# What a busy machine may add.
SLACK_S = 1.0
# Sessions with an avatar that is drawn, heard and seen; those without cost little.
AT_ONCE, LIGHT_AT_ONCE = 1, 6
ANSWERS = {
    (REST, "402"): "start:answer status=402",
    (REST, "429"): "token:answer status=429",
    (REST, "500"): "start:answer status=500",
    (REST, "hangs at connect"): "start:delay by=60",
    (REST, "slow 2x"): "start:delay by=0.6 times=1",
    (REST, "slow 10x"): "start:delay by=3 times=1",
    (OWN, "slow 2x"): "start:delay by=0.6 times=1",
    (OWN, "slow 10x"): "start:delay by=3 times=1",
    (SOCKET, "closes in mid-stream"): "speak:close-ws after=1 times=1",
    (ROOM, "closes in mid-stream"): "speak:close-room after=1 times=1",
    (ROOM, "empty answer"): "room:no-video",
    (DIRECT, "500"): "start:answer status=500",
    (DIRECT, "slow 10x"): "start:delay by=3 times=1",
    (DIRECT, "empty answer"): "room:no-video",
    (DIRECT, "hangs in mid-stream"): "room:no-voice times=1",
}
BROKEN = (
    "closes in mid-stream",
    "garbage",
    "empty answer",
    "hangs in mid-stream",
    "partial then silence",
)
# The session is there, and the way to its WebSocket, or into its room, is not.
NO_WAY = {
    *((vendor, fault) for vendor in (SOCKET, ROOM) for fault in (*REFUSED, "hangs at connect")),
    (ROOM, "garbage"),
    (ROOM, "partial then silence"),
}
# The way to a session that is performed is at fault.
BAD_WAY = {
    *((SOCKET, fault) for fault in ("slow 2x", "slow 10x", "hangs in mid-stream", "garbage")),
    *((ROOM, fault) for fault in ("slow 2x", "slow 10x", "hangs in mid-stream")),
    (OWN, "hangs in mid-stream"),
}
FIELDS = {SOCKET: "ws_url", OWN: "ws_url", ROOM: "livekit_url"}
Work = Callable[[LiveKit], Awaitable[Any]]


class Breaking(PuppetVideoService):
    """A puppet that runs out of paint in mid-speech."""

    drawn = 0

    async def _seen(self):
        self.drawn += self._player.speaking
        assert self.drawn < 20, "out of paint"
        return await super()._seen()


def breaking() -> Cast:
    """That puppet, and its portrait."""
    pack, size = load_pack("theo"), (256, 144)
    return Cast(lambda: Breaking(pack, size), [lambda: Portrait(pack, size)])


@dataclass
class Outcome:
    """How an answer with a fault went."""

    heard: list[int]
    waited_s: float
    left_open: int


@dataclass
class Stage:
    """A face that is on, and its vendor: what is open there, and what is to happen when."""

    on: Show
    open_sessions: Callable[[], int] = lambda: 0
    before: Act | None = None
    amid: Act | None = None


def cut(line: Line, fault: str) -> Act:
    """The line goes dead, or what comes back over it is garbage."""

    async def act() -> None:
        line.cut("garbage" if fault == "garbage" else "dead", 0)

    return act


@asynccontextmanager
async def staged(cell: Cell, livekit: LiveKit) -> AsyncIterator[Stage]:
    """A guarded face whose vendor has the fault."""
    key = cell.vendor, cell.fault
    async with AsyncExitStack() as stack:
        if cell.vendor == "puppet":
            yield Stage(await stack.enter_async_context(showing(breaking())))
        elif cell.vendor == REST and cell.fault in BROKEN:
            vendor = await stack.enter_async_context(BrokenLiveAvatar(cell.fault))
            on = await stack.enter_async_context(show(vendor.url, vendor.key))
            yield Stage(on, lambda: len(vendor.state.open_sessions))
        elif key in NO_WAY:
            yield await _without_way(cell, livekit, stack)
        else:
            yield await _performed(cell, livekit, stack)


async def _without_way(cell: Cell, livekit: LiveKit, stack: AsyncExitStack) -> Stage:
    """A session with an empty room; its WebSocket, or the room, is not reached."""
    vendor = await stack.enter_async_context(LiveAvatar())
    end = vendor.ws_url if cell.vendor == SOCKET else livekit.url
    root, line = await stack.enter_async_context(way(cell.fault, end))
    says = {**empty_room(livekit), FIELDS[cell.vendor]: root}
    detour = await stack.enter_async_context(Detour(vendor.url, says))
    if line and cell.fault == "garbage":
        line.cut("garbage", 0)
    on = await stack.enter_async_context(show(detour.url, vendor.key))
    return Stage(on, lambda: len(vendor.state.open_sessions))


async def _performed(cell: Cell, livekit: LiveKit, stack: AsyncExitStack) -> Stage:
    """A session of the sandbox."""
    key = cell.vendor, cell.fault
    faults = [ANSWERS[key]] if key in ANSWERS else []
    at = await stack.enter_async_context(sandbox(livekit, faults=faults))
    elsewhere = {"refused": "http://127.0.0.1:9", "DNS gone": "http://nowhere.invalid"}
    url, line = elsewhere.get(cell.fault, at.url), None
    if key in BAD_WAY:
        end = livekit.url if cell.vendor == ROOM else at.url
        root, line = await stack.enter_async_context(way(cell.fault, end))
        url = (await stack.enter_async_context(Detour(url, {FIELDS[cell.vendor]: root}))).url
    opened = {OWN: in_own_room, DIRECT: partial(in_room, livekit=livekit)}.get(cell.vendor, show)
    on = await stack.enter_async_context(opened(url, "wrong" if cell.fault == "401" else at.key))
    stage = Stage(on, lambda: len(at.desk.account.active()))
    if line and not cell.fault.startswith("slow"):
        stage.before = cut(line, cell.fault)
    elif key == (SOCKET, "empty answer"):
        stage.before = freeze(at)
    elif cell.fault == "partial then silence":
        stage.amid = freeze(at)
    elif key in ((OWN, "closes in mid-stream"), (DIRECT, "closes in mid-stream")):
        stage.amid = remove(at, livekit)
    return stage


async def outcome(cell: Cell, livekit: LiveKit) -> Outcome:
    """Bring the fault about, and let an answer be spoken."""
    async with staged(cell, livekit) as stage:
        on, gallery = stage.on, stage.on.gallery
        awaited = cell.heard in (BY_FACE, BY_ANOTHER, GOES_ON, BY_BOT)
        if awaited:
            own = "stand-in" if cell.vendor == "puppet" else "face"
            await gallery.until(lambda: gallery.shown == own, "the face")
        if stage.before:
            await stage.before()
        began_s = await on.say(TONES)
        if stage.amid:
            await gallery.until(lambda: len(gallery.heard) > SOME, "some tones")
            began_s = time.monotonic()
            await stage.amid()
            await gallery.until(lambda: on.why, "the loss")
        await gallery.until(lambda: gallery.heard[-1:] == [TONES - 1], "the last tone")
        wait_s = gallery.longest_wait_s if awaited else gallery.first_wait_s
        came = Outcome(gallery.heard, wait_s(began_s), 0)
        await gallery.until(lambda: seen(cell, on), cell.seen, 20)
    came.left_open = stage.open_sessions()
    return came


def seen(cell: Cell, on: Show) -> bool:
    """Whether the user sees by now what the cell says."""
    lost = [told for told in on.gallery.told if told["type"] == "face-lost"]
    if cell.seen.startswith(("nothing", "the face,")):
        return on.gallery.shown == "face" and not lost
    return bool(lost) and lost[-1]["picture"]


async def either_generation(events: str, livekit: LiveKit) -> tuple[str, list[Any]]:
    """What is seen and told when LiveAvatar tells so much, and is heard to the end."""
    async with sandbox(livekit, faults=[events]) as at, show(at.url, at.key) as on:
        await on.gallery.until(lambda: on.gallery.shown == "face", "the face")
        await on.say(4)
        await on.gallery.until(lambda: on.gallery.heard == [0, 1, 2, 3], "the tones")
        return on.gallery.shown, on.gallery.told


async def unsent(livekit: LiveKit) -> list[Any]:
    """What LiveAvatar was sent before it said that it is connected."""
    async with sandbox(livekit, faults=["socket:withhold-connected by=2"]) as at:
        async with show(at.url, at.key) as on:
            await on.say(4)
            await on.gallery.until(lambda: on.gallery.shown == "face", "the face")
            assert on.gallery.heard == [0, 1, 2, 3]
            (session,) = at.desk.account.active()
            return [entry for entry in session.log if entry["way"] == "received"]


EVENTS = ("socket:old-events", "socket:new-events", "socket:drop-acks")
UNSENT = "nothing is sent before it is connected"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outcomes(livekit: LiveKit, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What came of everything that is asked for, some of it at a time."""
    heavy, light = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(LIGHT_AT_ONCE)
    idle = asyncio.Semaphore(len(REACHED))

    async def one(work: Work, room: asyncio.Semaphore) -> Any:
        async with room:
            return await work(livekit)

    works: dict[str, tuple[Work, asyncio.Semaphore]] = {
        str(cell): (partial(outcome, cell), idle if cell.seen == LATE else light)
        for cell in sorted(REACHED, key=lambda cell: cell.seen != LATE)
        if _is_light(cell)
    }
    works |= {str(c): (partial(outcome, c), heavy) for c in reversed(REACHED) if not _is_light(c)}
    works |= {events: (partial(either_generation, events), heavy) for events in EVENTS}
    works[UNSENT] = unsent, heavy
    asked = [item for item in request.session.items if item.path == request.path]
    names = [str(next(iter(item.callspec.params.values()))) for item in asked]  # type: ignore[attr-defined]
    came = await asyncio.gather(*(one(*works[name]) for name in names), return_exceptions=True)
    await all_left()
    return dict(zip(names, came, strict=True))


def _is_light(cell: Cell) -> bool:
    return (cell.vendor, cell.fault) in NO_WAY or (
        cell.vendor == REST and not cell.fault.startswith("slow")
    )


def found(came: Any) -> Any:
    """What came of it, unless it failed."""
    if isinstance(came, BaseException):
        raise came
    return came


@pytest.mark.parametrize("cell", REACHED, ids=str)
async def test_the_answer_is_heard_and_nothing_stays_open(cell, outcomes):
    came = found(outcomes[str(cell)])
    assert came.heard == [*range(TONES)], "no word is lost, and none is said twice"
    assert came.waited_s < cell.within_s + SLACK_S
    assert came.left_open == 0


@pytest.mark.parametrize("events", EVENTS)
async def test_either_generation_of_events_is_read(events, outcomes):
    assert found(outcomes[events]) == ("face", [])


@pytest.mark.parametrize("what", [UNSENT])
async def test_nothing_is_sent_before_liveavatar_is_connected(what, outcomes):
    assert not found(outcomes[what])
