"""The pages with LiveAvatar's browser SDK, in Chromium, their server beside the sandbox."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.examples.conftest import EXAMPLES, PYTHON, ask, program, seen
from tests.needs import missing
from tests.sandbox.caller import Caller
from tests.standins.convai import Conversation
from tests.standins.elevenlabs import KEY, ElevenLabs

if TYPE_CHECKING:
    from playwright.async_api import Page

HERE = EXAMPLES / "web-sdk"
HOW = "LiveAvatar's SDK is not installed: run `npm ci --prefix examples/web-sdk`."
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.patient,
]


async def test_both_pages_converse_and_end_what_they_began(
    page: "Page", stage: Caller, vendor: ElevenLabs, env: dict[str, str], tmp_path: Path
) -> None:
    if not (HERE / "node_modules").is_dir():
        missing(HOW)
    body = {"secret_name": "e", "secret_value": KEY, "secret_type": "ELEVENLABS_API_KEY"}
    agent = vendor.agents["agent-1"] = Conversation("Good day.", ["It is noon."])
    _, made = await stage.ask("POST", "/v1/secrets", body)
    words = ("--port", "0", "--agent", "agent-1", "--secret", made["data"]["id"])
    async with program(tmp_path, PYTHON, HERE / "server.py", *words, env=env) as server:
        url = await server.told(r"(http://localhost:\d+)")
        await _push_to_talk(page, url, stage)
        await _agent(page, url, agent)
    ended = [each.end_reason for each in stage.desk.account.sessions.values()][-2:]
    assert ended == ["USER_CLOSED", "USER_CLOSED"]


async def _push_to_talk(page: "Page", url: str, stage: Caller) -> None:
    await page.goto(url)
    await page.click("#start")
    await seen(page, "text=Hold the button while you speak.")
    await seen(page, "text=Avatar: Hello! Hold the button and ask me.")
    await page.hover("#hold")
    await stage.order("ptt:no-ack times=1")
    await page.mouse.down()
    await seen(page, "text=LiveAvatar did not answer: try again.")
    await page.mouse.up()
    await seen(page, "text=Hold the button while you speak.")
    await page.mouse.down()
    await seen(page, "text=Listening …")
    await ask(page, "When is the shop open?")
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
