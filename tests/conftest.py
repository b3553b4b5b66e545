"""What every test can rely on: none of the developer's settings, and servers to share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from pipelines.settings import Settings, environment_names
from tests.rooms import faced, fulled, joined, livekit, livekit_binary, roomed
from tests.talk.app import SMALL, App, running_app

__all__ = ["faced", "fulled", "joined", "livekit", "livekit_binary", "roomed"]

# Characters of a server's log that are shown where a test failed.
LOG_SHOWN = 6_000
BRIEF = "name: Theo\ngreeting: You can talk to me.\navatar: {puppet: theo}\n"


def pytest_addoption(parser: pytest.Parser) -> None:
    """What one may want otherwise in a single run."""
    parser.addoption("--fuzz-s", type=float, default=10, help="seconds to fuzz the sandbox for")
    parser.addoption(
        "--fuzz-packets", type=int, default=60, help="how many to send to a session that talks"
    )
    parser.addoption("--all-faults", action="store_true", help="not only a third of them")
    parser.addoption("--all-variants", action="store_true", help="not only one that is drawn")
    parser.addoption("--fuzz-seed", type=int, help="fuzz as in the run that told this seed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what a server said to a test that failed."""
    report = yield
    for name, value in getattr(item, "funcargs", {}).items():
        app = value[0] if isinstance(value, tuple) and value else value
        if report.failed and isinstance(app, App):
            report.sections.append((f"The log of {name}", app.output[-LOG_SHOWN:]))
    return report


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path_factory):
    """No key of the developer, and no .env, reaches a test."""
    for field in Settings.model_fields:
        for name in environment_names(field):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """A server as it is by default, for every test that needs no flags of its own."""
    async with running_app(tmp_path_factory.mktemp("app"), *SMALL) as app:
        yield app


@pytest.fixture(scope="session")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A persona of few words, for tests that are not about greetings."""
    path = tmp_path_factory.mktemp("brief") / "brief.yaml"
    path.write_text(BRIEF)
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def brief_app(tmp_path_factory: pytest.TempPathFactory, brief: Path) -> AsyncIterator[App]:
    """A server whose avatar is of few words."""
    async with running_app(
        tmp_path_factory.mktemp("brief_app"), *SMALL, "--persona", str(brief)
    ) as app:
        yield app
