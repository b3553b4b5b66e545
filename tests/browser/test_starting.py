"""The page of a server that is getting ready."""

from pathlib import Path

import pytest
from starlette.responses import JSONResponse
from starlette.routing import Route

from bots.server.front import Front
from pipelines.errors import BadSetting
from pipelines.parts import choose
from pipelines.settings import load_settings
from tests.browser.conftest import Meet
from tests.talk.app import until
from web.port import listen, url_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
]

BROKEN = BadSetting("WHISPER_MODEL=/nowhere", "cannot be loaded", "give another one")
TAKEN = "All places are taken."
SHOWN = "#portrait:not([hidden])"


async def test_who_begins_while_models_load_waits_and_is_told_what_failed(
    meet: Meet, silence: Path
) -> None:
    settings = load_settings(llm="guide", avatar_host="127.0.0.1")
    front, listeners = Front(settings, choose(settings)), listen("127.0.0.1", 0)
    url = url_of("127.0.0.1", listeners[0].getsockname()[1])
    async with front.life(listeners), meet(url) as idle, meet(url, silence) as eager:
        for user in (idle, eager):
            await user.page.wait_for_selector(SHOWN)
            await user.page.wait_for_selector("#start:enabled")
            assert await user.read("#state-words") == "Getting ready …"
        await eager.page.click("#start")
        await eager.state("connecting")
        assert await eager.watched("watched.microphones") == 1
        assert await eager.read("#state-words") == "Getting ready …"
        front.fail(BROKEN)
        for user in (idle, eager):
            await user.state("failed")
            assert await user.read("#reason") == str(BROKEN)


async def test_a_page_that_waits_says_when_it_is_ready_and_begins_by_itself(
    meet: Meet, silence: Path
) -> None:
    """However much longer models load than a single request is held."""
    settings = load_settings(llm="guide", avatar_host="127.0.0.1")
    front, listeners = Front(settings, choose(settings), 0.05), listen("127.0.0.1", 0)
    url = url_of("127.0.0.1", listeners[0].getsockname()[1])
    rest = [
        Route("/status", lambda _: JSONResponse({})),
        Route("/start", lambda _: JSONResponse({"detail": TAKEN}, 503), methods=["POST"]),
    ]
    async with front.life(listeners), meet(url) as user, meet(url, silence) as eager:
        for each in (user, eager):
            await each.page.wait_for_selector("#start:enabled")
            assert await each.read("#state-words") == "Getting ready …"
        await eager.page.click("#start")
        await eager.state("connecting")
        asked = len(eager.requests)
        await until(lambda: len(eager.requests) >= asked + 2)
        front.open(rest, lambda _: False)
        await user.page.get_by_text("Ready when you are").wait_for()
        await eager.state("failed")
        assert await eager.read("#reason") == TAKEN
