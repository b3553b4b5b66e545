"""<avatar-call> as others use it: in their pages, with its attributes, methods and events."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.conftest import Meet
from tests.browser.site import Site, serving
from tests.browser.user import User
from tests.talk.app import App

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.drawn(2),
]

SHORT = "Thanks for your help."  # is answered in a few words
CALL = "document.querySelector('avatar-call')"
GREETING = "[data-role=avatar]:first-child .words"
FACE = "#stage[data-face=on]"
MICROPHONE = "watched.tracks[0].enabled"
UNHEARD_S = 15
# What the bot was told beside RTVI, after that the page can come back.
TOLD = """watched.sent.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text))
  .filter(({ type }) => type === "client-message").map(({ data }) => data)
  .filter(({ t }) => t !== "returns" && t !== "view")"""
# Fills a narrow window, and no more than its end is taken for the question.
LONG = 60 * "So many words. " + "What can you do?"
ANSWERING = "inside('captions').lastElementChild.dataset.role === 'avatar'"
WORDS = "inside('captions').lastElementChild.querySelector('.words').textContent.split(' ').length"
OVERFLOW = "inside('captions').scrollHeight - inside('captions').clientHeight"
FAR_PX = 60  # from the end, who reads there does not read the newest words
TO_THE_END = (
    "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)"
    "(inside('captions'))"
)
SCROLL_BACK = """new Promise((resolve) => {
  inside("captions").addEventListener("scroll", resolve, { once: true });
  inside("captions").scrollTop = 0;
})"""
LISTEN = """
window.heard = [];
for (const name of ["state", "transcript", "metrics", "error"]) {
  document.addEventListener(name, ({ detail }) => heard.push({ ...detail, name }));
}
"""
# Somebody's page that shows the element in a frame and passes no microphone on.
FRAME = """<iframe allow="microphone 'none'" srcdoc='
<script type=module src={server}/avatar.js></script><avatar-call></avatar-call>'></iframe>"""
TWO = '<avatar-call id="one"></avatar-call><avatar-call id="two" theme="dark"></avatar-call>'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[Site]:
    """Somebody else's site."""
    async with serving() as site:
        yield site


async def events(user: User, name: str) -> list[dict[str, object]]:
    """The details of the events of a name until now."""
    return await user.page.evaluate(f"heard.filter(({{ name }}) => name === '{name}')")


async def test_a_frame_that_keeps_the_microphone_is_told_of(
    brief_app: App, site: Site, meet: Meet, silence: Path
) -> None:
    site.show(brief_app.url, FRAME.format(server=brief_app.url))
    async with meet(site.url, silence, ready="iframe") as user:
        frame = user.page.frame_locator("iframe")
        await frame.locator("#start:enabled").click()
        reason = frame.locator("#reason", has_text="microphone")
        assert 'its frame lacks allow="microphone"' in await reason.inner_text()
        await frame.locator("#go-on-typing").click()
        await frame.locator("[data-role=avatar] .words", has_text="talk to me").wait_for()


async def test_a_page_on_another_origin_holds_a_conversation(
    brief_app: App, site: Site, meet: Meet, silence: Path
) -> None:
    site.show(brief_app.url)
    async with meet(site.url, silence) as user:
        await user.page.evaluate(LISTEN)
        await user.be_greeted()
        assert await user.page.evaluate(f"{CALL}.say('word '.repeat(400_000))")
        await user.page.wait_for_selector("#notice:has-text('2,000 characters'):visible")
        assert await user.page.evaluate(f"{CALL}.say('How do you work?')")
        await user.read("[data-role=user] + [data-role=avatar] .words")
        await user.state("speaking")
        await user.page.evaluate(f"{CALL}.interrupt()")
        await user.page.wait_for_selector("[data-role=avatar] .cut:visible")
        await user.state("listening")
        await user.until("heard.findLast(({ name }) => name === 'transcript')?.cut")
        await user.until("heard.some(({ exact }) => exact)")
        await user.page.evaluate(f"{CALL}.stop()")
        await user.state("over")
        states = [(event["previous"], event["state"]) for event in await events(user, "state")]
        assert states[:2] == [("idle", "microphone"), ("microphone", "connecting")]
        assert states[-1][1] == "over"
        said = await events(user, "transcript")
        assert {"user", "avatar"} == {event["role"] for event in said}
        assert said[-1]["cut"] is True
        turns = [event for event in await events(user, "metrics") if "steps" in event]
        assert turns and turns[-1]["exact"] is True
        assert not await events(user, "error")
        assert not user.complaints
        hosts = {url.split("/")[2] for url in user.requests if url.startswith("http")}
        assert hosts == {brief_app.url.split("/")[2], f"localhost:{site.port}"}


