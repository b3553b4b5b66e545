"""LiveKit rooms: talking in one, and looking into one without being there."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import jwt
import pytest
import pytest_asyncio
from livekit import api

from sandbox import LiveKit
from sandbox.livekit_server import http_url, livekit_server
from tests.browser.conftest import Meet
from tests.browser.full import full_room
from tests.browser.user import User
from tests.doorkeeper import env_of
from tests.rooms import staged
from tests.talk.app import SMALL, App, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.drawn(2),
]

ANSWER = "[data-role=user] + [data-role=avatar]"
FACE = "#stage[data-face=on]"
MISSED_S = 9
# The next message that comes in: where nobody says anything, a sign of life.
MESSAGE = """(async () => {
  const count = async () => {
    const stats = [...(await watched.peers.at(-1).getStats()).values()];
    return stats.reduce((total, { messagesReceived = 0 }) => total + messagesReceived, 0);
  };
  const before = await count();
  while ((await count()) === before) await new Promise((resolve) => setTimeout(resolve, 50));
})()"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(
    tmp_path_factory: pytest.TempPathFactory, brief: Path, livekit: LiveKit
) -> AsyncIterator[App]:
    """A server that meets its users in LiveKit rooms."""
    flags = (*SMALL, "--transport", "livekit", "--persona", str(brief))
    folder = tmp_path_factory.mktemp("app")
    async with running_app(folder, *flags, env=env_of(livekit)) as app:
        yield app


async def enter(user: User) -> str:
    """Start, and tell which room that is."""
    async with user.page.expect_response("**/start") as started:
        await user.page.click("#start")
    answer = await (await started.value).json()
    return str(jwt.decode(answer["token"], options={"verify_signature": False})["video"]["room"])


async def send(livekit: LiveKit, room: str, packet: bytes) -> None:
    """Send everybody in a room a packet that is no message of ours."""
    async with api.LiveKitAPI(http_url(livekit.url), livekit.key, livekit.secret) as server:
        await server.room.send_data(api.SendDataRequest(room=room, data=packet))


async def test_a_viewer_sees_and_hears_a_conversation_and_reads_along(
    app: App, livekit: LiveKit, meet: Meet, silence: Path
) -> None:
    async with meet(app.url, silence) as user:
        room = await enter(user)
        await user.page.wait_for_selector(FACE)
        await user.state("listening", "speaking")
        token = livekit.token(room, "viewer", 60)
        link = f"{app.url}/view#url={livekit.url}&token={token}"
        async with meet(link, ready=FACE) as viewer:
            assert await viewer.page.evaluate("location.href") == f"{app.url}/view"
            assert await viewer.watched("watched.microphones") == 0
            assert await viewer.page.is_hidden("#composer")
            await user.state("listening")
            for packet in (b"null", b"7", b"[]", b"hello"):
                await send(livekit, room, packet)
            await user.type("What can you do?")
            await user.read(f"{ANSWER} .words")
            assert await viewer.read("[data-role=avatar] .words")
            assert not [
                url for url in viewer.requests if "token=" in url and url.startswith("http")
            ]
            assert not viewer.complaints
        await user.state("listening")
        await user.page.reload()
        await user.page.wait_for_selector(f"{ANSWER} + [data-role=avatar]")
        await user.page.wait_for_selector(FACE)
        await user.page.click("#end")
        lines = await app.ended_transcript(limit_s=10)
        # Who is there again within a second was not missed.
        assert [line["event"] for line in lines if "event" in line] in (
            ["started", "gone", "back", "ended"],
            ["started", "ended"],
        )
        assert not user.complaints


@asynccontextmanager
async def killed(transport: str, livekit: LiveKit, folder: Path) -> AsyncIterator[App]:
    """A server of one's own, which is to be killed."""
    if transport == "heygen":
        async with staged(livekit, folder, "--transport", "heygen") as (app, _):
            yield app
    else:
        flags = (*SMALL, "--transport", "livekit")
        async with running_app(folder, *flags, env=env_of(livekit)) as app:
            yield app


@pytest.mark.drawn
@pytest.mark.parametrize("transport", ["livekit", "heygen"])
async def test_an_avatar_that_is_killed_is_missed_by_everybody_in_the_room(
    livekit: LiveKit, meet: Meet, silence: Path, tmp_path: Path, transport: str
) -> None:
    async with killed(transport, livekit, tmp_path) as app, meet(app.url, silence) as user:
        room = await enter(user)
        await user.page.wait_for_selector(FACE)
        link = f"{app.url}/view#url={livekit.url}&token={livekit.token(room, 'viewer', 60)}"
        async with meet(link, ready=FACE) as viewer:
            await user.state("listening")
            await viewer.page.evaluate(MESSAGE)
            app.process.kill()
            for each in (user, viewer):
                await each.state("failed", limit_s=MISSED_S)
                assert "has stopped working" in await each.read("#reason")
                assert await each.page.is_visible("#again")


async def test_an_avatar_is_not_missed_where_nothing_comes_through(
    livekit_binary: Path, brief: Path, meet: Meet, silence: Path, tmp_path: Path
) -> None:
    flags = (*SMALL, "--transport", "livekit", "--persona", str(brief))
    before = children()
    async with livekit_server(dev=None) as own:
        (server,) = children() - before
        async with (
            running_app(tmp_path, *flags, env=env_of(own)) as app,
            meet(app.url, silence) as user,
        ):
            await user.be_greeted()
            await user.page.evaluate(MESSAGE)
            os.killpg(server, signal.SIGSTOP)
            missed = await user.comes("failed", MISSED_S)
            os.killpg(server, signal.SIGCONT)
            assert not missed
            await user.state("listening")
            await user.type("What can you do?")
            await user.read(f"{ANSWER} .words")


def children() -> set[int]:
    """The processes that this one has started."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


async def test_a_viewer_without_a_room_is_told_so(app: App, meet: Meet) -> None:
    async with meet(f"{app.url}/view", ready="avatar-call[data-state=failed]") as viewer:
        assert "Which room?" in await viewer.read("#reason")


async def test_who_comes_to_a_full_room_is_told_so(app: App, livekit: LiveKit, meet: Meet) -> None:
    async with full_room(livekit) as room:
        link = f"{app.url}/view#{room.link}"
        async with meet(link, ready="avatar-call[data-state=failed]") as late:
            assert "It may be full" in await late.read("#reason")
            await room.guest.aclose()
            await late.page.click("#again")
            await room.until_late_is_there()
            assert await late.page.get_attribute("avatar-call", "data-state") == "connecting"
