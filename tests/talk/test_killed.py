"""Killed at any point of a conversation, the avatar leaves nothing open: the next start ends it.

Twenty conversations in three processes stand at a point each when their process is killed. What was
asked of a vendor may not have reached it then, or its answer may not have come back.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox import LiveKit
from sessions.ledger import FileLedger
from tests.monitor import numbers
from tests.speech import say
from tests.standins.daily import Daily
from tests.standins.gate import Deed, Gate
from tests.talk.app import AVATAR, SMALL, App, environment, running_app
from tests.talk.rehearsal import Rehearsal, rehearsal
from tests.talk.test_rooms import guest_in, start, until, wait
from tests.talk.visitor import Visitor

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.realtime]
TOKEN, START, STOP = (f"POST /v1/sessions/{name}" for name in ("token", "start", "stop"))
MAKE, KEY, DELETE = "POST /v1/rooms", "POST /v1/meeting-tokens", "DELETE /v1/rooms/*"
ALWAYS: list[Deed] = ["keep" for _ in range(9)]
BOTH: tuple[Deed, ...] = ("keep", "keep the answer")


@dataclass
class Scene:
    """Both vendors, each behind a gate, and the folder whose ledger outlives every process."""

    folder: Path
    flags: tuple[str, ...]
    stage: Rehearsal
    own: Gate
    daily: Daily
    rooms: Gate

    @property
    def env(self) -> Mapping[str, str]:
        """What leads the avatar to the gates."""
        return {
            "LIVEAVATAR_BASE_URL": self.own.url,
            "LIVEAVATAR_API_KEY": self.stage.key,
            "DAILY_BASE_URL": f"{self.rooms.url}/v1",
            "DAILY_API_KEY": self.daily.key,
        }

    async def open(self) -> set[str]:
        """What costs money now, as the vendors say."""
        sessions = await self.stage.open_sessions()
        return {session["id"] for session in sessions} | set(self.daily.state.rooms)

    @asynccontextmanager
    async def killed(self, *flags: str) -> AsyncIterator[App]:
        """A process that first ends what the one before it has left, and is killed in the end."""
        async with running_app(self.folder, *self.flags, *flags, env=self.env) as app:
            await self.all_is_over()
            yield app
            app.process.kill()
            await app.process.wait()
        left = {entry.paid.id: entry.held for entry in self.ledger.entries()}
        assert await self.open() <= left.keys(), "all that is open is written down"
        assert not any(left.values()), "and can be ended by the next"

    @property
    def ledger(self) -> FileLedger:
        """What every process has written down."""
        return FileLedger(self.folder / "ledger")

    async def all_is_over(self) -> None:
        """Wait until nothing is written down, and see that nothing is open."""

        async def written() -> bool:
            return bool(self.ledger.entries())

        await until(written, False, "the ledger to be empty", 30)
        assert await self.open() == set()


@asynccontextmanager
async def scene(folder: Path, brief: Path, livekit: LiveKit) -> AsyncIterator[Scene]:
    """Where everything is killed."""
    flags = (*SMALL, "--persona", str(brief), "--avatar", "heygen", "--liveavatar-quality", "low")
    async with rehearsal(livekit) as stage, Daily() as daily:
        async with Gate(stage.url) as own, Gate(daily.url) as rooms:
            yield Scene(folder, flags, stage, own, daily, rooms)


async def waiting(app: App, scene: Scene, stack: AsyncExitStack) -> None:
    """Four conversations: a second face comes, two wait for their users in rooms, one is met.

    Nobody can join a room of Daily's here, which the avatar notices after 20 s: it has a face only
    because that is begun early.
    """
    visitor = await stack.enter_async_context(Visitor(app.url))
    await seen(visitor)
    scene.own.plan(START, "keep the answer")
    await scene.stage.reset()
    await scene.own.until(1)
    await start(app, "heygen")
    guest = await stack.enter_async_context(guest_in(await start(app, "heygen")))
    await wait(guest, lambda: guest.last_loud_at > 0, "the avatar's voice")
    await start(app, "daily")

    async def has_faces() -> bool:
        return len(await scene.stage.open_sessions()) == 4

    await until(has_faces, True, "the faces")


async def asking(app: App, scene: Scene, stack: AsyncExitStack) -> None:
    """Twelve conversations: six ask LiveAvatar for something, six Daily."""
    scene.own.plan(TOKEN, *BOTH)
    scene.own.plan(START, *BOTH, "lose the answer", "lose the answer")
    scene.own.plan(STOP, *BOTH)
    for _ in range(6):
        ask(app, "heygen", stack)
    await scene.own.until(7)
    scene.rooms.plan(MAKE, *BOTH)
    scene.rooms.plan(KEY, *BOTH, "lose the answer", "lose the answer")
    scene.rooms.plan(DELETE, *BOTH)
    for _ in range(6):
        ask(app, "daily", stack)
    await scene.rooms.until(6)


def ask(app: App, transport: str, stack: AsyncExitStack) -> None:
    """Ask for a room, whose answer may never come."""
    asked = asyncio.create_task(start(app, transport))
    stack.push_async_callback(asyncio.gather, asked, return_exceptions=True)


async def talking(app: App, scene: Scene, stack: AsyncExitStack) -> None:
    """Three conversations: one user has dropped, one is answered, one speaks."""
    leaver = Visitor(app.url)
    async with leaver:
        await seen(leaver)
        leaver.send("client-message", {"t": "returns"})
        scene.own.plan(STOP, *ALWAYS)
    await scene.own.until(8)
    listener, speaker = Visitor(app.url), Visitor(app.url)
    for each in (listener, speaker):
        await seen(await stack.enter_async_context(each))
    asked_s = time.monotonic()
    listener.send("send-text", {"content": "What can you do?"})
    speaks = "bot-started-speaking"
    await listener.until(lambda: listener.received(speaks, asked_s), "the answer")
    speaker.microphone.say(say("What can you do? " * 8))
    await speaker.until(lambda: speaker.received("user-started-speaking", asked_s), "the user")


async def seen(visitor: Visitor) -> None:
    """Wait until a face greets somebody."""
    await visitor.until(lambda: len(visitor.sights) > 5, "the face", 40)
    await visitor.until(lambda: visitor.received("bot-started-speaking"), "the greeting", 40)


async def saying_goodbye(app: App, stack: AsyncExitStack) -> None:
    """A conversation is told that the process is stopped."""
    visitor = await stack.enter_async_context(Visitor(app.url))
    await seen(visitor)
    asked_s = time.monotonic()
    app.process.terminate()
    said = lambda: visitor.received("bot-started-speaking", asked_s)  # noqa: E731
    await visitor.until(said, "the goodbye", 7)


async def test_what_a_killed_process_left_open_is_ended_by_the_next(livekit, brief, tmp_path):
    async with scene(tmp_path, brief, livekit) as its, AsyncExitStack() as stack:
        async with its.killed("--prewarm") as app:
            await waiting(app, its, stack)
            await asking(app, its, stack)
        assert len(await its.stage.open_sessions()) == 6 and its.daily.rooms_open() == 5
        assert len(its.ledger.entries()) == len(await listed(its)) == 15
        async with its.killed() as app:
            await talking(app, its, stack)
            told = await numbers(app.url)
            assert told.one("avatar_paid_open", kind="liveavatar", whose="running") == 3
        its.own.plan(STOP)
        assert len(await its.stage.open_sessions()) == 3
        async with its.killed() as app:
            await saying_goodbye(app, stack)
        assert len(await its.stage.open_sessions()) == 1
        async with running_app(tmp_path, *its.flags, env=its.env):
            await its.all_is_over()
        assert await listed(its) == []


async def listed(scene: Scene) -> list[dict[str, object]]:
    """What `avatar sessions` lists, without a server."""
    process = await asyncio.create_subprocess_exec(
        AVATAR, "sessions", "--json", cwd=scene.folder, env=environment(scene.env),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return json.loads(out)
