"""One sandbox for all examples, and their programs, run as a reader of their READMEs would."""

import asyncio
import base64
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from pipelines.settings import load_settings
from sandbox import LiveKit
from sandbox.wav import wav_of
from tests.browser.conftest import HOW as HOW_CHROMIUM
from tests.needs import missing
from tests.sandbox.caller import Caller
from tests.sandbox.conftest import serving
from tests.speech import say
from tests.standins.elevenlabs import ElevenLabs
from tests.talk.app import environment

if TYPE_CHECKING:
    from playwright.async_api import Page

EXAMPLES = Path(__file__).parents[2] / "examples"
CHROMIUM = ["--autoplay-policy=no-user-gesture-required", "--use-fake-ui-for-media-stream"]
# A microphone that is silent until it is given something to say.
MICROPHONE = """
const mouth = new AudioContext(), microphone = mouth.createMediaStreamDestination();
navigator.mediaDevices.getUserMedia = async () => new MediaStream(microphone.stream.getTracks());
window.ask = async (wav) => {
  const file = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0));
  const source = mouth.createBufferSource();
  source.buffer = await mouth.decodeAudioData(file.buffer);
  source.connect(microphone);
  source.start();
  await new Promise((over) => { source.onended = over; });
};
"""
TOKEN = re.compile(r"eyJ[\w-]{6,}\.[\w-]+\.[\w-]+")


class Program:
    """A program of an example, and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def output(self) -> str:
        """All of it, both streams."""
        return self._log.read_text(errors="replace")

    async def told(self, pattern: str, limit_s: float = 40) -> str:
        """Wait until it has printed something; the first group of it."""
        async with asyncio.timeout(limit_s):
            while not (found := re.search(pattern, self.output)):
                assert self.process.returncode is None, f"it ended early:\n{self.output}"
                await asyncio.sleep(0.02)
        return found[1] if found.groups() else found[0]


@asynccontextmanager
async def program(
    folder: Path, *words: str | Path, env: Mapping[str, str], ends: int = signal.SIGINT
) -> AsyncIterator[Program]:
    """Run a program until the block ends, then end it by a signal; it prints no token."""
    log = folder / f"{Path(words[1]).stem}.log"
    with log.open("w") as file:
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=folder,
            env=environment({**env, "PYTHONUNBUFFERED": "1"}),
            stdout=file,
            stderr=file,
        )
        running = Program(process, log)
        try:
            yield running
        finally:
            if process.returncode is None:
                process.send_signal(ends)
            async with asyncio.timeout(20):
                await process.wait()
    assert not TOKEN.search(running.output), "it prints a token"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def vendor() -> AsyncIterator[ElevenLabs]:
    """ElevenLabs, whose agents the sandbox sends for."""
    async with ElevenLabs() as vendor:
        yield vendor


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(livekit: LiveKit, vendor: ElevenLabs) -> AsyncIterator[Caller]:
    """The sandbox of all examples."""
    settings = load_settings(elevenlabs_base_url=vendor.url)
    async with serving(livekit, settings=settings) as caller:
        yield caller


@pytest.fixture
def env(stage: Caller) -> dict[str, str]:
    """What leads an example to it."""
    return {
        "LIVEAVATAR_BASE_URL": stage.url,
        "LIVEAVATAR_API_KEY": stage.key["X-API-KEY"],
        "LIVEKIT_URL": stage.livekit.url,
        "LIVEKIT_API_KEY": stage.livekit.key,
        "LIVEKIT_API_SECRET": stage.livekit.secret,
        "LIVEAVATAR_QUALITY": "low",
        "PYTHONPATH": str(EXAMPLES.parent),
    }


@pytest_asyncio.fixture(loop_scope="session")
async def page() -> "AsyncIterator[Page]":
    """A browser with that microphone."""
    if not (shutil.which("chromium") and find_spec("playwright")):
        missing(HOW_CHROMIUM)
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        path = shutil.which("chromium")
        chromium = await playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        page = await chromium.new_page(viewport={"width": 320, "height": 480})
        page.set_default_timeout(60_000)
        await page.add_init_script(MICROPHONE)
        yield page
        await chromium.close()


async def ask(page: "Page", text: str) -> None:
    """Say something into the page's microphone."""
    spoken = wav_of(say(text, 24_000))
    await page.evaluate("wav => ask(wav)", base64.b64encode(spoken).decode())


async def seen(page: "Page", what: str) -> None:
    """Wait until the page shows something."""
    from playwright.async_api import TimeoutError as Late

    try:
        await page.wait_for_selector(what)
    except Late:
        raise AssertionError(f"no {what}, but {await page.inner_text('body')}") from None


PYTHON = sys.executable
