"""LiveAvatar's own browser SDK, unmodified, in Chromium, with its `apiUrl` at the sandbox."""

import base64
import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from aiohttp import web

from sandbox import LiveKit
from sandbox.wav import wav_of
from tests.browser.conftest import HOW as HOW_CHROMIUM
from tests.browser.user import recorded
from tests.needs import missing
from tests.sandbox.caller import Caller
from tests.sandbox.conftest import TurnedClock, serving
from tests.sandbox.test_elevenlabs import elevenlabs, with_agent
from tests.sandbox.test_full import ANSWER, GREETING, QUESTION, asked, in_order
from tests.serving import served
from tests.speech import is_heard, say
from tests.standins.convai import Conversation
from tests.talk.mouth import gauge

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).parent / "web"
HOW = "LiveAvatar's SDK is not installed: run `npm ci --prefix tests/sandbox/web`."
CHROMIUM = ["--autoplay-policy=no-user-gesture-required", "--use-fake-ui-for-media-stream"]
PATIENCE_MS = 30_000
# The SDK knows them, and the sandbox has no occasion to send them.
NEVER_TOLD = {"session.updated", "session.state_updated", "elevenlabs_agent_event"}
OPENING = "Good morning, ${guest}. Breakfast is ready in the garden."
SENTENCE = "Are you all far away, or is it a large and open harbour?"


@pytest.fixture
async def page() -> "AsyncIterator[Page]":
    """A page with the SDK, in a browser of its own."""
    if not (FOLDER / "node_modules").is_dir():
        missing(HOW)
    if not (shutil.which("chromium") and find_spec("playwright")):
        missing(HOW_CHROMIUM)
    from playwright.async_api import async_playwright

    app = web.Application()
    app.router.add_get("/", _page)
    app.router.add_static("/", FOLDER / "node_modules")
    async with served(app) as port, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM
        )
        page = await chromium.new_page()
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(f"http://127.0.0.1:{port}/")
        yield page
        await chromium.close()


async def _page(_: web.Request) -> web.FileResponse:
    return web.FileResponse(FOLDER / "page.html")


async def told(page: "Page", word: str) -> list[str]:
    """Wait until the SDK has told something; all it told."""
    await page.wait_for_function("word => told.includes(word)", arg=word)
    return await page.evaluate("told")


async def openness(page: "Page") -> float:
    """How far the mouth in the page's video is open."""
    seen = await page.evaluate("picture()")
    width, height = seen["size"]
    luma = np.frombuffer(base64.b64decode(seen["grey"]), np.uint8).reshape(height, width)
    return gauge("theo", (640, 360)).openness(luma)


async def test_the_sdk_streams_speaks_is_interrupted_and_stops(page: "Page", roomy: Caller) -> None:
    call = await roomy.token()
    speech = base64.b64encode(say(SENTENCE, 24_000)).decode()
    gauge("theo", (640, 360))

    await page.evaluate("([token, url]) => start(token, url)", [call.token, roomy.url])
    assert "CONNECTED" in await told(page, "stream_ready")
    await page.wait_for_function("document.getElementById('avatar').videoWidth >= 640")

    await page.evaluate("audio => { session.repeatAudio(audio) }", speech)
    await told(page, "speak_started")
    await page.wait_for_function("loudness() > 0.02")
    seen = [await openness(page) for _ in range(40)]
    assert max(seen) > 0.4
    await told(page, "speak_ended")

    await page.evaluate("audio => { told.length = 0; session.repeatAudio(audio) }", speech)
    await told(page, "speak_started")
    await page.evaluate("session.interrupt()")
    await told(page, "speak_ended")
    [session] = roomy.desk.account.sessions.values()
    sent = [entry["message"]["type"] for entry in session.log if entry["way"] == "sent"]
    assert sent.count("agent.speak_interrupted") == 1

    await page.evaluate("session.stop()")
    assert "CLIENT_INITIATED" in await told(page, "DISCONNECTED")
    assert await roomy.ended(call) == "USER_CLOSED"


async def test_the_sdk_notices_that_the_server_ended_the_session(
    page: "Page", roomy: Caller
) -> None:
    call = await roomy.token()
    await page.evaluate("([token, url]) => start(token, url)", [call.token, roomy.url])
    await told(page, "stream_ready")
    await roomy.ask("DELETE", f"/v1/sessions/{call.id}")
    await told(page, "DISCONNECTED")


async def test_the_sdk_says_why_a_session_cannot_start(page: "Page", roomy: Caller) -> None:
    await roomy.order("start:answer status=409 code=4009 message=full")
    call = await roomy.token()
    error = await page.evaluate(
        "([token, url]) => start(token, url).catch((e) => `${e.message} ${e.errorCode}`)",
        [call.token, roomy.url],
    )
    assert "full" in error
    assert "SESSION_START_FAILED" in await told(page, "DISCONNECTED")


@pytest.fixture
async def timed(livekit: LiveKit, clock: TurnedClock) -> AsyncIterator[Caller]:
    """A caller of a sandbox with rooms, on the turned clock."""
    async with serving(livekit, clock=clock) as caller:
        yield caller


