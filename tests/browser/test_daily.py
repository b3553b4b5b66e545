"""A Daily room in Daily's own frame: the client Daily publishes, and a stand-in of its page."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from pipecat.processors.frameworks.rtvi import models as rtvi
from pydantic import BaseModel

from tests.browser.conftest import Meet
from tests.browser.user import User
from tests.needs import missing
from tests.standins.daily import Daily
from tests.talk.app import App, running_app

if TYPE_CHECKING:
    from playwright.async_api import Frame, Route

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.drawn(2),
]

CLIENT = Path(__file__).parents[2] / "node_modules/@daily-co/daily-js/dist/daily.js"
HOW = "Daily's client is not installed: run `npm ci`."
PUBLISHED = "https://cdn.jsdelivr.net/npm/@daily-co/daily-js@*/dist/daily.js"
ROOMS = "https://stand-in.daily.co/"
PAGE = Path(__file__).parents[1] / "standins" / "daily_frame.html"
NOTE_LEAVE = """() => {
  const leave = answers["leave-meeting"];
  answers["leave-meeting"] = () => noteLeave().then(leave);
}"""
NETWORK = "(event) => tell('network-connection', { type: 'signaling', event })"
MISSED_S = 9
READY = rtvi.BotReady(id="1", data=rtvi.BotReadyData(version=rtvi.PROTOCOL_VERSION))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def vendor() -> AsyncIterator[Daily]:
    """Daily's REST API."""
    async with Daily() as vendor:
        yield vendor


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(tmp_path_factory: pytest.TempPathFactory, vendor: Daily) -> AsyncIterator[App]:
    """A server that meets its users in Daily rooms."""
    env = {"DAILY_API_KEY": vendor.key, "DAILY_BASE_URL": vendor.api_url}
    flags = ("--llm", "guide", "--size", "320x180")
    async with running_app(tmp_path_factory.mktemp("app"), *flags, env=env) as app:
        yield app
        # Daily's library would look for the rooms, which are nowhere, for another 20 s.
        app.process.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def user(app: App, meet: Meet) -> AsyncIterator[User]:
    """Somebody at the page, for whom Daily's addresses lead to this machine."""
    if not CLIENT.exists():
        missing(HOW)
    async with meet(app.url) as user:
        await user.page.route(PUBLISHED, _client)
        await user.page.route(f"{ROOMS}**", lambda route: route.fulfill(path=PAGE))
        await user.page.route("**/start", _room)
        yield user


async def _client(route: "Route") -> None:
    """The file as npm publishes it: the page knows its hash."""
    anyone = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}
    await route.fulfill(path=CLIENT, headers=anyone)


async def _room(route: "Route") -> None:
    """The server's answer, with the room's address as it is at Daily."""
    response = await route.fetch()
    text = re.sub(r"https://[^/]+\.daily\.invalid/", ROOMS, await response.text())
    await route.fulfill(response=response, body=text)


async def enter(user: User) -> "Frame":
    """Start, and wait until Daily's page shows the room."""
    await user.page.click("#start")
    element = await user.page.wait_for_selector("#frame iframe[src^='https:']")
    frame = element and await element.content_frame()
    assert frame
    await frame.wait_for_selector("text=Here Daily shows the room")
    return frame


async def say(frame: "Frame", *messages: BaseModel) -> None:
    """Send what a bot sends."""
    for message in messages:
        data = {"data": message.model_dump(exclude_none=True), "fromId": "bot"}
        await frame.evaluate("(message) => tell('app-message', message)", data)


async def heard(frame: "Frame", kind: str) -> dict[str, Any]:
    """What the bot gets to hear of a kind, once it does."""
    find = f"received.find(({{ action, data }}) => action === 'app-msg' && data.type === '{kind}')"
    wait = f"setInterval(() => {find} && (clearInterval(timer), done({find})), 20)"
    message = await frame.evaluate(f"new Promise((done) => {{ const timer = {wait}; }})")
    return rtvi.Message.model_validate(message["data"]).model_dump()


async def test_a_room_is_talked_in_and_its_token_is_in_no_address(
    user: User, vendor: Daily
) -> None:
    frame = await enter(user)
    await heard(frame, "client-ready")
    for other in (None, "hello", [], 7):
        await frame.evaluate("(data) => tell('app-message', { data, fromId: 'guest' })", other)
    await say(frame, READY, rtvi.BotStartedSpeakingMessage())
    await user.state("speaking")
    assert await user.page.is_visible("#frame")
    assert await user.watched("watched.microphones") == 0, "Daily's page asks for it"
    output = {"text": "Hello.", "output_type": "sentence", "segment_id": 1, "will_be_spoken": True}
    progress = rtvi.SpokenProgressData(accumulated_text="Hello.", remaining_text="")
    data = rtvi.BotOutputMessageData(**output, spoken_status="completed", spoken_progress=progress)
    await say(frame, rtvi.BotOutputMessage(data=data), rtvi.BotStoppedSpeakingMessage())
    assert await user.read("[data-role=avatar] .words") == "Hello."
    await user.type("Who are you?")
    typed = await heard(frame, "send-text")
    assert typed["data"]["content"] == "Who are you?"
    join = await frame.evaluate("received.find(({ action }) => action === 'join-meeting')")
    token = join["properties"]["token"]
    assert token in vendor.state.tokens
    assert not [url for url in user.requests if token in url]
    await frame.evaluate("tell('participant-left', { participant: bot })")
    await user.state("over")
    assert "avatar has left" in await user.read("#reason")
    await user.page.wait_for_selector("#frame iframe", state="detached")
    assert not user.complaints


