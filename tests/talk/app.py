"""The real command `avatar`, started as a user would, in a folder of its own."""

import asyncio
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AVATAR = Path(sys.executable).with_name("avatar")
READY = re.compile(r"open (http://\S+)")
# A small picture and a mind that answers the same each time.
SMALL = ("--size", "320x180", "--llm", "guide")
# Shorter than by default, for servers are shared.
RETURN_S = 30
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV", "XDG_CACHE_HOME")


@dataclass
class App:
    """A running server."""

    url: str
    folder: Path
    process: asyncio.subprocess.Process
    log: Path
    whole: str = ""

    @property
    def output(self) -> str:
        """Everything it printed and logged so far."""
        return self.whole or self.log.read_text(errors="replace")

    def transcripts(self) -> list[Path]:
        """The transcripts written so far, oldest first."""
        return sorted((self.folder / "transcripts").glob("*.jsonl"))

    async def ended_transcript(self, limit_s: float = 20) -> list[dict[str, Any]]:
        """The lines of the newest conversation, once it has ended."""
        end_s = time.monotonic() + limit_s
        while True:
            whole = self.transcripts()[-1].read_text().splitlines()
            lines = [json.loads(line) for line in whole]
            if lines and lines[-1].get("event") == "ended":
                return lines
            assert time.monotonic() < end_s, f"it goes on: {lines}"
            await asyncio.sleep(0.05)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment without a developer's keys."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"NO_COLOR": "1"} | dict(extra or {})


@asynccontextmanager
async def running_app(
    folder: Path,
    *flags: str,
    env: Mapping[str, str] | None = None,
    limit_s: float = 90,
    command: Path = AVATAR,
) -> AsyncIterator[App]:
    """Start `avatar --no-open --port 0` and end it by SIGTERM afterwards."""
    room = {"AVATAR_MAX_CONVERSATIONS": "100", "AVATAR_RETURN_S": str(RETURN_S)}
    own = {"XDG_STATE_HOME": str(folder), **room, **(env or {})}
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = await asyncio.create_subprocess_exec(
            command, "--no-open", "--port", "0", "--host", "127.0.0.1", *flags,
            cwd=folder, env=environment(own), stdout=log, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        app = App("", folder, process, Path(log.name))
        try:
            async with asyncio.timeout(limit_s):
                await _ready(app)
            yield app
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                await process.wait()
            app.whole = app.output


async def until(condition: Callable[[], Any], limit_s: float = 20) -> Any:
    """Wait until a condition holds of what another process or task does; gives what it gave."""
    async with asyncio.timeout(limit_s):
        while True:
            if found := condition():
                return found
            await asyncio.sleep(0.02)


async def _ready(app: App) -> None:
    while not (found := READY.search(app.output)):
        assert app.process.returncode is None, f"avatar ended early:\n{app.output}"
        await asyncio.sleep(0.05)
    app.url = found[1]
