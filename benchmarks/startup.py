"""From the command to the first answered HTTP request: `python -m benchmarks.startup`.

Every run is a fresh process with compiled byte code and its files in the page cache; one run of
each goes before and does not count. The cases take turns. `--upstream FILE` adds Pipecat's own
example (its video-avatar-heygen-video-service.py); the fair comparison with it is "cloud", which
imports the same vendors' parts, while "local" also loads two speech models and a face. No key is
real and no vendor is called: the parts connect when a conversation begins.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import Reading, read
from benchmarks.report import Report, options_parser
from sandbox.livekit_server import free_port
from tests.talk.app import AVATAR, environment

LIMIT_S = 90.0
REQUEST = b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"
LOCAL = ("--stt", "whisper", "--llm", "guide", "--tts", "hibari", "--avatar", "puppet")
CLOUD = ("--stt", "deepgram", "--llm", "gemini", "--tts", "cartesia", "--avatar", "heygen")
KEYS = ("DEEPGRAM_API_KEY", "GOOGLE_API_KEY", "CARTESIA_API_KEY", "LIVEAVATAR_API_KEY")


@dataclass(frozen=True)
class Case:
    """A server to start; it is given `--host` and `--port` too."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str]


def cases(upstream: Path | None) -> list[Case]:
    """What is measured."""
    avatar = [AVATAR, "--no-open", "--transport", "webrtc"]
    keys = {name: "none" for name in KEYS}
    found = [
        Case("avatar --no-open, no key", [AVATAR, "--no-open"], environment()),
        Case("avatar, local", [*avatar, *LOCAL], environment()),
        Case("avatar, cloud", [*avatar, *CLOUD], environment(keys)),
    ]
    if upstream:
        command = [sys.executable, upstream.resolve(), "-t", "webrtc"]
        found.append(Case("Pipecat's HeyGen example", command, environment()))
    return found


def start(case: Case, folder: Path) -> tuple[float, Reading]:
    """Start a server and end it; seconds to the first answer, and what it had used by then.

    Raises:
        RuntimeError: it ended by itself, or was not ready in time.
    """
    port = free_port()
    command = [*case.command, "--host", "127.0.0.1", "--port", str(port)]
    log = (folder / "log").open("w+")
    begin_s = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=case.env, stdout=log, stderr=log)
    try:
        while (took_s := time.perf_counter() - begin_s) < LIMIT_S and process.poll() is None:
            if _answers(port):
                return time.perf_counter() - begin_s, read(process.pid)
            time.sleep(0.005)
        raise RuntimeError(f"{case.name} after {took_s:.1f} s:\n{(folder / 'log').read_text()}")
    finally:
        process.kill()
        process.wait()
        log.close()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(10)
            connection.sendall(REQUEST)
            return connection.recv(16).startswith(b"HTTP")
    except OSError:
        return False


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
    measured = cases(options.upstream)
    for case in measured:
        start(case, folder)
    help_s(folder)
    report = Report("From the command to the first answered request", options)
    started: dict[str, list[tuple[float, Reading]]] = {case.name: [] for case in measured}
    helps = []
    for _ in range(options.runs):
        for case in measured:
            started[case.name].append(start(case, folder))
        helps.append(help_s(folder))
    for name, runs in started.items():
        report.add(f"{name}: ready", "s", [seconds for seconds, _ in runs])
        report.add(f"{name}: CPU", "s", [reading.cpu_s for _, reading in runs])
        report.add(f"{name}: peak memory", "MB", [reading.peak_rss_mb for _, reading in runs])
    report.add("avatar --help", "s", helps)
    report.finish()


def main() -> None:
    """Measure and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--runs", type=int, default=7, help="of each case")
    parser.add_argument("--upstream", type=Path, metavar="FILE", help="Pipecat's example")
    with tempfile.TemporaryDirectory() as folder:
        measure(parser.parse_args(), Path(folder))


if __name__ == "__main__":
    main()
