"""LiveAvatar's face from the sandbox in Chromium: in a direct call, and in its own room."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sandbox import LiveKit
from tests.browser.conftest import Meet
from tests.browser.user import User
from tests.speech import hear
from tests.talk.test_rooms import nobody_left, staged

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("meet"),
]

SIZE = [640, 360]
PAUSE_LIMIT_S = 3
BRIEF = ("--persona", "brief.yaml")
PERSONA = """
name: Theo
greeting: Hi, I'm ${name}!
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a persona of few words."""
    (tmp_path / "brief.yaml").write_text(PERSONA)
    return tmp_path


@asynccontextmanager
async def call(
    livekit: LiveKit, folder: Path, meet: Meet, question: Path, *flags: str
) -> AsyncIterator[User]:
    """Somebody who sees LiveAvatar's face and asks; nothing is left of it afterwards."""
    async with staged(livekit, folder, *flags, *BRIEF) as (app, stage):
        async with meet(app.url, question) as user:
            await user.page.click("#start")
            await user.page.wait_for_selector("#stage[data-face=on]")
            yield user
            await user.page.click("#end")
            await user.state("over")
        await nobody_left(stage)


async def test_liveavatars_face_answers_in_a_direct_call(
    livekit: LiveKit, folder: Path, meet: Meet, question: Path
) -> None:
    async with call(livekit, folder, meet, question, "--avatar", "heygen") as user:
        answer = await _heard_and_seen(user)
        assert "how do you work" in (await user.read("[data-role=user] .words")).lower()
        written = _words(await user.read("[data-role=user] + [data-role=avatar] .words"))
        assert len(written & answer) > len(written) / 2, (written, answer)
    assert not user.complaints


async def test_liveavatars_own_room_is_joined_by_the_page(
    livekit: LiveKit, folder: Path, meet: Meet, question: Path
) -> None:
    async with call(livekit, folder, meet, question, "--transport", "heygen") as user:
        answer = await _heard_and_seen(user)
        assert len({"steps", "speech", "text", "voice", "lips"} & answer) >= 3, answer


async def _heard_and_seen(user: User) -> set[str]:
    """The longer words of the next answer; its picture moves at 25 a second, without a gap."""
    page = user.page
    await user.state("speaking")
    await user.state("listening")
    await page.evaluate("listen()")
    await user.state("speaking")
    assert await page.evaluate("pace(25, 24, 30)") == pytest.approx(25, abs=1)
    assert await page.evaluate("[inside('face').videoWidth, inside('face').videoHeight]") == SIZE
    await _heard_out(user)
    return _words(hear(await user.hush()))


async def _heard_out(user: User) -> None:
    """Wait for the end of an answer, through the pauses between its sentences."""
    while True:
        await user.state("listening")
        if not await user.comes("speaking", PAUSE_LIMIT_S):
            return


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))
