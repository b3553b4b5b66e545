"""The pages with LiveAvatar's browser SDK, in Chromium, their server beside the sandbox."""

import base64
import json
import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from livekit import api

from liveavatar.channel import CONTROL, RESPONSE
from sandbox.livekit_server import http_url
from sandbox.wav import wav_of
from tests.browser.conftest import HOW as HOW_CHROMIUM
from tests.examples.conftest import EXAMPLES, PYTHON, program
from tests.needs import missing
from tests.sandbox.caller import Caller
from tests.sandbox.guest import Guest
from tests.speech import say

if TYPE_CHECKING:
    from playwright.async_api import Page

HERE = EXAMPLES / "web-sdk"
HOW = "LiveAvatar's SDK is not installed: run `npm ci --prefix examples/web-sdk`."
CHROMIUM = ["--autoplay-policy=no-user-gesture-required", "--use-fake-ui-for-media-stream"]
# A microphone that is silent until it is given something to say.
MICROPHONE = """
const mouth = new AudioContext(), microphone = mouth.createMediaStreamDestination();
navigator.mediaDevices.getUserMedia = async () => new MediaStream(microphone.stream.getTracks());
window.ask = async (wav) => {
  const file = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0));
  const source = mouth.createBufferSource();
  source.buffer = await mouth.decodeAudioData(file.buffer);
  source.connect(microphone);
  source.start();
  await new Promise((over) => { source.onended = over; });
};
"""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.patient,
]


@pytest_asyncio.fixture(loop_scope="session")
async def page() -> "AsyncIterator[Page]":
    """A browser with that microphone."""
    if not (HERE / "node_modules").is_dir():
        missing(HOW)
    if not (shutil.which("chromium") and find_spec("playwright")):
        missing(HOW_CHROMIUM)
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        path = shutil.which("chromium")
        chromium = await playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        page = await chromium.new_page(viewport={"width": 320, "height": 480})
        page.set_default_timeout(60_000)
        await page.add_init_script(MICROPHONE)
        yield page
        await chromium.close()


async def test_both_pages_converse_and_end_what_they_began(
    page: "Page", stage: Caller, env: dict[str, str], tmp_path: Path
) -> None:
    body = {"secret_name": "e", "secret_value": "xi-key", "secret_type": "ELEVENLABS_API_KEY"}
    _, made = await stage.ask("POST", "/v1/secrets", body)
    words = ("--port", "0", "--agent", "agent-1", "--secret", made["data"]["id"])
    async with program(tmp_path, PYTHON, HERE / "server.py", *words, env=env) as server:
        url = await server.told(r"(http://localhost:\d+)")
        await _push_to_talk(page, url)
        await _agent(page, url, stage)
    ended = [each.end_reason for each in stage.desk.account.sessions.values()][-2:]
    assert ended == ["USER_CLOSED", "USER_CLOSED"]


async def seen(page: "Page", what: str) -> None:
    """Wait until the page shows something."""
    from playwright.async_api import TimeoutError as Late

    try:
        await page.wait_for_selector(what)
    except Late:
        raise AssertionError(f"no {what}, but {await page.inner_text('body')}") from None


async def _push_to_talk(page: "Page", url: str) -> None:
    await page.goto(url)
    await page.click("#start")
    await seen(page, "text=Hold the button while you speak.")
    await seen(page, "text=Avatar: Hello! Hold the button and ask me.")
    await page.hover("#hold")
    await page.mouse.down()
    await seen(page, "text=Listening …")
    spoken = say("When is the shop open?", 24_000)
    await page.evaluate("wav => ask(wav)", base64.b64encode(wav_of(spoken)).decode())
    await page.mouse.up()
    await seen(page, "text=/You: .*shop/i")
    await seen(page, "text=/Avatar: .*from nine to five/")
    assert await page.evaluate("avatar.videoWidth") > 0
    assert "eyJ" not in page.url
    await page.click("#stop")
    await seen(page, "text=It has ended (CLIENT_INITIATED).")


async def _agent(page: "Page", url: str, stage: Caller) -> None:
    """The page's half: what is sent is on the wire, what comes is shown and answered."""
    await page.goto(f"{url}/elevenlabs")
    await page.click("#start")
    await seen(page, "text=Talk, or write.")
    room = [*stage.desk.account.sessions][-1]
    livekit = stage.livekit
    orders: list[dict] = []
    guest = await Guest.joining(livekit.url, livekit.token(room, "looker", 60))
    guest.room.on(
        "data_received", lambda packet: packet.topic == CONTROL and orders.append(_order(packet))
    )
    try:
        await page.fill("#text", "Hi there")
        await page.click("#send")
        call = {"client_tool_call": {"tool_name": "now", "tool_call_id": "call-1"}}
        told = {"event_type": "elevenlabs_agent_event", "session_id": room, "event_id": "1"}
        told |= {"elevenlabs_event_type": "client_tool_call", "data": call}
        async with api.LiveKitAPI(http_url(livekit.url), livekit.key, livekit.secret) as server:
            packet = api.SendDataRequest(room=room, data=json.dumps(told).encode(), topic=RESPONSE)
            await server.room.send_data(packet)
        await seen(page, "text=/client_tool_call: .*call-1/")
        await guest.until(lambda: len(orders) >= 3)
    finally:
        await guest.aclose()
    kinds = {each["elevenlabs_event_type"]: each.get("data") for each in orders}
    assert kinds["user_message"] == {"text": "Hi there"} and "user_activity" in kinds
    assert "call-1" in str(kinds["client_tool_result"])
    await page.click("#stop")
    await seen(page, "text=It has ended (CLIENT_INITIATED).")


def _order(packet: object) -> dict:
    return json.loads(packet.data)  # type: ignore[attr-defined]
