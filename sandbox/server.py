"""The sandbox as a server: everything opened in order, and closed again."""

import asyncio
import contextlib
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from sandbox.account import Account, Clock, Limits
from sandbox.app import build_app
from sandbox.desk import Desk
from sandbox.errors import SandboxError
from sandbox.faults import BadFault, Fault, Faults, parse_fault
from sandbox.shelves import Shelves
from sandbox.store import Nowhere, SQLite
from sandbox.theatre import Theatre
from sandbox.tokens import LiveKit, SessionTokens

DEFAULT_KEY = "sandbox"
HOST = "127.0.0.1"
GRACE_S = 2
BACKLOG = 512
SOCKET_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Address:
    """Where a sandbox listens, and its API key."""

    url: str
    """The root, without /v1 and without a trailing slash."""
    key: str = field(repr=False)
    desk: Desk = field(repr=False)
    """What is behind it, for tests and for whoever runs it in the same process."""


@asynccontextmanager
async def sandbox(
    livekit: LiveKit | None,
    *,
    host: str = HOST,
    port: int = 0,
    api_key: str = "",
    limits: Limits | None = None,
    faults: Sequence[str] = (),
    state: Path | None = None,
    clock: Clock = time.time,
) -> AsyncIterator[Address]:
    """Serve a LiveAvatar until the block ends.

    Args:
        livekit: where its rooms are (see `livekit_server()`); None for sessions without a room.
        host: address to listen on; any but loopback needs an `api_key`.
        port: port to listen on, 0 for a free one.
        api_key: the key clients bring; "sandbox" when empty.
        limits: credits, concurrency and times.
        faults: what shall go wrong, as `speak:close-ws after=3`.
        state: an SQLite file that outlives the process; None keeps everything in memory.
        clock: seconds since the epoch.

    Raises:
        SandboxError: it cannot be started so; says the fix.
    """
    ordered = Faults(_parse_all(faults))
    with (
        contextlib.closing(_listen(host, port, api_key)) as listener,
        contextlib.closing(SQLite(state) if state else Nowhere()) as store,
    ):
        account = Account(clock, limits, store)
        async with Theatre(account, ordered, livekit) as theatre:
            the = Desk(
                key=api_key or DEFAULT_KEY,
                account=account,
                shelves=Shelves(clock, store),
                faults=ordered,
                theatre=theatre,
                tokens=SessionTokens(),
            )
            async with serving(build_app(the), listener):
                url = f"http://{_spelt(host)}:{listener.getsockname()[1]}"
                yield Address(url, the.key, the)


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the process belongs to whoever started it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Serve an application on a socket until the block ends."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=SOCKET_BYTES,
        ws_ping_interval=None,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _listen(host: str, port: int, api_key: str) -> socket.socket:
    """A socket that queues connections already. Raises: SandboxError."""
    if not (api_key or _is_loopback(host)):
        raise SandboxError(
            f"On {host} others can reach the sandbox",
            f"give it a key with --api-key, or listen on {HOST}",
        )
    try:
        return _listener(host, port)
    except OSError as error:
        raise SandboxError(
            f"Cannot listen on {host}:{port} ({error.strerror or error})", "choose another --port"
        ) from error


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small messages without delay only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _spelt(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _parse_all(faults: Sequence[str]) -> list[Fault]:
    try:
        return [parse_fault(text) for text in faults]
    except BadFault as error:
        raise SandboxError(f"--fail {error}") from error
