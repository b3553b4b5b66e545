"""Fixtures: Chromium with a microphone one can choose, and what it hears."""

import shutil
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from importlib.util import find_spec
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser import sound
from tests.browser.chromium import Chromium
from tests.browser.user import User
from tests.needs import missing
from tests.speech import say

HOW = (
    "The page is tested in Chromium: get it with `apt-get install chromium` "
    "and `uv sync --group browser`."
)
RATE = 48_000
Meet = Callable[..., AbstractAsyncContextManager[User]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def meet() -> AsyncIterator[Meet]:
    """Opens a page: `meet(url)` refuses the microphone, `meet(url, wav)` speaks the file, and
    `meet(url, card)` has what is plugged into a sound card.

    Further options are those of Chromium.meeting().
    """
    program = shutil.which("chromium")
    if not (program and find_spec("playwright")):
        missing(HOW)
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        chromium = Chromium(playwright.chromium, program)
        yield chromium.meeting
        await chromium.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def card(tmp_path: Path) -> AsyncIterator[sound.SoundCard]:
    """A sound card without any device."""
    if not sound.is_there():
        missing(sound.HOW)
    async with sound.sound_card(tmp_path) as card:
        yield card


@pytest.fixture(scope="session")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A microphone in a quiet room."""
    return _write(tmp_path_factory.mktemp("microphone") / "silence.wav", bytes(2 * RATE))


@pytest.fixture(scope="session")
def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A microphone that hears "What can you do?", again and again with half a minute between."""
    path = tmp_path_factory.mktemp("microphone") / "question.wav"
    pcm = bytes(2 * RATE * 7) + say("What can you do?", RATE) + bytes(2 * RATE * 24)
    return _write(path, pcm)


def _write(path: Path, pcm: bytes) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(pcm)
    return path
