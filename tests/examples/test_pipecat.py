"""The four bots of Pipecat's two ways to LiveAvatar, with vendors' parts and with ours."""

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import ModuleType

import pytest
from pipecat.runner.types import LiveKitRunnerArguments, RunnerArguments
from pipecat.services.heygen.api_liveavatar import LiveAvatarApi

from tests.examples.conftest import EXAMPLES
from tests.sandbox.caller import Caller, Viewer
from tests.standins.cartesia import Cartesia
from tests.standins.deepgram import Deepgram
from tests.standins.gemini import Gemini
from tests.talk.app import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.patient]
VENDORS = LiveAvatarApi.BASE_URL


@pytest.fixture
def place(
    stage: Caller, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """The folder of the bots, and an environment that leads to the sandbox."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(EXAMPLES / "pipecat"))
    env |= {"HEYGEN_LIVE_AVATAR_API_KEY": env["LIVEAVATAR_API_KEY"], "LOOK": "no", "LLM": "guide"}
    env |= {"LIVEAVATAR_SANDBOX": "true"}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    yield monkeypatch
    LiveAvatarApi.BASE_URL = VENDORS  # pyright: ignore[reportAttributeAccessIssue]
    for name in set(sys.modules) - before:
        if str(EXAMPLES) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@asynccontextmanager
async def vendors(place: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Stand-ins for ears, mind and voice."""
    async with Deepgram() as ears, Gemini() as mind, Cartesia() as voice:
        for name, each in {"DEEPGRAM": ears, "GOOGLE": mind, "CARTESIA": voice}.items():
            place.setenv(f"{name}_BASE_URL", each.url)
            place.setenv(f"{name}_API_KEY", each.key)
        yield


async def _greeted(stage: Caller, bot: ModuleType, arguments: RunnerArguments, room: str) -> None:
    """Come into the room, hear the greeting by LiveAvatar, see it, and leave."""
    known = len(stage.desk.account.sessions)
    talking = asyncio.create_task(bot.bot(arguments))
    try:
        sessions = stage.desk.account.sessions
        await until(lambda: len(sessions) > known or talking.done(), 60)
        session = [*sessions.values()][-1]
        name = room or session.id
        livekit = stage.livekit
        guest = await Viewer.joining(livekit.url, livekit.token(name, "client", 60))
        await until(lambda: "agent.speak_started" in str(session.log) or talking.done(), 60)
        await guest.until(lambda: guest.last_loud_at > 0 and guest.picture is not None)
        await guest.aclose()
        await asyncio.wait_for(talking, 20)
        assert session.end_reason and session.request.is_sandbox
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


@pytest.mark.parametrize("name", ["face", "room"])
async def test_pipecats_own_parts_speak_through_liveavatar(
    name: str, stage: Caller, place: pytest.MonkeyPatch
) -> None:
    async with vendors(place):
        await _greeted(stage, importlib.import_module(name), *_where(name, stage))


@pytest.mark.parametrize("name", ["own_face", "own_room"])
async def test_our_parts_speak_through_liveavatar(
    name: str, stage: Caller, place: pytest.MonkeyPatch
) -> None:
    await _greeted(stage, importlib.import_module(name), *_where(name, stage))


def _where(name: str, stage: Caller) -> tuple[RunnerArguments, str]:
    """Where a bot meets its user: in a LiveKit room by name, or in LiveAvatar's."""
    if name.endswith("room"):
        return RunnerArguments(), ""
    room, livekit = f"room-of-{name}", stage.livekit
    token = livekit.token(room, "bot", 60)
    return LiveKitRunnerArguments(room, livekit.url, token), room
