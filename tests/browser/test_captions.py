"""Captions beside the sound that is heard, and the waterfall beside what the server measured."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from tests.browser.conftest import Meet
from tests.browser.user import RATE, User
from tests.speech import differences_s, heard_words
from tests.talk.app import App, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.timeout(300),
]

FLAGS = ("--size", "320x180", "--llm", "guide", "--persona", "brief.yaml")
BRIEF = "name: Theo\ngreeting: Hi, I'm Theo!\navatar: {puppet: theo}\n"
NEAR_S = 0.25
# A word that Whisper hears a little early or late is no fault of the captions.
LEAST_SHARE = 0.9
LEAST_WORDS = 20
# Records the voice from now on, and what the captions show of it with the time of every change.
RECORD = """async () => {
  const begun_s = listen();
  window.shown = [];
  new MutationObserver(async () => {
    const at_s = performance.now() / 1000;
    const said = inside("captions").querySelectorAll("[data-role=avatar] .said");
    const text = [...said].map(({ textContent }) => textContent).join(" ");
    shown.push([at_s - (await begun_s), text]);
  }).observe(inside("captions"), { subtree: true, childList: true, characterData: true });
  await begun_s;
}"""
COLLECT = """() => {
  window.told = [];
  document.addEventListener("metrics", ({ detail }) => detail.type === "turn" && told.push(detail));
}"""
# How long sounds wait in the browser before they are played, on average, in seconds.
WAITING = """async () => {
  const stats = [...(await watched.peers[0].getStats()).values()];
  const waits = ({ jitterBufferDelay, jitterBufferEmittedCount }) =>
    jitterBufferDelay / jitterBufferEmittedCount;
  return waits(stats.find(({ type, kind }) => type === "inbound-rtp" && kind === "audio"));
}"""
BARS = "[...inside('waterfall').querySelectorAll('.total')].map(({ textContent }) => textContent)"


@dataclass(frozen=True)
class Witnessed:
    """A conversation: `shown` is the captions' text with its time in seconds of the `sound`."""

    shown: list[tuple[float, str]]
    sound: bytes
    waited_s: float
    turns: list[dict[str, Any]]
    bars: list[str]
    transcript: list[dict[str, Any]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """A server whose avatar greets in a few words."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "brief.yaml").write_text(BRIEF)
    async with running_app(folder, *FLAGS) as app:
        yield app


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def witnessed(app: App, meet: Meet, question: Path) -> Witnessed:
    """A spoken and a typed question, each with its whole answer."""
    async with meet(app.url, question) as user:
        await user.page.evaluate(COLLECT)
        await user.page.click("#start")
        await user.page.wait_for_selector("#stage[data-face=on]")
        await user.page.evaluate(RECORD)
        await _answered(user, 1)
        await user.type("What can you do?")
        await _answered(user, 2)
        sound = await user.hush()
        waited_s = await user.watched(WAITING)
        shown = [(at_s, text) for at_s, text in await user.watched("shown")]
        turns = await user.watched("told")
        await user.page.click("#speed")
        bars = await user.watched(BARS)
        await user.page.click("#end")
        await user.state("over")
    lines = await app.ended_transcript()
    return Witnessed(shown, sound, waited_s, turns, bars, lines)


async def _answered(user: User, turns: int) -> None:
    """Wait until so many answers were heard out."""
    asked = "[data-role=user] + [data-role=avatar]"
    await user.page.wait_for_selector(f":nth-match({asked}, {turns}) .said:not(:empty)")
    await user.state("speaking")
    await user.state("listening")


def told_words(shown: list[tuple[float, str]]) -> list[tuple[str, float]]:
    """The captions' words, and when each was first shown."""
    words: list[tuple[str, float]] = []
    for at_s, text in shown:
        words += [(word, at_s) for word in text.split()[len(words) :]]
    return words


async def test_words_are_shown_when_they_are_heard(witnessed: Witnessed) -> None:
    late_s = np.array(
        differences_s(told_words(witnessed.shown), heard_words(witnessed.sound, RATE))
    )
    print(f"captions: {len(late_s)} words, median {np.median(late_s):.3f} s, {late_s.round(2)}")
    print(f"sounds waited {witnessed.waited_s:.3f} s in the browser")
    assert len(late_s) > LEAST_WORDS
    assert abs(np.median(late_s)) < NEAR_S
    assert np.mean(np.abs(late_s) < NEAR_S) >= LEAST_SHARE, late_s


async def test_the_waterfall_is_what_the_server_has_measured(witnessed: Witnessed) -> None:
    measured = [line["steps"] for line in witnessed.transcript if "steps" in line]
    told = [{step["name"]: step["at_s"] for step in turn["steps"]} for turn in witnessed.turns]
    assert [turn["exact"] for turn in witnessed.turns] == [True, True]
    assert [set(steps) for steps in told] == [
        {"ears", "mind", "voice", "face"},
        {"mind", "voice", "face"},
    ]
    assert told == [pytest.approx(steps, abs=0.002) for steps in measured], json.dumps(measured)
    assert witnessed.bars == [f"{max(steps.values()):.2f}" for steps in told]
