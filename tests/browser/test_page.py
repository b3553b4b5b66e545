"""The page in Chromium: what its buttons do, and what it says when something goes wrong."""

from pathlib import Path

import pytest

from tests.browser.conftest import Meet
from tests.standins.liveavatar import LiveAvatar
from tests.talk.app import SMALL, App, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
]

ASKED = "[data-role=user] .words"
ANSWERS = "[data-role=user] + [data-role=avatar]"
ANSWER = f"{ANSWERS} .words"
LONG_WORDS = f"{ANSWER} .said:text-matches('[a-z]{{4,}}', 'i')"
TRACKS = "watched.tracks.map((track) => track.readyState)"
# Lets something come to the page over its data channel.
PUT_IN = "(data) => watched.channels[0].dispatchEvent(new MessageEvent('message', { data }))"
GIVEN_UP_S = 61
PERSONA = "name: Theo\ngreeting: Hello.\ngoodbye: Goodbye!\navatar: {puppet: theo}\n"


async def test_a_script_in_the_page_itself_is_refused(brief_app: App, meet: Meet) -> None:
    async with meet(brief_app.url) as user:
        await user.page.evaluate(
            "document.head.append(Object.assign(document.createElement('script'), { text: '1' }))"
        )
        assert await user.watched("watched.violations") == ["script-src-elem inline"]


async def test_who_refuses_the_microphone_goes_on_by_typing(brief_app: App, meet: Meet) -> None:
    async with meet(brief_app.url) as user:
        await user.page.click("#start")
        await user.state("failed")
        assert "microphone was refused" in await user.read("#reason")
        await user.page.click("#go-on-typing")
        await user.state("listening", "speaking")
        await user.type("What can you do?")
        assert await user.read(ASKED) == "What can you do?"
        # What is heard of the greeting may stand before it.
        await user.page.wait_for_selector(f"avatar-call[data-state=speaking] {LONG_WORDS}")
        assert await user.page.is_hidden("#mute")
        assert await user.watched("watched.microphones") == 1
        assert await user.watched("watched.tracks.map((track) => track.kind)") == ["audio", "video"]
        assert not user.complaints


async def test_the_microphone_can_be_muted_and_opened_again(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        await user.page.click("#start")
        await user.page.click("#mute:enabled")
        await user.page.wait_for_selector("#mute[data-muted=true]")
        assert await user.watched("watched.tracks[0].enabled") is False
        await user.page.click("#mute")
        assert await user.watched("watched.tracks[0].enabled") is True


async def test_what_is_no_message_changes_nothing(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        await user.be_greeted()
        for text in ("null", "7", "[]", '"hello"', "hello", "{"):
            await user.page.evaluate(PUT_IN, text)
        await user.type("What can you do?")
        assert await user.read(ANSWER)
        assert not user.complaints


async def test_the_end_releases_everything_and_one_can_talk_again(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        await user.page.click("#start")
        await user.page.wait_for_selector("#stage[data-face=on]")
        await user.page.click("#end")
        await user.state("over")
        assert await user.read("#reason") == "You ended the conversation."
        assert await user.watched(TRACKS) == 3 * ["ended"]
        assert await user.watched("watched.peers.map((peer) => peer.signalingState)") == ["closed"]
        assert await user.watched("inside('voice').srcObject") is None
        assert await user.watched("inside('call').getRootNode().activeElement.id") == "again"
        await user.page.click("#again")
        await user.page.wait_for_selector("#stage[data-face=on]")
        assert await user.read("[data-role=avatar] .words")
        assert not user.complaints


async def test_a_server_that_dies_is_missed(
    tmp_path: Path, brief: Path, meet: Meet, silence: Path
) -> None:
    async with (
        running_app(tmp_path, *SMALL, "--persona", str(brief)) as app,
        meet(app.url, silence, turned_clock=True) as user,
    ):
        await user.page.click("#start")
        await user.page.wait_for_selector("#stage[data-face=on]")
        app.process.kill()
        await app.process.wait()
        await user.state("reconnecting")
        await user.page.clock.fast_forward(GIVEN_UP_S * 1000)
        await user.state("failed")
        assert await user.read("#reason") == "The connection to the avatar was lost."
        assert await user.watched(TRACKS) == 3 * ["ended"]


async def test_a_start_that_is_refused_is_told_in_the_servers_words(
    tmp_path: Path, meet: Meet, silence: Path
) -> None:
    async with LiveAvatar(key="fake-right-key") as vendor:
        env = {"LIVEAVATAR_API_KEY": "fake-wrong-key", "LIVEAVATAR_BASE_URL": vendor.url}
        flags = ("--transport", "heygen", "--llm", "guide")
        async with running_app(tmp_path, *flags, env=env) as app, meet(app.url, silence) as user:
            await user.page.click("#start")
            await user.state("failed")
            assert "check LIVEAVATAR_API_KEY" in await user.read("#reason")
            assert await user.watched("watched.tracks[0].readyState") == "ended"


async def test_what_fails_once_the_call_is_there_is_told_in_the_servers_words(
    tmp_path: Path, brief: Path, meet: Meet, silence: Path
) -> None:
    flags = (*SMALL, "--persona", str(brief), "--transcripts", "kept")
    async with running_app(tmp_path, *flags) as app, meet(app.url, silence) as user:
        (tmp_path / "kept").write_text("no folder")
        await user.page.click("#start")
        await user.state("failed")
        reason = await user.read("#reason")
        assert "AVATAR_TRANSCRIPTS=kept cannot be written" in reason
        assert await user.watched("watched.tracks[0].readyState") == "ended"


async def test_who_stays_silent_is_asked_once_and_then_let_go(
    tmp_path: Path, meet: Meet, silence: Path
) -> None:
    (tmp_path / "short.yaml").write_text(PERSONA)
    flags = (*SMALL, "--persona", "short.yaml", "--idle-s", "1.5")
    async with running_app(tmp_path, *flags) as app:
        async with meet(app.url, silence) as user:
            await user.page.click("#start")
            await user.state("over")
            said = await user.read("[data-role=avatar] .words")
            assert said.count("Are you still there?") == 1
            assert said.endswith("Goodbye!")
            assert "quiet for a while" in await user.read("#reason")
            assert not user.complaints
