"""A connection that drops is taken up again, for the same conversation."""

import asyncio
import re
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.browser.conftest import Meet
from tests.browser.relay import Network, network
from tests.browser.user import User
from tests.speech import is_heard
from tests.talk.app import SMALL, App, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.drawn(2),
]

OUTAGE_S = 6
# What is promised to users, once the network is back.
RETURN_LIMIT_S = 5
DROP_LIMIT_S = 20
GIVEN_UP_LIMIT_S = 45
LAST = "[data-role=avatar]:last-child"
SECOND_SENTENCE = f"{LAST} .words > :nth-child(2) > .said:not(:empty)"


async def _ask(user: User) -> None:
    """A question is answered."""
    await user.type("Thanks for your help.")
    await user.page.wait_for_selector(SECOND_SENTENCE)
    await user.state("listening")


async def _answered(user: User) -> None:
    """A question is answered, and the whole answer heard."""
    await user.page.evaluate("listen()")
    await _ask(user)
    assert is_heard(await user.read(f"{LAST} .words"), await user.hush())


@pytest.mark.drawn
@pytest.mark.realtime
@pytest.mark.parametrize("returns", [Network.restore, Network.move], ids=["same", "another"])
async def test_a_call_outlives_a_network_that_is_cut(
    brief_app: App, meet: Meet, silence: Path, returns: Callable[[Network], Awaitable[None]]
) -> None:
    before = len(brief_app.transcripts())
    async with meet(brief_app.url, silence) as user, network(user.page) as way:
        await user.be_greeted()
        way.cut()
        await user.state("reconnecting", limit_s=DROP_LIMIT_S)
        await asyncio.sleep(OUTAGE_S)
        assert await user.page.inner_text("#notice-words") == ""
        await returns(way)
        back_s = time.monotonic()
        await user.state("listening", limit_s=RETURN_LIMIT_S)
        await user.page.wait_for_selector("#stage[data-face=on]")
        assert time.monotonic() - back_s < RETURN_LIMIT_S
        await _answered(user)
        assert await user.page.locator("[data-role=avatar]").count() == 2
        assert await user.watched("watched.tracks[0].readyState") == "live"
        assert len(brief_app.transcripts()) == before + 1


async def test_a_page_that_is_loaded_anew_finds_its_conversation_until_that_is_ended(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    before = len(brief_app.transcripts())
    async with meet(brief_app.url, silence) as user:
        await user.be_greeted()
        await _ask(user)
        await user.page.reload()
        await user.page.wait_for_selector(f"{LAST} .said:has-text('where were we?')")
        await user.state("listening")
        assert user.page.url == f"{brief_app.url}/"
        said = [line.partition(": ")[2] for line in (await _transcript(user)).splitlines()]
        assert said[:2] == ["You can talk to me.", "Thanks for your help."]
        assert len(said) == 4 and said[3].startswith("We were cut off.")
        await user.page.wait_for_selector("#stage[data-face=on]")
        await _ask(user)
        await user.page.click("#end")
        lines = await brief_app.ended_transcript(limit_s=12)
        # On a busy machine a page is missed that only loads for long; it is back each time.
        events = " ".join(line["event"] for line in lines if "event" in line)
        assert re.fullmatch(r"started( gone back)+ ended", events), events
        await user.page.reload()
        await user.page.wait_for_selector("#start:enabled")
        assert len(brief_app.transcripts()) == before + 1


async def _transcript(user: User) -> str:
    return await user.page.evaluate("document.querySelector('avatar-call').transcript")


@pytest.mark.realtime
async def test_a_picture_that_stops_is_missed_while_the_voice_goes_on(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user, network(user.page) as way:
        await user.be_greeted()
        way.shows_pictures = False
        assert "the voice goes on" in await user.read("#notice-words")
        await user.page.wait_for_selector("#stage[data-face=off]")
        await _answered(user)
        way.shows_pictures = True
        await user.page.wait_for_selector("#stage[data-face=on]")
        assert await user.page.inner_text("#notice-words") == ""


@pytest.mark.realtime
async def test_a_server_that_stops_for_a_while_is_waited_for(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    before = len(brief_app.transcripts())
    async with meet(brief_app.url, silence) as user:
        await user.be_greeted()
        brief_app.process.send_signal(signal.SIGSTOP)
        try:
            await user.state("reconnecting", limit_s=DROP_LIMIT_S)
        finally:
            brief_app.process.send_signal(signal.SIGCONT)
        await user.state("listening", limit_s=RETURN_LIMIT_S)
        await user.page.wait_for_selector("#stage[data-face=on]")
        # What the server did not send while it stood still comes at once, and the browser drops it:
        # with it may go some of the first answer's sound, so that is read.
        await _ask(user)
        assert len(brief_app.transcripts()) == before + 1


async def test_a_server_that_was_started_anew_knows_nothing_of_the_conversation(
    tmp_path: Path, brief: Path, meet: Meet, silence: Path
) -> None:
    flags = (*SMALL, "--persona", str(brief))
    async with running_app(tmp_path, *flags) as app, meet(app.url, silence) as user:
        await user.be_greeted()
        app.process.kill()
        await app.process.wait()
        await user.state("reconnecting", limit_s=DROP_LIMIT_S)
        port = app.url.rpartition(":")[2]
        async with running_app(tmp_path, *flags, "--port", port):
            await user.state("failed", limit_s=GIVEN_UP_LIMIT_S)
            assert "has ended meanwhile" in await user.read("#reason")
            await user.page.click("#again")
            await user.page.wait_for_selector("#stage[data-face=on]")