async def test_a_page_that_is_not_allowed_is_told_so(
    brief_app: App, site: Site, meet: Meet
) -> None:
    site.show(brief_app.url)
    before = brief_app.transcripts()
    async with meet(site.foreign_url, ready="avatar-call[data-state=failed]") as user:
        reason = await user.read("#reason")
        assert "AVATAR_ALLOWED_ORIGINS" in reason
        assert "shop.example" in reason
        assert await user.page.is_visible("#again")
        assert brief_app.transcripts() == before


async def test_two_on_a_page_and_what_is_removed_leaves_nothing(
    brief_app: App, site: Site, meet: Meet, silence: Path
) -> None:
    site.show(brief_app.url, TWO)
    async with meet(site.url, silence) as user:
        before = await user.watched("watched.timers.size")
        await user.page.click("#one #start")
        await user.page.click("#two #start-typing")
        await user.page.wait_for_selector(f"#one {FACE}")
        await user.page.wait_for_selector(f"#two {FACE}")
        assert await user.watched("watched.tracks.length") == 5
        await user.page.evaluate(f"window.first = {CALL}; first.remove()")
        assert await user.page.is_visible("#two #end")
        await user.page.evaluate(f"{CALL}.remove()")
        assert set(await user.watched("watched.tracks.map((t) => t.readyState)")) == {"ended"}
        assert set(await user.watched("watched.peers.map((p) => p.signalingState)")) == {"closed"}
        await user.until("watched.contexts.every((c) => c.state === 'closed')")
        assert await user.watched("watched.timers.size") == before
        await user.page.evaluate("document.body.append(first)")
        await user.page.click("#start:enabled")
        await user.page.wait_for_selector(FACE)
        assert await user.read(GREETING)
        assert not user.complaints


