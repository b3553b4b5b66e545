"""LiveAvatar's face from the sandbox in Chromium: in a direct call, and in its own room."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sandbox import LiveKit
from tests.browser.conftest import Meet
from tests.browser.held import held_question
from tests.browser.test_room import enter
from tests.browser.user import User
from tests.rooms import Staged
from tests.speech import is_heard, say
from tests.talk.app import until
from tests.talk.attendee import Attendee
from tests.talk.test_rooms import ANSWERS, nobody_left

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.realtime,
    pytest.mark.drawn(2),
]

SIZE = [640, 360]
ASKED = "[data-role=user] + [data-role=avatar]"
# Whether some words of the second answer were heard.
SOME_SAID = """(() => {
  const asked = inside("captions").querySelectorAll("[data-role=user]")[1];
  return asked?.nextElementSibling?.querySelector(".said")?.textContent.split(" ").length > 3;
})()"""
PAUSE_LIMIT_S = 3
# Until it is noticed that a page is gone, and until its face is then.
LEFT_LIMIT_S = 5 + 2


@asynccontextmanager
async def call(staged: Staged, meet: Meet, question: Path) -> AsyncIterator[User]:
    """Somebody who sees LiveAvatar's face and asks; nothing is left of it afterwards."""
    app, stage = staged
    async with meet(app.url, question) as user:
        await user.page.click("#start")
        await user.page.wait_for_selector("#stage[data-face=on]")
        yield user
        await user.page.click("#end")
        await user.state("over")
    await nobody_left(stage)


async def test_liveavatars_face_answers_in_a_direct_call(
    faced: Staged, meet: Meet, question: Path
) -> None:
    async with call(faced, meet, question) as user:
        sound = await _heard_and_seen(user)
        assert "what can you do" in (await user.read("[data-role=user] .words")).lower()
        written = await user.read("[data-role=user] + [data-role=avatar] .words")
        assert is_heard(written, sound)
    assert not user.complaints


async def test_liveavatars_own_room_is_joined_by_the_page(
    roomed: Staged, meet: Meet, question: Path
) -> None:
    async with call(roomed, meet, question) as user:
        assert is_heard(ANSWERS["What can you do"], await _heard_and_seen(user))


async def test_nothing_is_paid_for_while_nobody_has_answered_for_the_microphone(
    roomed: Staged, meet: Meet, silence: Path
) -> None:
    app, stage = roomed
    async with meet(app.url, silence) as user:
        async with held_question(user.page) as answer:
            await user.page.click("#start")
            await user.state("microphone")
            assert not await stage.open_sessions()
            await answer()
        await user.page.wait_for_selector("#stage[data-face=on]")
        assert len(await stage.open_sessions()) == 1
        await user.page.click("#end")
        await user.state("over")
    await nobody_left(stage)


async def test_the_face_of_a_closed_page_is_ended_and_another_comes_with_its_user(
    faced: Staged, meet: Meet, silence: Path
) -> None:
    app, stage = faced
    before = len(app.transcripts())
    async with meet(app.url, silence) as user:
        await user.page.click("#start")
        await user.page.wait_for_selector("#stage[data-face=on]")
        (first,) = await stage.open_sessions()
        await user.page.goto("about:blank")
        await nobody_left(stage, LEFT_LIMIT_S)
        await user.page.goto(app.url)
        await user.page.wait_for_selector("#stage[data-face=on]")
        (second,) = await stage.open_sessions()
        assert first["id"] != second["id"]
        assert len(app.transcripts()) == before + 1, "the conversation has stayed"
        await user.page.click("#end")
    await nobody_left(stage)


async def test_everybody_in_the_room_is_answered_by_the_face_that_has_joined_it_until_a_click(
    joined: Staged, livekit: LiveKit, meet: Meet, silence: Path
) -> None:
    app, stage = joined
    async with meet(app.url, silence) as user:
        room = await enter(user)
        await user.page.wait_for_selector("#stage[data-face=on]")
        await user.state("listening")
        async with Attendee.present(livekit.url, livekit.token(room, "bob", 60)) as bob:
            await until(lambda: bob.avatars and bob.avatars[0] in bob.voices, 20)
            tracks = bob.room.remote_participants[bob.bot].track_publications
            await until(lambda: len(tracks) == 1, 20)  # its picture gave way to the face's
            await user.page.evaluate("listen()")
            asked_s = time.monotonic()
            bob.say(say("What can you do?"))
            await user.state("speaking")
            assert await user.page.evaluate("inside('face').videoWidth") == SIZE[0]
            assert await user.page.evaluate("pace(50, 24, 30)") == pytest.approx(25, abs=1)
            await _heard_out(user)
            heard = await user.hush()
            assert is_heard(ANSWERS["What can you do"], heard)
            assert is_heard(await user.read(f"{ASKED} .words"), heard), "captions are what is heard"
            assert "what can you do" in (await user.read("[data-role=user] .words")).lower()
            await user.type("How do you work?")
            await user.until(SOME_SAID)
            await user.page.click("#interrupt:enabled")
            await user.until("inside('captions').querySelector('.cut:not([hidden])')")
            assert not await user.comes("speaking", PAUSE_LIMIT_S)
            assert time.monotonic() - bob.spoke(bob.avatars[0]) > PAUSE_LIMIT_S - 1
            assert not bob.spoke(bob.bot, asked_s), "the face itself has spoken"
        (session,) = await stage.open_sessions()
        assert "agent.interrupt" in await stage.commands(session["id"])
        await user.page.click("#end")
        await user.state("over")
    assert not user.complaints
    await nobody_left(stage)
    *_, cut = [line for line in await app.ended_transcript() if line.get("who") == "avatar"]
    said, whole = cut["text"], ANSWERS["How do you work"]
    assert cut["interrupted"] and whole.startswith(said[:8]) and len(said) < len(whole)


async def _heard_and_seen(user: User) -> bytes:
    """The sound of the next answer; its picture moves at 25 a second, without a gap."""
    page = user.page
    await user.state("speaking")
    await user.state("listening")
    await page.evaluate("listen()")
    await user.state("speaking")
    assert await page.evaluate("pace(50, 24, 30)") == pytest.approx(25, abs=1)
    assert await page.evaluate("[inside('face').videoWidth, inside('face').videoHeight]") == SIZE
    await _heard_out(user)
    return await user.hush()


async def _heard_out(user: User) -> None:
    """Wait for the end of an answer, through the pauses between its sentences."""
    while True:
        await user.state("listening")
        if not await user.comes("speaking", PAUSE_LIMIT_S):
            return
