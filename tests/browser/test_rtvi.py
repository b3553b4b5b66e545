"""The page and a Pipecat bot that knows nothing of this project."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.browser import plain_bot
from tests.browser.conftest import Meet
from tests.browser.site import serving
from tests.talk.app import App

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
]

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 60
COLLECT = """() => {
  window.said = [];
  window.told = [];
  document.addEventListener("transcript", ({ detail }) => said.push({ ...detail }));
  document.addEventListener("metrics", ({ detail }) => detail.type === "turn" && told.push(detail));
}"""


@asynccontextmanager
async def somebody_elses_bot() -> AsyncIterator[str]:
    """The address of a Pipecat bot with Pipecat's own runner."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", plain_bot.__name__,
        "-t", "webrtc", "--host", "127.0.0.1", "--port", str(port),
        cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr
    try:
        async with asyncio.timeout(START_LIMIT_S):
            await _serves(process.stderr)
        # A log that nobody reads would hold the bot up.
        rest = asyncio.create_task(process.stderr.read())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()
    await rest


async def _serves(log: asyncio.StreamReader) -> None:
    async for line in log:
        if b"Uvicorn running on" in line:
            return
    raise AssertionError("the bot ended early")


async def test_a_bot_of_somebody_else_is_talked_to(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with somebody_elses_bot() as bot, serving() as site:
        site.show(brief_app.url, f'<avatar-call server="{bot}"></avatar-call>')
        async with meet(site.url, silence) as user:
            page = user.page
            await page.evaluate(COLLECT)
            await page.click("#start")
            await user.state("speaking")
            await user.state("listening")
            await user.type("Who made you?")
            answers = page.locator("[data-role=avatar] .said:not(:empty)")
            await answers.filter(has_text=plain_bot.ANSWER).nth(1).wait_for()
            # A space at the end of a line is there or not as it is laid out.
            shown = [text.strip() for text in await answers.all_inner_texts()]
            assert shown == [plain_bot.ANSWER, plain_bot.ANSWER]
            assert await user.read("[data-role=user] .words") == plain_bot.QUESTION
            said = await user.watched("said")
            guesses = [each["interim"] for each in said if each["interim"]]
            assert tuple(guesses) == plain_bot.GUESSES
            turn, *_ = await user.watched("told")
            assert turn["exact"] is False
            assert "voice" in {step["name"] for step in turn["steps"]}
            await page.click("#end")
            await user.state("over")
