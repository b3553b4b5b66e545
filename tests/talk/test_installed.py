"""The wheel, installed in an environment of its own: it talks in a folder far from the clone."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.speech import say
from tests.talk.app import environment, running_app
from tests.talk.visitor import Visitor

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "bots", "evals", "guide", "liveavatar", "pipelines", "puppet", "sandbox", "sessions", "web"
)  # fmt: skip
PERSONA = "name: Theo\ngreeting: You can talk to me.\navatar: {puppet: theo}\n"

pytestmark = pytest.mark.patient


@dataclass(frozen=True)
class Copy:
    """The wheel, and the command of the environment it is installed in."""

    wheel: Path
    command: Path

    def says(self, *words: str, **env: str) -> str:
        """What the command prints, on a line."""
        done = subprocess.run(
            [self.command, *words], env=environment(env), capture_output=True, text=True, timeout=60
        )
        return " ".join((done.stdout + done.stderr).split())


def uv(*words: str | Path) -> None:
    """Run uv, which must succeed; in the clone, so that its overrides hold."""
    found = shutil.which("uv")
    assert found, "the tests run under uv"
    subprocess.run([found, *words, "--quiet"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Copy:
    """The wheel with its extra `local`, beside nothing but what the lock has for it.

    Neither an index nor uv's cache of one is asked: the wheel would not go in if it needed anything
    that is not there.
    """
    folder = tmp_path_factory.mktemp("installed")
    lock, env, extra = folder / "pylock.toml", folder / "env", ("--extra", "local")
    uv("build", "--wheel", "--out-dir", folder)
    uv("export", "--locked", "--no-default-groups", *extra, "--no-emit-project", "-o", lock)
    uv("venv", "--python", sys.executable, env)
    uv("pip", "sync", "--python", env, lock)
    (wheel,) = folder.glob("*.whl")
    uv("pip", "install", "--no-index", "--offline", "--python", env, f"{wheel}[local]")
    return Copy(wheel, env / "bin" / "avatar")


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(installed):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PACKAGES],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    files = ZipFile(installed.wheel).namelist()
    assert {file for file in files if ".dist-info/" not in file} == set(listed.stdout.splitlines())


async def test_it_talks_with_what_the_extra_brings(installed, tmp_path):
    (tmp_path / "brief.yaml").write_text(PERSONA)
    flags = ("--size", "640x360", "--llm", "guide", "--persona", "brief.yaml")
    async with running_app(tmp_path, *flags, command=installed.command) as app:
        async with Visitor(app.url) as visitor:
            greeted_s = await visitor.hushed(0)
            visitor.microphone.say(say("What can you do?"))
            answer = "bot-transcription"
            await visitor.until(lambda: visitor.received(answer, greeted_s), "an answer", 30)
            await visitor.until(lambda: visitor.sounds[-1].loud, "its sound", 30)
            (asked,) = visitor.received("user-transcription")
            assert "what can you do" in asked["text"].lower()
            assert visitor.sights[-1].picture.shape == (360, 640)
        assert app.transcripts()


def test_production_is_without_the_local_parts_and_the_tests():
    (line,) = re.findall(r"^    uv sync (--extra .*)", (ROOT / "README.md").read_text(), re.M)
    production = {**os.environ, "UV_NO_DEFAULT_GROUPS": "1"}
    words = ["uv", "export", "--locked", "--no-hashes", "--no-header", *line.split()]
    done = subprocess.run(words, cwd=ROOT, env=production, capture_output=True, text=True)
    names = set(re.findall(r"^([\w-]+)==", done.stdout, re.M))
    assert {"pipecat-ai", "deepgram-sdk", "daily-python"} <= names
    assert not {"piper-tts", "faster-whisper", "pytest"} & names


def test_what_it_lacks_is_asked_for_at_the_wheel(installed):
    said = installed.says("--stt", "deepgram", DEEPGRAM_API_KEY="fake-deepgram-key")
    pip = f"uv pip install --python {installed.command.parents[1]}"
    wheel = installed.wheel.as_uri()
    assert f"STT=deepgram is not installed: run `{pip} 'avatar-talk[deepgram] @ {wheel}'`" in said


def test_traces_without_what_sends_them_are_refused(installed):
    said = installed.says(OTEL_EXPORTER_OTLP_ENDPOINT="http://localhost:4318")
    assert "what OTEL_EXPORTER_OTLP_ENDPOINT needs is not installed: run `uv pip install" in said
    assert "avatar-talk[traces] @" in said


def test_it_says_its_version_and_where_it_came_from(installed):
    version = installed.wheel.name.split("-")[1]
    source = f"installed by uv pip from {installed.wheel.as_uri()}"
    assert installed.says("--version") == f"avatar {version}, {source}"
