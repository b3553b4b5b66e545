"""One sandbox for all examples, and their programs, run as a reader of their READMEs would."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from pipelines.settings import load_settings
from sandbox import LiveKit
from tests.sandbox.caller import Caller
from tests.sandbox.conftest import serving
from tests.standins.elevenlabs import ElevenLabs
from tests.talk.app import environment

EXAMPLES = Path(__file__).parents[2] / "examples"
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


PYTHON = sys.executable
