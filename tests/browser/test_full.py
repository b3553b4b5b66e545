"""Conversations that LiveAvatar runs, on our page in Chromium: with its mind, and with ours."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pipelines.ending import reaping
from pipelines.ledger import books
from pipelines.settings import load_settings
from tests.browser.conftest import Meet
from tests.browser.user import User
from tests.rooms import FULL, HOTEL, Staged
from tests.talk.app import SMALL, running_app
from tests.talk.test_rooms import ANSWERS, nobody_left, start, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
]
CAPTIONS = "[...inside('captions').querySelectorAll('.words')].map(({ innerText }) => innerText)"
CUT = "[...inside('captions').querySelectorAll('.cut:not([hidden])')].map((e) => e.innerText)"
STEPS = "[...inside('steps').querySelectorAll('b')].map(({ textContent }) => textContent)"
# A page that is only missed is gone after 15 s.
LEFT_LIMIT_S = 10
# Whether something was said into the microphone, and nothing for a moment since.
HAS_SPOKEN = """(() => {
  const { transform } = getComputedStyle(inside("hold").querySelector(".level"));
  if (new DOMMatrix(transform).a > 0.3) window.loudMs = performance.now();
  return performance.now() - window.loudMs > 700;
})()"""


async def test_liveavatars_mind_is_talked_with_typed_to_and_interrupted(
    fulled: Staged, meet: Meet
) -> None:
    app, stage = fulled
    before = len(app.transcripts())
    async with meet(app.url) as user:
        await user.page.click("#start-typing:enabled")
        await user.page.wait_for_selector("#stage[data-face=on]")
        await user.state("speaking")
        await user.state("listening")
        await _ask(user, "When is breakfast?")
        await user.state("listening")
        await user.page.click("#speed")
        steps = await user.watched(STEPS)
        await user.page.click("#speed")
        await _ask(user, "May I bring a dog?")
        await user.page.evaluate("document.querySelector('avatar-call').interrupt()")
        await user.state("listening")
        await user.until(f"{CUT}.length > 0")
        captions, cut = await user.watched(f"[{CAPTIONS}, {CUT}]")
        await user.page.click("#end")
        await user.state("over")
        states, violations = await user.watched("[watched.states, watched.violations]")
    assert captions[0] == "Welcome, Ann."
    assert captions[1] == "When is breakfast?"
    assert captions[2] == "My script says: Breakfast is from seven to ten."
    assert captions[3] == "May I bring a dog?"
    assert cut == ["interrupted"] and "dog" in captions[4]
    assert [step != "–" for step in steps[:3]] == [False, True, True], "mind and voice have times"
    assert states[:2] == ["idle", "connecting"] and states[-1] == "over"
    assert {"thinking", "speaking", "listening"} <= {*states}
    assert not violations and not user.complaints
    await nobody_left(stage)
    assert len(app.transcripts()) == before + 1
    turns = _turns(await app.ended_transcript())
    assert [turn["text"] for turn in turns[:4]] == captions[:4]
    assert turns[4].get("interrupted") and len(turns[4]["text"]) < len(captions[4])
    assert turns[2]["steps"].keys() == {"mind", "voice"} and turns[2]["latency_s"] > 0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ours(tmp_path_factory: pytest.TempPathFactory, fulled: Staged) -> AsyncIterator[Staged]:
    """A server whose mind LiveAvatar asks."""
    _, stage = fulled
    folder = tmp_path_factory.mktemp("ours")
    (folder / "hotel.yaml").write_text(HOTEL)
    async with running_app(folder, *SMALL, *FULL, env=stage.env) as app:
        yield app, stage


async def test_our_mind_hears_who_holds_the_button_until_the_tab_is_closed(
    ours: Staged, meet: Meet, question: Path
) -> None:
    app, stage = ours
    async with meet(app.url, question) as user:
        await user.page.evaluate("document.querySelector('avatar-call').pushToTalk = true")
        await user.begin()
        await user.state("listening")
        await user.page.hover("#hold")
        await user.page.mouse.down()
        await user.until(HAS_SPOKEN)
        await user.page.mouse.up()
        await user.state("speaking")
        await user.until(f"{CAPTIONS}.length > 2")
        captions = await user.watched(CAPTIONS)
        await user.page.goto("about:blank")
        await nobody_left(stage, LEFT_LIMIT_S)
        await user.page.goto(app.url)
    turns = _turns(await app.ended_transcript())
    answer = ANSWERS["What can you do"]
    assert "what can you do" in captions[1].lower()
    assert captions[2][:20] == answer[:20]
    assert [turn["who"] for turn in turns] == ["avatar", "user", "avatar"]
    assert turns[1]["text"] == captions[1]
    assert 0 < len(turns[2]["text"]) < len(answer) and answer.startswith(turns[2]["text"][:10])
    assert {"ears", "mind", "voice"} == turns[2]["steps"].keys()


async def test_the_next_process_ends_what_a_killed_one_has_begun(ours: Staged) -> None:
    app, stage = ours
    token = (await start(app, "full"))["token"]
    (session,) = await stage.open_sessions()
    app.process.kill()
    await app.process.wait()
    assert [each["id"] for each in await stage.open_sessions()] == [session["id"]]
    settings = load_settings(
        liveavatar_api_key=stage.key,
        liveavatar_base_url=stage.url,
        avatar_ledger=str(app.folder / "ledger"),
    )
    async with reaping(settings):
        await nobody_left(stage)
        await until(books(settings).entries, False, "the ledger to be empty")
    assert token not in app.output


async def _ask(user: User, text: str) -> None:
    """Type a question, and wait until its answer is begun."""
    await user.type(text)
    await user.state("speaking")


def _turns(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if "who" in line]
