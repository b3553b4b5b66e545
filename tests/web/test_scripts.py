"""The page's JavaScript that needs no browser, in Node's own test runner."""

import shutil
import subprocess
from pathlib import Path

from tests.needs import missing

FOLDER = Path(__file__).parent
OLDEST = 20
HOW = f"The page's JavaScript is tested in Node {OLDEST} or later: try `apt-get install nodejs`."


def _node() -> str:
    """The program; what is too old is as good as missing."""
    program = shutil.which("node")
    if not program:
        missing(HOW)
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST:
        missing(f"{HOW} Here is {version.strip()}.")
    return program


def test_javascript_that_needs_no_browser() -> None:
    files = [str(path) for path in sorted(FOLDER.rglob("*.test.js"))]
    done = subprocess.run(
        [_node(), "--test", "--test-reporter=spec", *files], capture_output=True, text=True
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
