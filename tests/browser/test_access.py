"""The page for everybody: nothing for axe to find, the keyboard alone, narrow windows, less motion.

Each state is reached in a real conversation and looked at narrow and light, wide and dark.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.browser.conftest import Meet
from tests.browser.held import held_offer, held_question
from tests.browser.looks import DESK, NARROW, Look
from tests.browser.user import User
from tests.needs import missing
from tests.standins.ollama import Ollama
from tests.standins.replies import Reply
from tests.talk.app import App, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet", "axe"),
    pytest.mark.timeout(400),
    pytest.mark.drawn(2),
]

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
HOW = "axe-core is not installed: run `npm ci`."
# Colours do not depend on the width, nor the layout on the colours.
LOOKS = (NARROW[0], DESK[1])
# WCAG 2.2 at level AA; best practices beyond it are for pages, not for an element inside them.
AUDIT = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const { violations, passes } = await axe.run(document, { runOnly: rules });
  const where = ({ target, failureSummary }) => `${target.flat().join(" ")}: ${failureSummary}`;
  return {
    found: violations.map(({ id, nodes }) => `${id}: ${nodes.map(where).join("; ")}`),
    checked: passes.length,
  };
}"""
# What sticks out at a side, of the page and of every box of the element that does not scroll.
STICKING_OUT = """() => {
  const root = document.querySelector("avatar-call").shadowRoot;
  const edge = document.documentElement.clientWidth;
  const seen = [...root.querySelectorAll("#call *:not(.hidden, svg *)")];
  const wide = seen.filter((element) => {
    const { left, right, width } = element.getBoundingClientRect();
    const shown = width > 1 && element.checkVisibility() && !element.closest("#stage");
    return shown && (left < -0.5 || right > edge + 0.5);
  });
  const names = wide.map((element) => element.id || element.className || element.localName);
  if (document.documentElement.scrollWidth > edge) names.push("page");
  return names;
}"""
FOCUS = """() => {
  const element = document.querySelector("avatar-call").shadowRoot.activeElement;
  if (!element) return { id: null };
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  return { id: element.id, ring: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
}"""
MOTIONS = """() => {
  const moving = document.querySelector("avatar-call").shadowRoot.getAnimations();
  return moving.filter(({ playState }) => playState === "running").length;
}"""
GREETING = (
    "Hello, and welcome. I am going to speak for quite a while now, so that everybody has the time "
    "to look at me closely while I do it. There is the badge at the top, which says that I am an "
    "avatar. There is the sign at the bottom, which says that I am speaking. My words appear while "
    "they are spoken, and not a moment before. You may interrupt me whenever you like, with your "
    "voice, with a button, or with the keyboard. You may also wait until I am done, which will "
    "happen soon. Thank you for your patience, and for looking after everybody who comes here."
)
PERSONA = f"name: Theo\ngreeting: {GREETING}\navatar: {{puppet: theo}}\n"
QUICK = Reply("It is written in the stars.")
TABS = 40


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.is_file():
        missing(HOW)
    return AXE.read_text()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mind() -> AsyncIterator[Ollama]:
    """A mind that answers when it is told to."""
    async with Ollama() as mind:
        yield mind


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(tmp_path_factory: pytest.TempPathFactory, mind: Ollama) -> AsyncIterator[App]:
    """A server whose avatar greets at length."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "patient.yaml").write_text(PERSONA)
    flags = ("--size", "320x180", "--persona", "patient.yaml", "--llm", "ollama")
    async with running_app(folder, *flags, env={"OLLAMA_BASE_URL": mind.openai_url}) as app:
        yield app


class Auditor:
    """Looks at a page in every look, and collects what is wrong."""

    def __init__(self, user: User, axe: str) -> None:
        self._user = user
        self._axe = axe
        self.found: list[str] = []
        self.seen: list[str] = []

    async def look(self, state: str, *looks: Look) -> None:
        """Audit the page while it is in a state."""
        for look in looks or LOOKS:
            await self._user.state(state)
            await look.put_on(self._user.page)
            self.found += [f"{state}, {look.name}: {one}" for one in await self._problems(look)]
            assert await self._state() == state, f"{state} was over before {look.name} was seen"
            self.seen.append(f"{state} {look.name}")

    async def _problems(self, look: Look) -> list[str]:
        page = self._user.page
        if not await page.evaluate("'axe' in window"):
            await page.evaluate(self._axe)
        said = await page.evaluate(AUDIT)
        assert said["checked"] > 10
        beyond = await page.evaluate(STICKING_OUT) if look in NARROW else []
        return said["found"] + [f"{name} sticks out" for name in beyond]

    async def _state(self) -> str | None:
        return await self._user.page.get_attribute("avatar-call", "data-state")


async def test_axe_finds_nothing_in_a_conversation(
    app: App, mind: Ollama, meet: Meet, silence: Path, axe: str
) -> None:
    thought = asyncio.Event()
    mind.state.replies.append(Reply("That took a moment of thought.", after=thought))
    async with meet(app.url, silence) as user:
        auditor = Auditor(user, axe)
        await auditor.look("idle")
        async with held_question(user.page) as answered, held_offer(user.page) as sent:
            await user.page.click("#start")
            await auditor.look("microphone")
            await answered()
            await auditor.look("connecting")
            await sent()
        await user.read("[data-role=avatar] .said")
        await auditor.look("speaking")
        await user.page.click("#devices")
        await auditor.look("speaking")
        await user.page.click("#devices-close")
        await user.page.click("#interrupt")
        await auditor.look("listening")
        await user.type("What do you think?")
        await auditor.look("thinking")
        thought.set()
        await user.read("[data-role=user] + [data-role=avatar] .said")
        await user.state("listening")
        await user.page.keyboard.press("Escape")
        await user.page.click("#speed")
        await user.page.wait_for_selector("#waterfall")
        await auditor.look("listening")
        await user.page.click("#end")
        await auditor.look("over")
        assert not auditor.found, "\n".join(auditor.found)
        assert len(auditor.seen) == 9 * len(LOOKS)
        assert not user.complaints


async def test_axe_finds_nothing_in_a_failure(app: App, meet: Meet, axe: str) -> None:
    async with meet(app.url) as user:
        auditor = Auditor(user, axe)
        await user.page.click("#start")
        await auditor.look("failed")
        await user.page.goto(f"{app.url}/view")
        await auditor.look("failed")
        assert not auditor.found, "\n".join(auditor.found)


async def test_axe_finds_a_flaw_that_is_there(app: App, meet: Meet, axe: str) -> None:
    async with meet(app.url) as user:
        auditor = Auditor(user, axe)
        await user.page.evaluate("inside('send').ariaLabel = inside('send').title = ''")
        await user.page.evaluate("inside('controls').hidden = false")
        await auditor.look("idle", DESK[0])
        (flaw,) = auditor.found
        assert "button-name" in flaw


async def test_a_whole_conversation_needs_no_more_than_a_keyboard(
    app: App, mind: Ollama, meet: Meet, silence: Path
) -> None:
    mind.state.replies.append(QUICK)
    async with meet(app.url, silence) as user:
        press = user.page.keyboard.press
        await _tab_to(user, "start")
        await press("Enter")
        await user.read("[data-role=avatar] .said")
        await _tab_to(user, "interrupt")
        await press("Space")
        await user.state("listening")
        await _tab_to(user, "text", backwards=True)
        await user.page.keyboard.type("Where is it written?")
        await press("Enter")
        answer = "[data-role=user] + [data-role=avatar] .words"
        await user.page.wait_for_selector(f"{answer}:has-text('{QUICK.text}')")
        await user.state("listening")
        await _tab_to(user, "speed")
        await press("l")
        assert await _focus(user) == {"id": "speed-sheet", "ring": False}
        await user.page.wait_for_selector("#waterfall")
        await press("Escape")
        assert await user.page.is_hidden("#speed-sheet")
        await _tab_to(user, "mute", backwards=True)
        await press("Space")
        await user.page.wait_for_selector("#mute[data-muted=true]")
        await _tab_to(user, "end")
        await press("Enter")
        await user.state("over")
        assert (await _focus(user))["id"] == "again"
        await press("Enter")
        await user.state("speaking")
        await _tab_to(user, "end")
        await press("Space")
        await user.state("over")
        assert not user.complaints


async def _tab_to(user: User, wanted: str, backwards: bool = False) -> None:
    """Walk to a control; wherever the focus comes by on the way, it can be seen."""
    passed: list[dict[str, Any]] = []
    for _ in range(TABS):
        await user.page.keyboard.press("Shift+Tab" if backwards else "Tab")
        passed.append(await _focus(user))
        if passed[-1]["id"] == wanted:
            break
    assert passed[-1]["id"] == wanted, passed
    unseen = [each["id"] for each in passed if each["id"] and not each["ring"]]
    assert not unseen


async def _focus(user: User) -> dict[str, Any]:
    return await user.page.evaluate(FOCUS)


async def test_nothing_moves_for_people_who_asked_for_less_motion(app: App, meet: Meet) -> None:
    async with meet(app.url) as user, held_offer(user.page) as sent:
        await NARROW[0].put_on(user.page, motion=True)
        await user.page.click("#start-typing")
        await user.state("connecting")
        assert await user.page.evaluate(MOTIONS) > 0
        await NARROW[0].put_on(user.page)
        assert await user.page.evaluate(MOTIONS) == 0
        await sent()


@pytest.mark.parametrize("locale", ["de-AT", "es-MX"])
async def test_longer_languages_fit_into_narrow_windows(
    app: App, meet: Meet, axe: str, locale: str
) -> None:
    async with meet(app.url, locale=locale) as user:
        assert await user.page.get_attribute("#call", "lang") == locale[:2]
        auditor = Auditor(user, axe)
        await auditor.look("idle", NARROW[1])
        assert not auditor.found, "\n".join(auditor.found)
        await user.page.click("#start-typing")
        for state, button in (("speaking", "speed"), ("speaking", "end"), ("over", "copy")):
            await user.state(state)
            assert not await user.page.evaluate(STICKING_OUT)
            await user.page.click(f"#{button}")
