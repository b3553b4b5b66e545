"""LiveKit rooms: talking in one, and looking into one without being there."""

from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest
import pytest_asyncio
from livekit import api

from sandbox import LiveKit
from sandbox.livekit_server import http_url
from tests.browser.conftest import Meet
from tests.browser.full import full_room
from tests.talk.app import SMALL, App, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
]

FACE = "#stage[data-face=on]"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(
    tmp_path_factory: pytest.TempPathFactory, brief: Path, livekit: LiveKit
) -> AsyncIterator[App]:
    """A server that meets its users in LiveKit rooms."""
    env = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.key,
        "LIVEKIT_API_SECRET": livekit.secret,
    }
    flags = (*SMALL, "--transport", "livekit", "--persona", str(brief))
    async with running_app(tmp_path_factory.mktemp("app"), *flags, env=env) as app:
        yield app


async def send(livekit: LiveKit, room: str, packet: bytes) -> None:
    """Send everybody in a room a packet that is no message of ours."""
    async with api.LiveKitAPI(http_url(livekit.url), livekit.key, livekit.secret) as server:
        await server.room.send_data(api.SendDataRequest(room=room, data=packet))


async def test_a_viewer_sees_and_hears_a_conversation_and_reads_along(
    app: App, livekit: LiveKit, meet: Meet, silence: Path
) -> None:
    async with meet(app.url, silence) as user:
        async with user.page.expect_response("**/start") as started:
            await user.page.click("#start")
        answer = await (await started.value).json()
        room = jwt.decode(answer["token"], options={"verify_signature": False})["video"]["room"]
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
            await user.read("[data-role=user] + [data-role=avatar] .words")
            assert await viewer.read("[data-role=avatar] .words")
            assert not [
                url for url in viewer.requests if "token=" in url and url.startswith("http")
            ]
            assert not viewer.complaints
            await user.page.click("#end")
        assert not user.complaints


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
