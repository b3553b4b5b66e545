"""Conversations that LiveAvatar runs, on our page in Chromium: the sandbox's mind, and ours."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox import LiveKit
from tests.browser.conftest import Meet
from tests.rooms import Staged, staged
from tests.talk.test_rooms import nobody_left

FULL = ("--transport", "full", "--llm", "auto")
PERSONA = """
name: Theo
greeting: Welcome, ${guest}.
prompt: Breakfast is from seven to ten in the hall.
"""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.realtime,
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def full(tmp_path_factory: pytest.TempPathFactory, livekit: LiveKit) -> AsyncIterator[Staged]:
    """A server whose conversations LiveAvatar runs."""
    folder = tmp_path_factory.mktemp("full")
    (folder / "hotel.yaml").write_text(PERSONA)
    flags = (
        "--persona",
        "hotel.yaml",
        "--var",
        "guest=Ann",
        "--transport",
        "full",
        "--llm",
        "auto",
    )
    async with staged(livekit, folder, *flags) as both:
        yield both


async def test_a_conversation(full: Staged, meet: Meet, question: Path) -> None:
    app, stage = full
    async with meet(app.url, question) as user:
        await user.page.click("#start:enabled")
        await user.state("speaking", "failed", "over")
        print(await user.page.locator("avatar-call").first.inner_text())
        await user.state("listening", limit_s=25)
        print(await user.watched("watched.states"))
        await user.type("When is breakfast?")
        await user.state("speaking", limit_s=25)
        await user.state("listening", limit_s=25)
        print(await user.page.locator("#captions").inner_text())
        await user.page.click("#end")
        await user.state("over")
        print(user.complaints)
    await nobody_left(stage)
    for line in await app.ended_transcript():
        print(line)
    print(app.output[-3000:])
