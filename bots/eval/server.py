"""Who is looked at: a server of one's own that ends with the run, or one that runs already."""

import asyncio
import contextlib
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import aiohttp

from pipelines.errors import UserError

READY = re.compile(r"open (http://\S+)")
# A first start downloads nothing, but loads models and measures what it can draw.
START_S, END_S, ASK_S = 300.0, 30.0, 20.0
# Lines of a server that did not start that are shown.
SHOWN = 12
MODULE = "bots.cli"


@dataclass(frozen=True)
class Address:
    """Where the avatar is, without a slash at the end, and what lets in ("" if nothing)."""

    url: str
    token: str = ""


@asynccontextmanager
async def own_server(flags: Sequence[str], token: str) -> AsyncIterator[Address]:
    """Start `avatar` with these flags on a free port, and end it; `token` lets in.

    Raises:
        UserError: it does not start; says what it said.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", MODULE, *flags,
        "--no-open", "--port", "0", "--host", "127.0.0.1", "--transport", "webrtc",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    draining: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(START_S):
            url = await _ready(process)
        draining = asyncio.create_task(_drain(process))
        yield Address(url, token)
    except TimeoutError:
        raise UserError(
            f"The server did not start within {START_S:.0f} s", "try `avatar` by itself"
        ) from None
    finally:
        await _end(process)
        if draining:
            draining.cancel()


async def _ready(process: asyncio.subprocess.Process) -> str:
    """Its address, once it is ready."""
    assert process.stdout
    said: list[str] = []
    async for line in process.stdout:
        said.append(line.decode(errors="replace").rstrip())
        if found := READY.search(said[-1]):
            return found[1]
    # One that has just ended must not be signalled: Python would take its exit code away.
    await process.wait()
    told = "\n".join(said[-SHOWN:])
    raise UserError(f"The server did not start; it said:\n{told}")


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Read what it logs, so that it does not wait for somebody who does."""
    assert process.stdout
    while await process.stdout.read(1 << 16):
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def running_server(url: str) -> AsyncIterator[Address]:
    """A server that runs already: its page's address, or a link of `avatar link`.

    Raises:
        UserError: there is none, or it lets nobody in with that.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UserError(
            f"--bot-url {parts.scheme}:… is no page's address"
            if parts.scheme
            else f"--bot-url {url} is no address",
            "write it as http://localhost:7860, or give a link of `avatar link`",
        )
    home = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    link = parse_qs(parts.fragment).get("link", [""])[0]
    yield Address(home, await _visit(home, link))


async def _visit(home: str, link: str) -> str:
    """What lets in, for a link; also asks whether there is a server at all."""
    timeout = aiohttp.ClientTimeout(total=ASK_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http:
            if not link:
                async with http.get(f"{home}/health") as answer:
                    await answer.read()
                return ""
            async with http.post(f"{home}/api/visit", json={"link": link}) as answer:
                told = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise unreachable(home, error) from None
    if answer.status != 200:
        raise UserError(
            f"{home} does not take this link ({told.get('detail') or answer.status})",
            "make another one with `avatar link`",
        )
    return str(told["token"])


def unreachable(home: str, error: BaseException) -> UserError:
    """What to say of a server that does not answer, or that does not let in."""
    status = getattr(error, "status", None)
    if status in (401, 403):
        return UserError(
            f"{home} asks for a credential",
            'give --bot-url a link that lets in: --bot-url "$(avatar link)"',
        )
    if status == 503:
        return UserError(f"{home} takes nobody now (503)", "wait until it has room, or is ready")
    if status or isinstance(error, LookupError | ValueError):
        return UserError(
            f"{home} is no avatar that can be met over WebRTC (it answered {status or error!r})",
            "give the address of the page that `avatar` names at its start",
        )
    why = "it does not answer in time" if isinstance(error, TimeoutError) else "nothing answers"
    return UserError(
        f"There is no server at {home} ({why})",
        "start one with `avatar`, or leave out --bot-url for one of its own",
    )
