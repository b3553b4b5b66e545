"""A page that is left, hidden, stopped, clicked twice: what a browser does to it meanwhile."""

import json
from pathlib import Path

import pytest

from tests.browser.conftest import Meet
from tests.browser.user import User
from tests.talk.app import App, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.drawn(2),
]

SPOKEN = "[data-role=user] + [data-role=avatar] .said:not(:empty)"
# Keeps what holds the screen on. A browser without a screen lets nobody hold it.
LOCKS = """
window.locks = [];
class Lock {
  released = false;
  async release() { this.released = true; }
}
const request = async () => {
  locks.push(new Lock());
  return locks.at(-1);
};
Object.defineProperty(Navigator.prototype, "wakeLock", { value: { request } });
"""
IS_ON = "locks.filter(({ released }) => !released).length === 1"
# What a browser does when another page is looked at, and then this one again.
LOOK_AWAY = "for (const lock of locks) lock.released = true;"
LOOK_BACK = "document.dispatchEvent(new Event('visibilitychange'))"
# The microphone opens when the test says so.
PROMPT = """
window.asked = [];
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => {
  const { isActive } = navigator.userActivation;
  const requests = performance.getEntriesByType("resource").map(({ name }) => name);
  asked.push({ isActive, started: requests.some((name) => name.endsWith("/start")) });
  await new Promise((resolve) => Object.assign(window, { allow: resolve }));
  return open(wish);
};
"""
# Far less than the half minute for which who dropped is waited for; a page that did not say goodbye
# is missed after 4 s.
MISSED_S = 12
KEPT = "addEventListener('pageshow', ({ persisted }) => { window.kept = persisted; });"
TRACKS = "[...new Set(watched.tracks.map(({ readyState }) => readyState))]"
GONE = "watched.tracks.length === 1 && watched.tracks[0].readyState === 'ended'"
WELCOMED = "[data-role=avatar] .said:has-text('where were we?')"
PLAYS = "!inside('voice').paused && !inside('face').paused"
STOPS = "inside('voice').pause(); inside('face').pause()"


async def test_the_screen_stays_on_while_one_talks(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence, before=LOCKS) as user:
        assert await user.page.evaluate("locks.length") == 0
        await user.begin()
        assert await user.page.evaluate(IS_ON)
        await user.page.evaluate(LOOK_AWAY)
        await user.page.evaluate(LOOK_BACK)
        await user.until(IS_ON)
        await user.page.click("#end")
        await user.state("over")
        await user.until("locks.every(({ released }) => released)")
        await user.page.evaluate(LOOK_BACK)
        assert await user.page.evaluate("locks.length") == 2


async def test_a_voice_that_the_browser_stops_goes_on(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        await user.begin()
        await user.page.evaluate(STOPS)
        await user.until(PLAYS)
        assert "sound off" not in await user.page.inner_text("#notice-words")
        await user.page.click("#end")
        await user.state("over")
        assert await user.page.evaluate("inside('face').paused")


def events(app: App) -> list[str]:
    """What has happened in the newest conversation so far."""
    lines = app.transcripts()[-1].read_text().splitlines()
    return [line["event"] for line in map(json.loads, lines) if "event" in line]


async def _prompt(user: User) -> None:
    """Click, and be asked for the microphone."""
    await user.page.click("#start")
    await user.until("asked.length === 1")


async def test_the_microphone_is_asked_for_in_the_click_before_anything_else(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence, before=PROMPT) as user:
        await _prompt(user)
        assert await user.page.evaluate("asked") == [{"isActive": True, "started": False}]


async def test_a_microphone_that_opens_after_the_end_is_let_go(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence, before=PROMPT) as user:
        await _prompt(user)
        await user.page.click("#end")
        await user.state("over")
        await user.page.evaluate("allow()")
        await user.until(GONE)
        assert not [url for url in user.requests if url.endswith("/start")]


async def test_two_clicks_begin_one_conversation(brief_app: App, meet: Meet, silence: Path) -> None:
    before = len(brief_app.transcripts())
    async with meet(brief_app.url, silence) as user:
        await user.page.dblclick("#start:enabled")
        await user.page.evaluate("document.querySelector('avatar-call').start()")
        await user.page.wait_for_selector("#stage[data-face=on]")
        assert await user.watched("watched.microphones") == 1
        assert len([url for url in user.requests if url.endswith("/start")]) == 1
    assert len(brief_app.transcripts()) == before + 1


async def test_enter_that_takes_a_word_of_an_input_method_sends_nothing(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        await user.begin()
        await user.state("listening")
        await user.page.focus("#text")
        session = await user.page.context.new_cdp_session(user.page)
        for text in ("む", "難しい"):
            wish = {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
            await session.send("Input.imeSetComposition", wish)
        enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
        await session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
        await session.send("Input.insertText", {"text": "難しい"})
        await session.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
        assert await user.page.input_value("#text") == "難しい"
        assert await user.page.locator("[data-role=user]").count() == 0
        await user.page.keyboard.press("Enter")
        assert await user.read("[data-role=user] .words") == "難しい"


async def _cut(user: User) -> None:
    """Start, ask, and hear the answer begin."""
    await user.begin()
    await user.type("What can you do?")
    await user.page.wait_for_selector(f"avatar-call[data-state=speaking] {SPOKEN}")


async def test_who_ends_the_conversation_in_mid_speech_ends_it_at_once(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        await _cut(user)
        await user.page.click("#end")
        lines = await brief_app.ended_transcript(limit_s=MISSED_S)
        assert [line["who"] for line in lines if "who" in line][-2:] == ["user", "avatar"]
        assert not {"gone", "back"} & {line.get("event") for line in lines}


async def test_who_leaves_the_page_in_mid_speech_is_waited_for(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    before = len(brief_app.transcripts())
    async with meet(brief_app.url, silence) as user:
        await _cut(user)
        await user.page.goto("about:blank")
        await until(lambda: "gone" in events(brief_app), limit_s=MISSED_S)
        await user.page.go_back(wait_until="commit")
        await user.page.wait_for_selector(WELCOMED)
        await user.page.click("#end")
        lines = await brief_app.ended_transcript(limit_s=MISSED_S)
        assert [line["who"] for line in lines if "who" in line][-3:] == ["user", "avatar", "avatar"]
        assert len(brief_app.transcripts()) == before + 1


async def test_a_page_that_the_browser_kept_while_it_was_left_goes_on_where_it_was(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    before = len(brief_app.transcripts())
    async with meet(brief_app.url, silence, keeps_pages=True, before=KEPT) as user:
        await user.begin()
        await user.page.goto(f"{brief_app.url}/view")
        await until(lambda: "gone" in events(brief_app), limit_s=MISSED_S)
        await user.page.go_back(wait_until="commit")
        await user.until("window.kept")
        await user.page.wait_for_selector(WELCOMED)
        await user.page.wait_for_selector("#stage[data-face=on]")
        assert await user.watched(TRACKS) == ["ended", "live"]
        assert len(brief_app.transcripts()) == before + 1
        await until(lambda: "back" in events(brief_app), limit_s=MISSED_S)
