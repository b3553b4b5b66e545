"""The page's JavaScript that needs no browser, in Node's own test runner."""

import shutil
import subprocess
from pathlib import Path

from tests.needs import missing

FOLDER = Path(__file__).parent
HOW = "The page's JavaScript is tested in Node 20 or later: get it with `apt-get install nodejs`."


def test_javascript_that_needs_no_browser() -> None:
    node = shutil.which("node") or missing(HOW)
    files = [str(path) for path in sorted(FOLDER.rglob("*.test.js"))]
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", *files], capture_output=True, text=True
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
