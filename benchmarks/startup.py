"""From the command to the page and to "Ready", and what waits then: `python -m benchmarks.startup`.

Every run is a fresh process with compiled byte code and its files in the page cache; one run of
each goes before and does not count. The cases take turns. `--against FOLDER` adds the command of
another worktree, `--upstream FILE` Pipecat's own example (video-avatar-heygen-video-service.py),
which does not say when it is ready; the fair comparison with it is "cloud", which imports the same
vendors' parts, while "local" also loads two speech models and a face. No key is real and no vendor
is called: the parts connect when a conversation begins.

Memory is the proportional set size of all processes of a server: what they share with others that
run counts in part, so nothing else of Python's should run. It is read three seconds after the
server is ready, and with `--users 2` again with one and with two who look and listen, once they are
greeted.
"""

import argparse
import asyncio
import contextlib
import itertools
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import Reading, pss_mb, read
from benchmarks.onlooker import Onlooker
from benchmarks.report import Report, options_parser
from sandbox.livekit_server import free_port
from tests.talk.app import AVATAR, READY, environment

LIMIT_S = 90.0
REQUEST = b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"
LOCAL = ("--stt", "whisper", "--llm", "guide", "--tts", "hibari", "--avatar", "puppet")
CLOUD = ("--stt", "deepgram", "--llm", "gemini", "--tts", "cartesia", "--avatar", "heygen")
KEYS = ("DEEPGRAM_API_KEY", "GOOGLE_API_KEY", "CARTESIA_API_KEY", "LIVEAVATAR_API_KEY")


# Until what goes on behind a server that is ready is over, and until a greeting is.
RESTS_S, GREETED_S, SILENT_S = 3.0, 60.0, 2.0


@dataclass(frozen=True)
class Case:
    """A server to start; it is given `--host` and `--port` too."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str]
    says_ready: bool = True


@dataclass(frozen=True)
class Start:
    """Seconds to the first answer and to "Ready", what was used by then, and held afterwards."""

    page_s: float
    ready_s: float
    reading: Reading
    waiting_mb: float


def cases(upstream: Path | None, against: Path | None) -> list[Case]:
    """What is measured."""
    keys = {name: "none" for name in KEYS}
    found = []
    commands = {"avatar": AVATAR}
    if against:
        commands = {"this": AVATAR, "that": (against / ".venv" / "bin" / "avatar").absolute()}
    for name, command in commands.items():
        avatar = [command, "--no-open", "--transport", "webrtc"]
        found += [
            Case(f"{name} --no-open, no key", [command, "--no-open"], environment()),
            Case(f"{name}, local", [*avatar, *LOCAL], environment()),
            Case(f"{name}, cloud", [*avatar, *CLOUD], environment(keys)),
        ]
    if upstream:
        command = [sys.executable, upstream.resolve(), "-t", "webrtc"]
        found.append(Case("Pipecat's HeyGen example", command, environment(), says_ready=False))
    return found


@contextlib.contextmanager
def started(case: Case, folder: Path) -> Iterator[tuple[Start, str, int]]:
    """Start a server, and end it after the block; also gives its address and its process.

    Raises:
        RuntimeError: it ended by itself, or was not ready in time.
    """
    port = free_port()
    command = [*case.command, "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("w+") as log:
        begin_s = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=case.env, stdout=log, stderr=log)
        try:
            page_s, ready_s = 0.0, 0.0
            while not ready_s:
                if _s(begin_s) > LIMIT_S or process.poll() is not None:
                    told = (folder / "log").read_text()
                    raise RuntimeError(f"{case.name} after {_s(begin_s):.1f} s:\n{told}")
                if page_s or _answers(port):
                    page_s = page_s or _s(begin_s)
                    ready_s = _s(begin_s) if _is_ready(case, folder / "log") else 0.0
                time.sleep(0.005)
            reading = read(process.pid)
            time.sleep(RESTS_S)
            found = Start(page_s, ready_s, reading, pss_mb(process.pid))
            yield found, f"http://127.0.0.1:{port}", process.pid
        finally:
            process.kill()
            process.wait()


def _s(since_s: float) -> float:
    return time.perf_counter() - since_s


def _is_ready(case: Case, log: Path) -> bool:
    return not case.says_ready or bool(READY.search(log.read_text(errors="replace")))


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(10)
            connection.sendall(REQUEST)
            return connection.recv(16).startswith(b"HTTP")
    except OSError:
        return False


def start(case: Case, folder: Path) -> Start:
    """Start a server and end it."""
    with started(case, folder) as (found, _, _):
        return found


def conversing_mb(case: Case, folder: Path, most: int) -> list[float]:
    """The memory of a server with none, 1, 2 … users."""
    with started(case, folder) as (found, url, pid):
        return [found.waiting_mb, *asyncio.run(_with_users_mb(url, pid, most))]


async def _with_users_mb(url: str, pid: int, most: int) -> list[float]:
    found = []
    async with AsyncExitStack() as stack:
        for _ in range(most):
            user = await stack.enter_async_context(Onlooker(url))
            await user.silence(SILENT_S, GREETED_S)
            found.append(pss_mb(pid))
    return found


def help_s(folder: Path) -> float:
    """Wall seconds of `avatar --help`."""
    begin_s = time.perf_counter()
    command = [AVATAR, "--help"]
    subprocess.run(
        command, cwd=folder, env=environment(), check=True, capture_output=True, timeout=60
    )
    return time.perf_counter() - begin_s


def measure(options: argparse.Namespace, folder: Path) -> None:
    """Warm up, measure in turns, print."""
    every = cases(options.upstream, options.against)
    measured = [case for case in every if options.only in case.name]
    for case in measured:
        start(case, folder)
    help_s(folder)
    report = Report("From the command to the page, and to a conversation", options)
    starts: dict[str, list[Start]] = {case.name: [] for case in measured}
    helps = []
    for _ in range(options.runs):
        for case in measured:
            starts[case.name].append(start(case, folder))
        helps.append(help_s(folder))
    for name, runs in starts.items():
        report.add(f"{name}: page", "s", [each.page_s for each in runs])
        report.add(f"{name}: ready", "s", [each.ready_s for each in runs])
        report.add(f"{name}: CPU until then", "s", [each.reading.cpu_s for each in runs])
        report.add(f"{name}: waiting", "MB", [each.waiting_mb for each in runs])
    report.add("avatar --help", "s", helps)
    for case in (each for each in measured if options.users and "no key" in each.name):
        held = conversing_mb(case, folder, options.users)
        for users, (before, after) in enumerate(itertools.pairwise(held), 1):
            report.add(f"{case.name}: conversation {users}", "MB", [after - before])
    report.finish()


def main() -> None:
    """Measure and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--runs", type=int, default=7, help="of each case")
    parser.add_argument("--only", default="", help="cases with this in their name")
    parser.add_argument("--users", type=int, default=0, help="who look and listen at once")
    parser.add_argument("--against", type=Path, help="a worktree with an environment of its own")
    parser.add_argument("--upstream", type=Path, metavar="FILE", help="Pipecat's example")
    with tempfile.TemporaryDirectory() as folder:
        measure(parser.parse_args(), Path(folder))


if __name__ == "__main__":
    main()