async def test_the_end_leaves_the_room(user: User) -> None:
    frame = await enter(user)
    await heard(frame, "client-ready")
    await say(frame, READY)
    await user.state("listening")
    left = asyncio.Event()
    await user.page.expose_function("noteLeave", left.set)
    await frame.evaluate(NOTE_LEAVE)
    await user.page.click("#end")
    await user.state("over")
    async with asyncio.timeout(5):
        await left.wait()
    await user.page.wait_for_selector("#frame iframe", state="detached")
    assert await user.page.is_hidden("#frame")


async def test_a_bot_that_dies_while_others_stay_is_missed(user: User) -> None:
    frame = await enter(user)
    await heard(frame, "client-ready")
    await frame.evaluate("tell('participant-joined', { participant: guest })")
    await say(frame, READY, rtvi.ServerMessage(data={"type": "alive"}))
    await user.state("listening")
    await user.state("failed", limit_s=MISSED_S)
    assert "has stopped working" in await user.read("#reason")
    assert await user.page.is_visible("#again")
    assert not user.complaints


async def test_where_daily_cannot_be_reached_the_bot_is_not_missed(user: User) -> None:
    frame = await enter(user)
    await heard(frame, "client-ready")
    await user.page.unroute(f"{ROOMS}**")
    reached = asyncio.Event()

    async def unreachable(route: "Route") -> None:
        reached.set()
        await route.abort()

    await user.page.route(f"{ROOMS}**", unreachable)
    await say(frame, READY, rtvi.ServerMessage(data={"type": "alive"}))
    await user.state("listening")
    async with asyncio.timeout(MISSED_S):
        await reached.wait()
    assert not await user.comes("failed", MISSED_S)
    await say(frame, rtvi.BotStartedSpeakingMessage())
    await user.state("speaking")


async def test_what_becomes_of_daily_s_connection_is_told(user: User) -> None:
    frame = await enter(user)
    await heard(frame, "client-ready")
    await say(frame, READY)
    await user.state("listening")
    await frame.evaluate(NETWORK, "interrupted")
    await user.state("reconnecting")
    await frame.evaluate(NETWORK, "connected")
    await user.state("listening")
    blocked = {"error": {"type": "permissions", "msg": "denied"}, "errorMsg": {"audioOk": False}}
    await frame.evaluate("(detail) => tell('camera-error', detail)", blocked)
    assert "microphone was refused" in await user.read("#notice-words")
    ejected = {"errorMsg": "You were ejected", "error": {"type": "ejected", "msg": "ejected"}}
    await frame.evaluate("(detail) => tell('error', detail)", ejected)
    await user.state("over")
    assert "removed from the room" in await user.read("#reason")


async def test_a_meeting_that_is_full_is_told_so(user: User) -> None:
    async def full(route: "Route") -> None:
        response = await route.fetch()
        room = await response.json()
        await route.fulfill(response=response, json={**room, "dailyRoom": f"{ROOMS}full"})

    await user.page.route("**/start", full)
    await user.page.click("#start")
    await user.state("failed")
    assert "full" in await user.read("#reason")
    assert await user.page.is_hidden("#frame")


async def test_daily_that_cannot_be_reached_is_told(user: User) -> None:
    await user.page.route(PUBLISHED, lambda route: route.abort())
    await user.page.click("#start")
    await user.state("failed")
    assert "Daily" in await user.read("#reason")


async def test_another_file_than_the_published_one_is_refused(user: User) -> None:
    anyone = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}
    await user.page.route(
        PUBLISHED, lambda route: route.fulfill(body="window.Daily = {};", headers=anyone)
    )
    await user.page.click("#start")
    await user.state("failed")
    assert "Daily" in await user.read("#reason")
    assert await user.page.evaluate("typeof Daily") == "undefined"


async def test_what_it_costs_is_shown_with_the_speed_and_why_it_ends_in_the_end(user: User) -> None:
    frame = await enter(user)
    await heard(frame, "client-ready")
    await say(frame, READY)
    await user.state("listening")
    await user.page.click("#speed")
    await user.page.wait_for_selector("[data-gauge=fps]")
    assert not await user.page.is_visible("[data-gauge=spend]")
    await say(frame, rtvi.ServerMessage(data={"type": "spend", "dollars": 0.0123}))
    assert await user.read("[data-gauge=spend] dd") == "USD 0.012"
    await user.page.click("#speed-close")
    await say(frame, rtvi.ServerMessage(data={"type": "over", "reason": "spend-day"}))
    await user.state("over")
    assert "has cost as much as it may today" in await user.read("#reason")
    assert not user.complaints
