"""One LiveKit server for a whole test run, and what is shown of LiveAvatar in its rooms."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox import LiveKit, livekit_server
from sandbox.livekit_server import find_binary
from tests.doorkeeper import env_of
from tests.needs import missing
from tests.talk.app import SMALL, App, running_app
from tests.talk.rehearsal import Rehearsal, rehearsal

HOW = "No LiveKit server: run scripts/livekit-server, which builds one into the cache folder."
Staged = tuple[App, Rehearsal]


@pytest.fixture(scope="session")
def livekit_binary() -> Path:
    """The LiveKit server's program."""
    binary = find_binary()
    if not binary:
        missing(HOW)
    return binary


@pytest.fixture(scope="session")
def livekit(livekit_binary: Path) -> Iterator[LiveKit]:
    """A LiveKit server of this test run's own."""
    running = _Background()
    try:
        yield running.started()
    finally:
        running.stop()


@asynccontextmanager
async def staged(
    livekit: LiveKit,
    folder: Path,
    *flags: str,
    faults: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Staged]:
    """The app, and the sandbox it is pointed at."""
    async with rehearsal(livekit, faults) as stage:
        env = {**stage.env, "AVATAR_LOG_LEVEL": "INFO", **(env or {})}
        flags = (*SMALL, "--liveavatar-quality", "low", *flags)
        async with running_app(folder, *flags, env=env) as app:
            yield app, stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def faced(
    tmp_path_factory: pytest.TempPathFactory, livekit: LiveKit, brief: Path
) -> AsyncIterator[Staged]:
    """An avatar of few words with LiveAvatar's face, in conversations over WebRTC."""
    flags = ("--persona", str(brief), "--avatar", "heygen")
    async with staged(livekit, tmp_path_factory.mktemp("faced"), *flags) as both:
        yield both


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def roomed(
    tmp_path_factory: pytest.TempPathFactory, livekit: LiveKit, brief: Path
) -> AsyncIterator[Staged]:
    """An avatar of few words in LiveAvatar's own rooms."""
    flags = ("--persona", str(brief), "--transport", "heygen")
    async with staged(livekit, tmp_path_factory.mktemp("roomed"), *flags) as both:
        yield both


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def joined(
    tmp_path_factory: pytest.TempPathFactory, livekit: LiveKit, brief: Path
) -> AsyncIterator[Staged]:
    """An avatar of few words in LiveKit rooms that LiveAvatar's face joins itself."""
    flags = ("--persona", str(brief), "--transport", "livekit", "--avatar", "heygen")
    env = {**env_of(livekit), "AVATAR_LOG_LEVEL": "DEBUG"}
    async with staged(livekit, tmp_path_factory.mktemp("joined"), *flags, env=env) as both:
        yield both
    assert "eyJ" not in both[0].output, "no token is logged"


FULL = (
    *("--transport", "full", "--persona", "hotel.yaml", "--var", "guest=Ann"),
    *("--liveavatar-quality", "low"),
)
HOTEL = """
name: Theo
greeting: Welcome, ${guest}.
prompt: Breakfast is from seven to ten. ${guest} may bring a dog, which eats in the garden.
"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fulled(tmp_path_factory: pytest.TempPathFactory, roomed: Staged) -> AsyncIterator[Staged]:
    """A server whose conversations LiveAvatar runs, with its own mind."""
    _, stage = roomed
    folder = tmp_path_factory.mktemp("full")
    (folder / "hotel.yaml").write_text(HOTEL)
    env = {**stage.env, "AVATAR_LOG_LEVEL": "INFO"}
    async with running_app(folder, *FULL, env=env) as app:
        yield app, stage


class _Background:
    """Holds a LiveKit server open in a thread, across the event loops of tests."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._server: LiveKit | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def started(self) -> LiveKit:
        """The server, once it runs."""
        assert self._ready.wait(60) and self._server, "the LiveKit server did not start"
        return self._server

    def stop(self) -> None:
        """Stop the server."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._hold())
        finally:
            self._ready.set()
            self._loop.close()

    async def _hold(self) -> None:
        async with livekit_server(dev=None) as self._server:
            self._ready.set()
            await self._stop.wait()
