"""What conversations leave behind in the server: `python -m benchmarks.leaks`.

Users come one after another, hear the greeting begin, and leave. After each, the server's memory,
threads, open files, sockets and tasks are read once it has no more tasks than before the first, at
most 30 s later. A server without leaks has the same after the last conversation as after the first.
"""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benchmarks.conversation import Server, serving, users
from benchmarks.drawing import draw_growth
from benchmarks.machine import Reading, read
from benchmarks.report import Report, options_parser

REST_S = 30.0
TITLE = "Memory of the server after each conversation"
ANY = 1_000_000


@dataclass(frozen=True)
class Rest:
    """A server between conversations."""

    reading: Reading
    tasks: int
    after_s: float
    """How long it took to come to rest."""


async def rest(server: Server, tasks: int, *, collect: bool = False) -> Rest:
    """Wait until a server has no more tasks than given, at most 30 s."""
    begin_s = time.monotonic()
    while True:
        count = await _tasks(server, collect)
        after_s = time.monotonic() - begin_s
        if count <= tasks or after_s > REST_S:
            return Rest(read(server.pid), count, after_s)
        await asyncio.sleep(0.5)


async def _tasks(server: Server, collect: bool) -> int:
    asked = {"seconds": 0, "collect": int(collect)}
    async with aiohttp.ClientSession(raise_for_status=True) as http:
        async with http.get(f"{server.url}/probe", params=asked) as answer:
            return (await answer.json())["tasks"]


async def measure(options: argparse.Namespace, folder: Path) -> None:
    """Hold the conversations and print what is left after each."""
    async with serving("own", folder, "--size", options.size) as server:
        report = Report(f"What is left after conversations, {options.size}", options)
        calm = [await rest(server, ANY)]
        for number in range(options.conversations):
            async with users(server, 1):
                pass
            calm.append(await rest(server, calm[0].tasks))
            _show(number + 1, calm[-1])
        swept = await rest(server, calm[0].tasks, collect=True)
        _describe(report, calm, swept)
        if options.plot:
            memory = [left.reading.rss_mb for left in calm[1:]]
            options.plot.write_text(draw_growth(TITLE, memory, "MB", "conversations held"))
        report.finish()


def _show(number: int, left: Rest) -> None:
    now = left.reading
    print(
        f"{number}: {now.rss_mb:.0f} MB, {now.threads} threads, {now.files} files,"
        f" {now.sockets} sockets, {left.tasks} tasks after {left.after_s:.1f} s",
        flush=True,
    )


def _describe(report: Report, calm: list[Rest], swept: Rest) -> None:
    """The state before, after the first and the last conversation, and without garbage."""
    stages = {"before": calm[0], "after the first": calm[1], "after the last": calm[-1]}
    for name, left in {**stages, "after a garbage collection": swept}.items():
        now = left.reading
        report.add(f"{name}: memory", "MB", [now.rss_mb])
        report.add(f"{name}: threads", "", [now.threads])
        report.add(f"{name}: files", "", [now.files])
        report.add(f"{name}: sockets", "", [now.sockets])
        report.add(f"{name}: tasks", "", [left.tasks])
    report.add("time to come to rest", "s", [left.after_s for left in calm[1:]])


def main() -> None:
    """Measure and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--conversations", type=int, default=20)
    parser.add_argument("--plot", type=Path, metavar="SVG", help="draw the memory")
    parser.add_argument("--size", default="1280x720", help="of the puppet's picture")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
