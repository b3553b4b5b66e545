"""The pages of embeds in Chromium: opened by a visitor, who talks with a FULL session's avatar."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from sandbox import LiveKit
from sandbox.account import Limits
from tests.browser.conftest import Meet
from tests.browser.site import Site, serving
from tests.browser.user import User
from tests.sandbox.caller import WAYNE, Call, Caller
from tests.sandbox.conftest import serving as serving_sandbox
from tests.sandbox.test_full import CONTEXT, GREETING, made

if TYPE_CHECKING:
    from playwright.async_api import Frame

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
ARTEFACTS = Path(__file__).parents[2] / "artefacts"
FACE = "#stage[data-face=on]"
ANSWER = "[data-role=user] + [data-role=avatar]"
# LiveKit's client, when its room is closed as it leaves.
CLOSED = "closed peer connection"
# Long enough for a page to be loaded anew.
AWAY_S = 6.0
RATIOS = {"horizontal": 16 / 9, "vertical": 9 / 16}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def caller(livekit: LiveKit) -> AsyncIterator[Caller]:
    """A caller of a sandbox with rooms and a context."""
    async with serving_sandbox(livekit, limits=Limits(returns_s=AWAY_S)) as caller:
        yield caller


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def context_id(caller: Caller) -> str:
    """The hotel."""
    return await made(caller, "/v1/contexts", CONTEXT)


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncIterator[Site]:
    """Somebody else's site."""
    async with serving() as site:
        yield site


async def embed(caller: Caller, context_id: str, **fields: Any) -> dict[str, Any]:
    """An embed about the hotel."""
    body = {"avatar_id": WAYNE, "context_id": context_id, "is_sandbox": True, **fields}
    status, answer = await caller.ask("POST", "/v2/embeddings", body)
    assert status == 200, answer
    return answer["data"]


async def session_of(caller: Caller, embed_id: str) -> Call:
    """The one session of an embed, that runs or is over."""
    found = []
    for type_ in ("active", "historic"):
        path = f"/v1/sessions?type={type_}&embed_id={embed_id}"
        found += (await caller.ask("GET", path))[1]["data"]["results"]
    [one] = found
    assert one["source"] == "EMBED"
    return Call(one["id"], "")


@asynccontextmanager
async def framed(
    caller: Caller,
    context_id: str,
    site: Site,
    meet: Meet,
    sound: Path,
    orientation: str,
    host: str = "127.0.0.1",
) -> AsyncIterator[tuple[User, "Frame", str]]:
    """Somebody who has begun at a page with an embed's script: they, its frame, the embed's id."""
    made = await embed(caller, context_id, orientation=orientation)
    url = f"{made['url']}?guest=Matilda".replace("127.0.0.1", host)
    script = made["script"].replace(made["url"], url)
    site.show(f"{caller.url}/embed", script)
    async with meet(site.url, sound, ready="iframe") as user:
        element = await user.page.query_selector("iframe")
        assert element and (box := await element.bounding_box())
        ratio = box["width"] / box["height"]
        assert ratio == pytest.approx(RATIOS[orientation], rel=0.02)
        frame = await element.content_frame()
        assert frame
        await frame.click("#start:enabled")
        await frame.wait_for_selector(FACE)
        await frame.wait_for_selector(f"[data-role=avatar] .words:has-text('{GREETING}')")
        yield user, frame, made["embed_id"]
    assert not [each for each in user.complaints if CLOSED not in each]


async def again(user: User) -> "Frame":
    """The frame of a page that was loaded anew."""
    element = await user.page.wait_for_selector("iframe")
    frame = element and await element.content_frame()
    assert frame
    return frame


async def test_a_visitor_of_somebodys_page_talks_with_the_avatar_until_they_leave(
    caller: Caller, context_id: str, site: Site, meet: Meet, question: Path
) -> None:
    # Of the page's own site, so that the frame may remember something.
    there = framed(caller, context_id, site, meet, question, "horizontal", "localhost")
    async with there as (user, frame, embed_id):
        await frame.wait_for_selector(f"{ANSWER} .words:not(:empty)")
        await frame.fill("#text", "What time is breakfast?")
        await frame.click("#send")
        await frame.wait_for_selector(f"{ANSWER} .words:has-text('seven to ten')")
        await user.page.screenshot(path=ARTEFACTS / "embed-horizontal.png")
        await user.page.reload()
        call = await session_of(caller, embed_id)
        frame = await again(user)
        await frame.wait_for_selector(FACE)
        await frame.fill("#text", "What time is breakfast?")
        await frame.click("#send")
        await frame.wait_for_selector(f"{ANSWER} .words:has-text('seven to ten')")
        assert (await session_of(caller, embed_id)).id == call.id
        await user.page.goto("about:blank")
        assert await caller.ended(call) == "USER_DISCONNECTED"


async def test_an_upright_frame_is_one_too_and_its_button_ends_the_session(
    caller: Caller, context_id: str, site: Site, meet: Meet, silence: Path
) -> None:
    there = framed(caller, context_id, site, meet, silence, "vertical")
    async with there as (user, frame, embed_id):
        await user.page.screenshot(path=ARTEFACTS / "embed-vertical.png", full_page=True)
        await frame.click("#end")
        await frame.wait_for_selector("avatar-call[data-state=over]")
        call = await session_of(caller, embed_id)
        assert await caller.ended(call) == "USER_CLOSED"


async def test_the_address_is_a_page_that_says_which_variable_has_no_value(
    caller: Caller, context_id: str, meet: Meet, silence: Path
) -> None:
    async with meet((await embed(caller, context_id))["url"], silence) as user:
        await user.page.screenshot(path=ARTEFACTS / "embed-page.png")
        await user.page.click("#start")
        await user.state("failed")
        assert "the context requires guest" in await user.read("#reason")
        assert not caller.desk.account.active()