async def test_the_sdk_converses_in_full_mode_by_voice_text_and_button_until_the_limit(
    page: "Page", timed: Caller, clock: TurnedClock
) -> None:
    call = await timed.token(**await asked(timed, OPENING))
    await page.evaluate("([token, url]) => start(token, url, true)", [call.token, timed.url])
    await _is_greeted(page)
    await _asks_aloud(page)
    await _types(page)
    await timed.ask("DELETE", f"/v1/sessions/{call.id}")
    assert "session.stopped" in await told(page, "SERVER_INITIATED")
    assert {*await page.evaluate("events")} == await _known(page) - NEVER_TOLD

    await page.evaluate("wire.length = 0")
    await _forget(page)
    button = await asked(timed, name="Button", interactivity_type="PUSH_TO_TALK")
    call = await timed.token(**button)
    chat = {"mode": "PUSH_TO_TALK"}
    await page.evaluate("args => start(...args)", [call.token, timed.url, chat])
    await told(page, "speak_ended")
    await _talks_by_the_button(page)
    clock.advance(3600)
    await told(page, "SERVER_INITIATED")
    last = await page.evaluate("wire.at(-1)")
    assert (last["end_reason"], last["stop_reason"]) == ("MAX_DURATION_REACHED",) * 2
    assert await timed.ended(call) == "MAX_DURATION_REACHED"


async def _is_greeted(page: "Page") -> None:
    assert "CONNECTED" in await told(page, "stream_ready")
    await told(page, "speak_ended")
    greeting = OPENING.replace("${guest}", "Matilda")
    assert await page.evaluate("texts") == [greeting]
    assert is_heard(greeting, recorded(await page.evaluate("hush()")).tobytes())


async def _asks_aloud(page: "Page") -> None:
    await _forget(page)
    await page.evaluate("wav => ask(wav)", _spoken(QUESTION))
    seen = await told(page, "speak_ended")
    assert in_order(seen, "user.speak_started", "user.speak_ended", "user.transcription")
    assert in_order(seen, "user.speak_ended", "speak_started", "speak_ended")
    heard, answer = await page.evaluate("texts")
    assert "breakfast" in heard.lower() and ANSWER in answer


async def _types(page: "Page") -> None:
    await _forget(page)
    await page.evaluate("session.message('May I bring my dog?')")
    await told(page, "speak_started")
    await page.evaluate("session.interrupt()")
    await told(page, "speak_ended")
    assert "Dogs are welcome" in (await page.evaluate("texts"))[0]

    await _forget(page)
    await page.evaluate("session.repeat('The lift is out of order.')")
    await told(page, "speak_ended")
    assert await page.evaluate("texts") == ["The lift is out of order."]


async def _talks_by_the_button(page: "Page") -> None:
    """Somebody else in the room has pressed it before, then let go: both fail for the SDK."""
    await page.evaluate("order('user.start_push_to_talk')")
    await _answered(page, "user.push_to_talk_started")
    assert await page.evaluate("press()") == "failed undefined"
    await page.evaluate("order('user.stop_push_to_talk')")
    await _answered(page, "user.push_to_talk_stopped")
    await _forget(page)
    assert await page.evaluate("press()") == "done"
    await page.evaluate("wav => ask(wav)", _spoken(QUESTION))
    assert await page.evaluate("release()") == "done"
    await told(page, "speak_ended")
    heard, answer = await page.evaluate("texts")
    assert "breakfast" in heard.lower() and ANSWER in answer
    assert await page.evaluate("press()") == "done"
    await page.evaluate("order('user.stop_push_to_talk')")
    await _answered(page, "user.push_to_talk_stopped", 3)
    assert await page.evaluate("release()") == "failed undefined"
    acknowledged = await page.evaluate(
        "wire.map(({ event_type }) => event_type).filter((type) => type.includes('push_to_talk'))"
    )
    assert [each.removeprefix("user.push_to_talk_") for each in acknowledged] == [
        *("started", "start_failed", "stopped"),
        *("started", "stopped"),
        *("started", "stopped", "stop_failed"),
    ]


async def _answered(page: "Page", event_type: str, times: int = 1) -> None:
    count = "([type, times]) => wire.filter((e) => e.event_type === type).length >= times"
    await page.wait_for_function(count, arg=[event_type, times])


async def _known(page: "Page") -> set[str]:
    return {*await page.evaluate("Object.values(LiveAvatarSDK.AgentEventsEnum)")}


def _spoken(text: str) -> str:
    return base64.b64encode(wav_of(say(text, 24_000))).decode()


async def test_the_sdk_talks_with_an_agent_of_elevenlabs(page: "Page", livekit: LiveKit) -> None:
    agent = Conversation(GREETING, ["It rains."])
    async with elevenlabs(livekit) as (vendor, caller):
        vendor.agents["agent-1"] = agent
        call = await with_agent(caller)
        arguments = [call.token, caller.url, "ElevenLabsAgentSession"]
        await page.evaluate("([token, url, kind]) => start(token, url, true, kind)", arguments)
        await told(page, "speak_ended")
        assert await page.evaluate("texts") == [GREETING]

        await _forget(page)
        await page.evaluate("session.sendUserMessage('How is the weather?')")
        await told(page, "speak_ended")
        tool = {"tool_name": "open_door", "tool_call_id": "t-1", "parameters": {}}
        await agent.send("client_tool_call", client_tool_call=tool)
        await told(page, "client_tool_call")
        assert (await page.evaluate("passed.at(-1)"))["client_tool_call"] == tool
        await page.evaluate("session.sendClientToolResult({toolCallId: 't-1', result: 'open'})")
        await agent.until(lambda: len(agent.told) == 2)
        result = {"tool_call_id": "t-1", "result": "open", "is_error": False}
        assert agent.told == [
            {"type": "user_message", "text": "How is the weather?"},
            {"type": "client_tool_result", **result},
        ]
        await agent.hang_up()
        assert "session.stopped" in await told(page, "SERVER_INITIATED")


async def _forget(page: "Page") -> None:
    await page.evaluate("told.length = texts.length = 0")
