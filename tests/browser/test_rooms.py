"""Looking into LiveKit rooms in Chromium: `avatar join`, and the sandbox's own page."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from sandbox import LiveKit
from tests.bots.test_join import joining
from tests.browser.conftest import Meet
from tests.browser.user import User
from tests.doorkeeper import env_of
from tests.sandbox.caller import Caller
from tests.sandbox.conftest import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
]
ARTEFACTS = Path(__file__).parents[2] / "artefacts"
# The page's policy forbids what Playwright waits for conditions with.
MOVING = """new Promise((done) => {
  const look = () => {
    const video = document.querySelector("avatar-call")?.shadowRoot?.querySelector("video");
    if (video?.videoWidth > 0 && video.currentTime > 0.5) done(video.videoWidth);
    else setTimeout(look, 50);
  };
  look();
})"""
DROPPED = "WS closed unexpectedly with code 1006"
WIDTH = 640  # of a sandbox session in low quality


@pytest_asyncio.fixture(loop_scope="session")
async def caller(livekit: LiveKit) -> AsyncIterator[Caller]:
    """A caller of a sandbox with rooms."""
    async with serving(livekit) as caller:
        yield caller


async def test_join_shows_the_face_in_a_room(caller: Caller, meet: Meet) -> None:
    call = await caller.open()
    async with (
        joining(call.id, env=env_of(caller.livekit)) as link,
        meet(link, ready="body") as user,
    ):
        assert await user.page.evaluate(MOVING) == WIDTH
        await user.page.screenshot(path=ARTEFACTS / "join.png")
        assert await user.page.evaluate("location.href") == link.partition("#")[0]
        _stays_here(user)


async def test_the_sandbox_shows_the_rooms_of_its_sessions(caller: Caller, meet: Meet) -> None:
    async with meet(f"{caller.url}/_sandbox/view", ready="body") as user:
        await user.page.fill("#key", "wrong")
        await user.page.click("#door button")
        await user.page.wait_for_selector("#notice:has-text('Unauthorized')")
        await user.page.fill("#key", caller.key["X-API-KEY"])
        await user.page.click("#door button")
        await user.page.wait_for_selector("#notice:has-text('No session runs')")
        call = await caller.open()
        await user.page.click(f"[data-id='{call.id}'] button")
        assert await user.page.evaluate(MOVING) == WIDTH
        await user.page.screenshot(path=ARTEFACTS / "rooms.png")
        user.complaints = [each for each in user.complaints if "401" not in each]
        _stays_here(user)
        await caller.ask("POST", "/v1/sessions/stop", headers=call.bearer)
        await user.page.wait_for_selector("avatar-call", state="detached")
        # A server that ends a room may drop the socket before the browser has read of the end.
        user.complaints = [each for each in user.complaints if DROPPED not in each]
        _stays_here(user)


async def test_the_link_that_the_sandbox_prints_brings_the_key(caller: Caller, meet: Meet) -> None:
    link = f"{caller.url}/_sandbox/view#key={caller.key['X-API-KEY']}"
    async with meet(link, ready="body") as user:
        await user.page.wait_for_selector("#notice:has-text('No session runs')")
        assert await user.page.is_hidden("#door")
        assert await user.page.evaluate("location.href") == f"{caller.url}/_sandbox/view"


def _stays_here(user: User) -> None:
    """No request leaves this machine or carries a token, and the browser complains of nothing."""
    assert {urlsplit(url).hostname for url in user.requests} <= {"127.0.0.1", "localhost"}
    assert not [url for url in user.requests if "eyJ" in url]
    assert not user.complaints
