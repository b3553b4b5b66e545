"""Opens a LiveKit room in the browser, by `avatar join`, which reads the token from a pipe."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

AVATAR = Path(sys.executable).with_name("avatar")


async def look(url: str, token: str) -> None:
    """Show the room, unless LOOK=no; the viewer ends with this program's terminal."""
    if os.getenv("LOOK") == "no":
        return
    words = (AVATAR, "join", "--url", url)
    viewer = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=DEVNULL)
    assert viewer.stdin
    viewer.stdin.write(f"{token}\n".encode())
    viewer.stdin.close()
