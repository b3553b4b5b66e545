"""A connection that drops is taken up again, for the same conversation."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.conftest import Meet
from tests.browser.relay import Network, network
from tests.browser.user import User
from tests.speech import hear
from tests.talk.app import App, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("meet"),
]

FLAGS = ("--size", "640x360", "--llm", "guide")
OUTAGE_S = 6
# What is promised to users, once the network is back.
RETURN_LIMIT_S = 5
DROP_LIMIT_S = 20
GIVEN_UP_LIMIT_S = 45
GREETING = "[data-role=avatar]:first-child .words"
ANSWER = "[data-role=user] + [data-role=avatar] .words"


@pytest_asyncio.fixture(loop_scope="module")
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """A server of its own for each test."""
    async with running_app(tmp_path, *FLAGS) as app:
        yield app


async def _begin(user: User) -> None:
    await user.page.click("#start")
    await user.page.wait_for_selector("#stage[data-face=on]")
    await user.read(GREETING)
    await user.page.click("#interrupt")
    await user.state("listening")


@pytest.mark.parametrize("returns", [Network.restore, Network.move], ids=["same", "another"])
async def test_a_call_outlives_a_network_that_is_cut(
    app: App, meet: Meet, silence: Path, returns: Callable[[Network], Awaitable[None]]
) -> None:
    async with meet(app.url, silence) as user, network(user.page) as way:
        await _begin(user)
        way.cut()
        await user.state("reconnecting", limit_s=DROP_LIMIT_S)
        await asyncio.sleep(OUTAGE_S)
        assert await user.page.inner_text("#notice-words") == ""
        await returns(way)
        back_s = time.monotonic()
        await user.state("listening", limit_s=RETURN_LIMIT_S)
        await user.page.wait_for_selector("#stage[data-face=on]")
        assert time.monotonic() - back_s < RETURN_LIMIT_S
        await user.page.evaluate("listen()")
        await user.type("What can you do?")
        assert await user.read(ANSWER)
        await user.state("speaking")
        await user.state("listening")
        assert hear(await user.hush()), "the voice is heard again"
        assert await user.page.locator("[data-role=avatar]").count() == 2
        assert await user.watched("watched.tracks[0].readyState") == "live"
        assert len(app.transcripts()) == 1


async def test_a_picture_that_stops_is_missed_while_the_voice_goes_on(
    app: App, meet: Meet, silence: Path
) -> None:
    async with meet(app.url, silence) as user, network(user.page) as way:
        await _begin(user)
        way.shows_pictures = False
        assert "the voice goes on" in await user.read("#notice-words")
        await user.page.wait_for_selector("#stage[data-face=off]")
        await user.page.evaluate("listen()")
        await user.type("What can you do?")
        await user.state("speaking")
        await user.state("listening")
        assert hear(await user.hush()), "the voice goes on"
        way.shows_pictures = True
        await user.page.wait_for_selector("#stage[data-face=on]")
        assert await user.page.inner_text("#notice-words") == ""


async def test_a_server_that_stops_for_a_while_is_waited_for(
    app: App, meet: Meet, silence: Path
) -> None:
    async with meet(app.url, silence) as user:
        await _begin(user)
        app.process.send_signal(signal.SIGSTOP)
        try:
            await user.state("reconnecting", limit_s=DROP_LIMIT_S)
        finally:
            app.process.send_signal(signal.SIGCONT)
        await user.state("listening", limit_s=RETURN_LIMIT_S)
        await user.type("What can you do?")
        assert await user.read(ANSWER)
        assert len(app.transcripts()) == 1


async def test_a_server_that_was_started_anew_knows_nothing_of_the_conversation(
    tmp_path: Path, meet: Meet, silence: Path
) -> None:
    async with running_app(tmp_path, *FLAGS) as app, meet(app.url, silence) as user:
        await _begin(user)
        app.process.kill()
        await app.process.wait()
        await user.state("reconnecting", limit_s=DROP_LIMIT_S)
        port = app.url.rpartition(":")[2]
        async with running_app(tmp_path, *FLAGS, "--port", port):
            await user.state("failed", limit_s=GIVEN_UP_LIMIT_S)
            assert "has ended meanwhile" in await user.read("#reason")
            await user.page.click("#again")
            await user.page.wait_for_selector("#stage[data-face=on]")
