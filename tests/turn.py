"""A real TURN server that is reached by TCP alone: Debian's coturn."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.needs import missing
from tests.nginx import free_port

HOW = "Where only TCP comes through is tested with `apt-get install coturn`."
NAME, PASSWORD = "guest", "secret"


@asynccontextmanager
async def turn(address: str, folder: Path) -> AsyncIterator[dict[str, str]]:
    """Run it at an address of this machine; gives it as WebRTC takes it."""
    program = shutil.which("turnserver")
    if not program:
        missing(HOW)
    port = free_port(address)
    process = await asyncio.create_subprocess_exec(
        program, "-n", "--no-cli", "--no-udp", "--no-tls", "--no-dtls",
        *("--listening-ip", address, "--relay-ip", address, "--listening-port", str(port)),
        *("--lt-cred-mech", "--realm", "avatar.example", "--user", f"{NAME}:{PASSWORD}"),
        *("--userdb", str(folder / "turndb"), "--pidfile", str(folder / "turn.pid")),
        *("--log-file", "stdout", "--simple-log"),
        stdout=asyncio.subprocess.DEVNULL, stderr=sys.stderr,
    )  # fmt: skip
    try:
        await _answers(address, port, process)
        url = f"turn:{address}:{port}?transport=tcp"
        yield {"urls": url, "username": NAME, "credential": PASSWORD}
    finally:
        process.terminate()
        await process.wait()


async def _answers(address: str, port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(20):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection(address, port)
                return writer.close()
            except OSError:
                await asyncio.sleep(0.05)
    raise AssertionError("coturn ended early")