async def test_who_holds_the_button_or_the_space_bar_is_heard(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        page = user.page
        await page.evaluate(f"{CALL}.pushToTalk = true")
        await page.wait_for_selector("#start:enabled")
        await user.begin()
        assert await page.is_hidden("#mute")
        assert await user.watched(MICROPHONE) is False
        await page.hover("#hold")
        await page.mouse.down()
        assert await user.watched(MICROPHONE) is True
        await page.mouse.up()
        assert await user.watched(MICROPHONE) is False
        await page.keyboard.down("Space")
        assert await user.watched(MICROPHONE) is True
        await page.keyboard.up("Space")
        assert await user.watched(MICROPHONE) is False
        held = 2 * [{"t": "microphone", "d": {"muted": muted}} for muted in (False, True)]
        await page.focus("#text")
        await page.keyboard.down("Space")
        assert await user.watched(MICROPHONE) is False
        await page.evaluate(f"{CALL}.mute(true)")
        await page.evaluate(f"{CALL}.mute(false)")
        assert await user.watched(MICROPHONE) is False, "nobody holds the button"
        told = [{"t": "microphone", "d": {"muted": True}}, *held, {"t": "typing"}]
        assert await user.watched(TOLD) == told
        assert not user.complaints


async def test_the_bot_hears_that_the_user_types_and_mutes(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        await user.be_greeted()
        await user.page.locator("#text").press_sequentially("Hello", delay=50)
        await user.page.click("#mute")
        await user.page.click("#mute")
        told = [each for each in await user.watched(TOLD) if each["t"] != "interrupt"]
        assert told == [
            {"t": "typing"},
            {"t": "microphone", "d": {"muted": True}},
            {"t": "microphone", "d": {"muted": False}},
        ]
        assert not user.complaints


async def test_who_was_muted_before_there_was_a_button_to_hold_is_heard_all_the_same(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        page = user.page
        await user.be_greeted()
        await page.click("#mute")
        await page.evaluate(f"{CALL}.pushToTalk = true")
        assert await user.watched(MICROPHONE) is False
        await page.hover("#hold")
        await page.mouse.down()
        assert await user.watched(MICROPHONE) is True


async def test_who_holds_the_button_when_a_call_ends_does_not_hold_it_in_the_next_one(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        page = user.page
        await page.evaluate(f"{CALL}.pushToTalk = true")
        await page.wait_for_selector("#start:enabled")
        await user.begin()
        await page.hover("#hold")
        await page.mouse.down()
        await page.wait_for_selector("#hold[aria-pressed=true]")
        await page.evaluate(f"{CALL}.stop()")
        await user.state("over")
        await page.mouse.up()
        await page.click("#again")
        await page.wait_for_selector("#hold[aria-pressed=false]:enabled")
        live = "watched.tracks.find(({ readyState }) => readyState === 'live')"
        assert await user.watched(f"{live}.enabled") is False


async def test_a_microphone_that_hears_nothing_is_missed(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence, turned_clock=True) as user:
        page = user.page
        await user.be_greeted()
        await page.clock.fast_forward(UNHEARD_S * 1000)
        await page.wait_for_selector("#notice-action:visible")
        assert "can't hear you" in await user.read("#notice-words")
        await page.click("#notice-action")
        await page.wait_for_selector("#microphones:visible")
        await page.click("#devices-close")


async def test_who_reads_the_newest_words_sees_them_and_who_scrolls_back_is_left_alone(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        page = user.page
        await user.be_greeted()
        await page.set_viewport_size({"width": 390, "height": 440})
        await user.type(LONG)
        await user.until(f"{OVERFLOW} > {FAR_PX}")
        await user.until(f"{ANSWERING} && {WORDS} > 2")
        await user.until(f"{TO_THE_END} < 2")
        await page.click("#devices")
        await page.click("#devices-close")
        await user.until(f"{TO_THE_END} < 2")
        await page.evaluate(SCROLL_BACK)
        words = await page.evaluate(WORDS)
        await user.until(f"{WORDS} > {words + 3}")
        assert await page.evaluate("inside('captions').scrollTop") == 0


async def test_l_shows_how_fast_it_is(brief_app: App, meet: Meet, silence: Path) -> None:
    async with meet(brief_app.url, silence) as user:
        page = user.page
        await user.be_greeted()
        await user.type("What can you do?")
        await user.read("[data-role=user] + [data-role=avatar] .words")
        await page.fill("#text", "l")
        assert await page.is_hidden("#speed-sheet")
        await page.focus("#captions")
        await page.keyboard.press("l")
        await page.wait_for_selector("#waterfall .turn .step.voice")
        await user.until("/\\d/.test(inside('gauges').textContent)")
        gauges = await page.evaluate(
            "[...inside('gauges').children].map(({ dataset }) => dataset.gauge)"
        )
        assert gauges == ["fps", "offset", "loss", "roundTrip"]
        await page.keyboard.press("Escape")
        assert await page.is_hidden("#speed-sheet")


async def test_the_end_sums_up_and_the_transcript_can_be_taken_along(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        page = user.page
        await page.context.grant_permissions(["clipboard-read", "clipboard-write", "microphone"])
        await user.be_greeted()
        before = await user.watched("watched.states.length")
        await user.type(SHORT)
        await user.read("[data-role=user] + [data-role=avatar] .words")
        await user.until(f"watched.states.slice({before}).includes('speaking')")
        await user.state("listening")
        await page.click("#end")
        minutes, seconds = (await user.read("#duration")).split(":")
        assert int(minutes) * 60 + int(seconds) > 3
        assert await user.read("#turns") == "1"
        assert (await user.read("#median")).endswith(" s")
        async with page.expect_download() as expected:
            await page.click("#download")
        text = await asyncio.to_thread(Path(await (await expected.value).path()).read_text)
        assert f"You: {SHORT}" in text
        assert "Theo: You can talk to me." in text
        await page.click("#copy")
        assert await page.evaluate("navigator.clipboard.readText()") == text
        await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        await page.click("#copy")
        assert "download it" in await page.inner_text("#copy")
        await page.click("#again")
        await page.wait_for_selector(FACE)


async def test_who_is_chosen_by_picture_answers(app: App, meet: Meet, silence: Path) -> None:
    async with meet(app.url, silence) as user:
        await user.page.check("#personas input[value=theo]", force=True)
        assert await user.read("#title") == "Talk with Theo"
        assert "/api/faces/theo" in await user.page.evaluate("inside('portrait').src")
        await user.begin()
        await user.page.wait_for_selector(f"{GREETING}:has-text('Theo')")


async def test_nothing_starts_by_itself_before_the_user_has_agreed(
    brief_app: App, site: Site, meet: Meet, silence: Path
) -> None:
    site.show(brief_app.url, "<avatar-call autostart></avatar-call>")
    async with meet(site.url, silence) as user:
        assert await user.watched("watched.microphones") == 0
        assert await user.page.get_attribute("avatar-call", "data-state") == "idle"
        await user.begin()
        await user.page.click("#end")
        await user.state("over")
        await user.page.reload()
        await user.page.wait_for_selector(FACE)
        assert await user.watched("watched.microphones") == 1


@pytest.mark.parametrize(
    ("locale", "title", "start"),
    [
        pytest.param("de-AT", "Sprechen Sie mit Theo", "Gespräch beginnen", id="German"),
        pytest.param("es-MX", "Habla con Theo", "Empezar a hablar", id="Spanish"),
        pytest.param("fr-FR", "Talk with Theo", "Start talking", id="another one"),
    ],
)
async def test_it_speaks_the_browsers_language(
    brief_app: App, meet: Meet, locale: str, title: str, start: str
) -> None:
    async with meet(brief_app.url, locale=locale) as user:
        assert await user.read("#title") == title
        assert await user.read("#start") == start
        await user.page.evaluate(f"{CALL}.lang = 'en'")
        assert await user.read("#start") == "Start talking"
