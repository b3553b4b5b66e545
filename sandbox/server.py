"""The sandbox as a server: everything opened in order, and closed again."""

import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.settings import Settings, load_settings
from sandbox.account import Account, Clock, Limits
from sandbox.agency import Agency
from sandbox.app import build_app
from sandbox.desk import Desk
from sandbox.errors import SandboxError
from sandbox.faults import BadFault, Fault, Faults, parse_fault
from sandbox.shelves import Shelves
from sandbox.store import Nowhere, SQLite
from sandbox.theatre import Theatre
from sandbox.tokens import LiveKit, SessionTokens
from web.loopback import is_loopback
from web.port import listen, url_of
from web.serving import serving

DEFAULT_KEY = "sandbox"
HOST = "127.0.0.1"
UVICORN = {
    "log_config": None,
    "access_log": False,
    "ws_max_size": 16 * 1024 * 1024,
    "ws_ping_interval": None,
}


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
    settings: Settings | None = None,
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
        settings: which mind the operator has for FULL sessions; None loads them.

    Raises:
        SandboxError: it cannot be started so; says the fix.
        BadSetting: the settings cannot be used.
    """
    ordered = Faults(_parse_all(faults))
    with (
        _listening(host, port, api_key) as listeners,
        contextlib.closing(SQLite(state) if state else Nowhere()) as store,
    ):
        account, shelves = Account(clock, limits, store), Shelves(clock, store)
        agency = Agency(account, shelves, ordered, settings or load_settings())
        async with Theatre(account, ordered, livekit, agency) as theatre:
            the = Desk(
                key=api_key or DEFAULT_KEY,
                account=account,
                shelves=shelves,
                faults=ordered,
                theatre=theatre,
                agency=agency,
                tokens=SessionTokens(),
            )
            async with serving(build_app(the), listeners, **UVICORN):
                yield Address(url_of(host, listeners[0].getsockname()[1]), the.key, the)


@contextmanager
def _listening(host: str, port: int, api_key: str) -> Iterator[list[socket.socket]]:
    """Sockets that queue connections already. Raises: SandboxError."""
    if not (api_key or is_loopback(host)):
        raise SandboxError(
            f"On {host} others can reach the sandbox",
            f"give it a key with --api-key, or listen on {HOST}",
        )
    try:
        listeners = listen(host, port)
    except OSError as error:
        raise SandboxError(
            f"Cannot listen on {host}:{port} ({error.strerror or error})", "choose another --port"
        ) from error
    with contextlib.ExitStack() as stack:
        for listener in listeners:
            stack.enter_context(listener)
        yield listeners


def _parse_all(faults: Sequence[str]) -> list[Fault]:
    try:
        return [parse_fault(text) for text in faults]
    except BadFault as error:
        raise SandboxError(f"--fail {error}") from error
