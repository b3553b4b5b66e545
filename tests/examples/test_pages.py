"""The pages with LiveAvatar's browser SDK, in Chromium, their server beside the sandbox."""

import base64
import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from sandbox.wav import wav_of
from tests.browser.conftest import HOW as HOW_CHROMIUM
from tests.examples.conftest import EXAMPLES, PYTHON, program
from tests.needs import missing
from tests.sandbox.caller import Caller
from tests.speech import say
from tests.standins.convai import Conversation
from tests.standins.elevenlabs import KEY, ElevenLabs

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
    page: "Page", stage: Caller, vendor: ElevenLabs, env: dict[str, str], tmp_path: Path
) -> None:
    body = {"secret_name": "e", "secret_value": KEY, "secret_type": "ELEVENLABS_API_KEY"}
    agent = vendor.agents["agent-1"] = Conversation("Good day.", ["It is noon."])
    _, made = await stage.ask("POST", "/v1/secrets", body)
    words = ("--port", "0", "--agent", "agent-1", "--secret", made["data"]["id"])
    async with program(tmp_path, PYTHON, HERE / "server.py", *words, env=env) as server:
        url = await server.told(r"(http://localhost:\d+)")
        await _push_to_talk(page, url)
        await _agent(page, url, agent)
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


async def _agent(page: "Page", url: str, agent: Conversation) -> None:
    await page.goto(f"{url}/elevenlabs")
    await page.click("#start")
    await seen(page, "text=Talk, or write.")
    await page.fill("#text", "Hi there")
    await page.click("#send")
    call = {"tool_name": "now", "tool_call_id": "call-1", "parameters": {}}
    await agent.until(lambda: {"type": "user_message", "text": "Hi there"} in agent.told)
    await agent.send("client_tool_call", client_tool_call=call)
    await seen(page, "text=/client_tool_call: .*call-1/")
    told = lambda: {each["type"]: each for each in agent.told}  # noqa: E731
    await agent.until(lambda: "client_tool_result" in told())
    assert told()["client_tool_result"]["tool_call_id"] == "call-1" and "user_activity" in told()
    await page.click("#stop")
    await seen(page, "text=It has ended (CLIENT_INITIATED).")
