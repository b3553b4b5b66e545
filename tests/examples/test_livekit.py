"""LiveKit's agents, unmodified, with the sandbox's face: called by the dispatcher, and hosted."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
import pytest_asyncio

from tests.doorkeeper import show_out
from tests.examples.conftest import EXAMPLES, PYTHON, ask, program, seen
from tests.needs import missing
from tests.sandbox.caller import Call, Caller, rooms
from tests.sandbox.guest import Guest
from tests.speech import say
from tests.standins.cartesia import Cartesia
from tests.standins.deepgram import Deepgram
from tests.standins.ollama import Ollama
from tests.standins.script import Line
from tests.talk.app import until

if TYPE_CHECKING:
    from playwright.async_api import Page

HERE = EXAMPLES / "livekit-agents"
AGENTS = HERE / ".venv" / "bin" / "python"
HOW = "LiveKit's agents are not installed: run `uv sync --project examples/livekit-agents`."
QUESTION, ANSWER = "Where may my dog be?", "In the garden."
GREETING = "Hello!"
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.patient]


class Vendors:
    """Ears, mind and voice, on the wire."""

    def __init__(self) -> None:
        heard = [Line(QUESTION, voiced_s=0.5, silence_s=0.3) for _ in range(2)]
        self.ears = Deepgram(lines=heard)
        self.mind, self.voice = Ollama(replies=[ANSWER, ANSWER]), Cartesia()

    @property
    def env(self) -> dict[str, str]:
        """What leads to them."""
        return {
            "DEEPGRAM_BASE_URL": self.ears.url,
            "DEEPGRAM_API_KEY": self.ears.key,
            "OPENAI_BASE_URL": self.mind.openai_url,
            "OPENAI_MODEL": self.mind.models[0],
            "OPENAI_API_KEY": "none",
            "CARTESIA_BASE_URL": self.voice.url,
            "CARTESIA_API_KEY": self.voice.key,
        }


@pytest_asyncio.fixture(loop_scope="session")
async def vendors() -> AsyncIterator[Vendors]:
    """Stand-ins."""
    if not AGENTS.exists():
        missing(HOW)
    vendors = Vendors()
    async with vendors.ears, vendors.mind, vendors.voice:
        yield vendors


async def converse(stage: Caller, vendors: Vendors, room: str) -> None:
    """Be greeted, ask, and be answered, in the avatar's own voice."""
    guest = await Guest.joining(stage.livekit.url, stage.livekit.token(room, "client", 60))
    try:
        await greeted(stage, vendors)
        assert guest.last_loud_at > 0
        await guest.say(say(QUESTION))
        await answered(vendors)
        before = guest.last_loud_at
        await guest.until(lambda: guest.last_loud_at > before)
        assert guest.tracks.keys() <= {"liveavatar-avatar-agent", "heygen"}
    finally:
        await guest.aclose()


async def greeted(stage: Caller, vendors: Vendors) -> None:
    """Wait until the avatar has said the greeting."""
    await vendors.voice.until(lambda: GREETING in " ".join(vendors.voice.state.spoken), 20)
    await until(lambda: "agent.speak_ended" in _sent(stage), 20)


async def answered(vendors: Vendors) -> None:
    """Wait until the question is heard and its answer spoken."""
    await vendors.voice.until(lambda: ANSWER in vendors.voice.state.spoken, 20)
    assert vendors.mind.state.last_user_text() == QUESTION


def _sent(stage: Caller) -> list[str]:
    """What the newest session was told."""
    session = [*stage.desk.account.sessions.values()][-1]
    return [each["message"]["type"] for each in session.log if each["way"] == "sent"]


@pytest.mark.drawn
@pytest.mark.parametrize("mode", ["start", "dev"])
async def test_a_worker_that_is_called_to_a_room_speaks_through_the_avatar_there(
    mode: str, stage: Caller, vendors: Vendors, env: dict[str, str], tmp_path: Path
) -> None:
    env |= vendors.env
    worker, dispatcher = (
        (HERE / "worker.py", mode),
        (HERE / "dispatcher.py", "--no-view"),
    )
    async with program(tmp_path, AGENTS, *worker, env=env, ends=signal.SIGTERM) as agent:
        await agent.told("registered worker")
        async with program(tmp_path, PYTHON, *dispatcher, env=env) as begun:
            room = await begun.told(r"is in the room ([\w-]+)")
            await converse(stage, vendors, room)
        assert begun.process.returncode == 0 and room not in await rooms(stage.livekit)
    session = [*stage.desk.account.sessions.values()][-1]
    assert session.end_reason in ("USER_CLOSED", "USER_DISCONNECTED")


@pytest.mark.browser
async def test_an_agent_in_liveavatars_own_room_is_talked_with_on_the_page(
    stage: Caller, vendors: Vendors, env: dict[str, str], tmp_path: Path, page: "Page"
) -> None:
    words = (HERE / "dispatcher.py", "--hosted", "--no-view")
    async with program(tmp_path, PYTHON, *words, env=env | vendors.env) as begun:
        session = await begun.told(r"is in the room ([\w-]+)")
        url = await begun.told(r"talk with it at (http://127.0.0.1:\d+)")
        await _only_its_own_page_is_invited(url)
        await page.goto(url)
        await page.click("#start")
        await seen(page, "text=Talk.")
        await greeted(stage, vendors)
        await ask(page, QUESTION)
        await answered(vendors)
        assert await page.evaluate("avatar.videoWidth") > 0
        await show_out(stage.livekit, session, "heygen")
        await seen(page, "text=It has ended (the avatar has left).")
    assert begun.process.returncode == 0
    assert await stage.ended(Call(session, "")) in ("USER_CLOSED", "USER_DISCONNECTED")


async def _only_its_own_page_is_invited(url: str) -> None:
    port = url.rpartition(":")[2]
    async with aiohttp.ClientSession() as http:
        for host in (f"avatar.example:{port}", "127.0.0.1:1", "localhost", f"localhost:{port}"):
            headers = {"Host": host, "Sec-Fetch-Site": "same-origin"}
            async with http.post(f"{url}/invitation", headers=headers) as answer:
                assert answer.status == (200 if host == f"localhost:{port}" else 403), host


async def test_the_files_that_the_worker_needs_are_there_without_a_network(
    vendors: Vendors, env: dict[str, str], tmp_path: Path
) -> None:
    nowhere = {name: "http://127.0.0.1:9" for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")}
    words = (HERE / "worker.py", "download-files")
    async with program(tmp_path, AGENTS, *words, env=env | vendors.env | nowhere) as fetching:
        await asyncio.wait_for(fetching.process.wait(), 60)
    assert fetching.process.returncode == 0, fetching.output
