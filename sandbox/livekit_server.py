"""A LiveKit server on this machine: found, or started on free ports and stopped again."""

import asyncio
import contextlib
import json
import secrets
import shutil
import socket
import tempfile
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import jwt
from livekit import api

from pipelines.cache import cache_folder
from sandbox.errors import SandboxError
from sandbox.tokens import LiveKit

LOOPBACK = "127.0.0.1"
DEV = LiveKit("ws://localhost:7880", "devkey", "secret")
READY_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 10.0
PROBE_TIMEOUT_S = 1.0
TRIES = 3
GO_LINE = "go install github.com/livekit/livekit-server/cmd/server@v1.13.5"
# When this process is gone, however it went, its end of the pipe closes, `read` returns, and the
# server is stopped. When the server goes first, so does the shell. A first TERM lets the server
# wait for its participants, and is lost in its first 100 ms; the next ones do not.
KEEPER = """
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{
    read -r _ <&3
    for signal in TERM TERM TERM KILL; do
        kill -$signal $server 2>/dev/null || break
        sleep 0.3
    done
} &
exec 3<&-
wait $server
"""


class NoLiveKit(SandboxError):
    """No LiveKit server can be found."""

    def __init__(self, cache: Path) -> None:
        super().__init__(
            "No LiveKit server",
            "set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET to one that runs (`docker run "
            "--rm --network host livekit/livekit-server --dev` is found by itself), or put "
            "a `livekit-server` on PATH: `brew install livekit`, a release of "
            "github.com/livekit/livekit, or scripts/livekit-server, which does "
            f"`{GO_LINE}` and leaves it as {cache / 'livekit-server'}",
        )


def find_binary(cache: Path | None = None) -> Path | None:
    """A `livekit-server` on PATH or in the cache folder."""
    folder = cache or cache_folder()
    found = shutil.which("livekit-server") or shutil.which("livekit-server", path=str(folder))
    return Path(found) if found else None


@asynccontextmanager
async def livekit_server(
    url: str = "",
    key: str = "",
    secret: str = "",
    *,
    cache: Path | None = None,
    dev: LiveKit | None = DEV,
) -> AsyncIterator[LiveKit]:
    """A LiveKit server for as long as the block runs.

    In this order: the one at `url`; one in dev mode on this machine (`dev`; None skips it); a
    `livekit-server` on PATH or in the cache folder, started here and stopped at the end, even if
    this process is killed.

    Raises:
        NoLiveKit: there is none; says how to get one.
        SandboxError: the one at `url` lacks its key, or a binary does not start.
    """
    if url:
        if not (key and secret):
            raise SandboxError(
                "LIVEKIT_URL is set without LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
                "set all three, or leave them all out to start a LiveKit server here",
            )
        yield LiveKit(url, key, secret)
    elif dev and await _runs_in_dev_mode(dev):
        yield dev
    else:
        binary = find_binary(cache)
        if not binary:
            raise NoLiveKit(cache or cache_folder())
        async with _running(binary) as server:
            yield server


async def _runs_in_dev_mode(dev: LiveKit) -> bool:
    # Its key is short and known to everybody; nobody needs to be warned.
    warnings.filterwarnings("ignore", category=jwt.InsecureKeyLengthWarning)
    return await answers(dev)


async def answers(server: LiveKit) -> bool:
    """Whether a LiveKit server lets one in with this key."""
    timeout = aiohttp.ClientTimeout(total=PROBE_TIMEOUT_S)
    try:
        async with api.LiveKitAPI(
            http_url(server.url), server.key, server.secret, timeout=timeout
        ) as livekit:
            await livekit.room.list_rooms(api.ListRoomsRequest())
    except (aiohttp.ClientError, TimeoutError, OSError, api.TwirpError, ValueError):
        return False
    return True


def http_url(url: str) -> str:
    """The address of LiveKit's API, from that of its WebSocket."""
    return "http" + url[2:] if url.startswith("ws") else url


@asynccontextmanager
async def _running(binary: Path) -> AsyncIterator[LiveKit]:
    async with contextlib.AsyncExitStack() as stack:
        # Once it runs, it needs neither its configuration nor the name of its log: nothing is left
        # of them, keys included, however this process ends.
        with tempfile.TemporaryDirectory(prefix="avatar-livekit-") as folder:
            server = await _start(binary, Path(folder), stack)
        yield server


async def _start(binary: Path, folder: Path, stack: contextlib.AsyncExitStack) -> LiveKit:
    """Start it; again on other ports when somebody else took one in between."""
    log = folder / "log"
    for _ in range(TRIES):
        server = LiveKit(f"ws://{LOOPBACK}:{free_port()}", "sandbox", secrets.token_urlsafe(32))
        config = folder / "livekit.yaml"
        config.touch(mode=0o600)
        config.write_text(json.dumps(_config(server)), encoding="utf-8")
        process = await _spawn(binary, config, log)
        if await _ready(server, process):
            stack.push_async_callback(_stop, process)
            return server
        await _stop(process)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise SandboxError(f"{binary} does not start. It said:\n{last}\nThe fix", "try another one")


def _config(server: LiveKit) -> dict[str, object]:
    """The configuration, as YAML's subset JSON: everything on loopback alone."""
    return {
        "port": int(server.url.rpartition(":")[2]),
        "bind_addresses": [LOOPBACK],
        "keys": {server.key: server.secret},
        "logging": {"level": "warn"},
        "room": {"auto_create": True, "empty_timeout": 60, "departure_timeout": 20},
        "rtc": {
            "use_external_ip": False,
            "node_ip": LOOPBACK,
            "tcp_port": free_port(),
            "udp_port": free_port(socket.SOCK_DGRAM),
            "use_ice_lite": True,
            "interfaces": {"includes": _loopback_interfaces()},
            "enable_loopback_candidate": True,
        },
    }


def _loopback_interfaces() -> list[str]:
    names = [name for _, name in socket.if_nameindex()]
    return [name for name in names if name.startswith("lo")]


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


async def _spawn(binary: Path, config: Path, log: Path) -> asyncio.subprocess.Process:
    with log.open("ab") as out:
        return await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            KEEPER,
            "sh",
            str(binary),
            "--config",
            str(config),
            stdin=asyncio.subprocess.PIPE,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


async def _ready(server: LiveKit, process: asyncio.subprocess.Process) -> bool:
    """Wait until it lets one in; False when it does not in time."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + READY_TIMEOUT_S
    while loop.time() < until_s and process.returncode is None:
        if await answers(server):
            return True
        await asyncio.sleep(0.05)
    return False


async def _stop(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None, "it was started with a pipe"
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
