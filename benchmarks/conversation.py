"""What a conversation costs the server: `python -m benchmarks.conversation`.

Two servers run side by side and take turns: the application as it is ("own"), and the same with the
pictures going through Pipecat's video path ("stock", see benchmarks/server.py). Users join over
WebRTC from this process; aiortc negotiates VP8. They count pictures as these are complete, without
decoding them, since that is done elsewhere than on the cores of a server. Measured are a stretch in
which the avatar speaks (its greeting is long; the synthesis of it counts) and one in which it
listens to a silent user. "Ratio" compares the two in the same round.

A picture's gap is between arrivals; that of sound is by how much 20 ms of it were late at most,
which is heard where a player keeps less. The RTP clock is how fast the pictures' time stamps run
against the time of their arrival; "late" is how late a 20 ms timer fires on the server's event
loop.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np

from benchmarks.machine import Reading, read
from benchmarks.onlooker import Onlooker, count_only
from benchmarks.report import Report, options_parser
from bots.loop import run
from tests.talk.app import READY, environment

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ("--stt", "moonshine", "--llm", "guide", "--tts", "hibari", "--avatar", "puppet")
VIDEOS = ("own", "stock")
SENTENCE = "This is a sentence of ordinary length, spoken so that the face has something to say. "
PERSONA = "name: Mira\nprompt: Be brief.\ngreeting: >-\n  {}\nstill_there: ''\ngoodbye: ''\n"
SENTENCE_S = 4.0
PIECE_MS = 20
LONGEST_PAUSE_S = 3.0


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    pid: int


@dataclass(frozen=True)
class Stretch:
    """A stretch of time of a conversation with so many users, as seen from both ends."""

    begin: Reading
    end: Reading
    users: list[Onlooker]
    late_ms: list[float]
    tasks: int
    pictures: list[np.ndarray] = field(default_factory=list)
    """Of each user, rows of (arrival, RTP time) in seconds."""
    sounds: list[np.ndarray] = field(default_factory=list)
    """Of each user, when 20 ms of sound each came, in seconds."""

    @property
    def cpu_pct(self) -> float:
        """Per conversation, of one core."""
        return self.end.cpu_pct(self.begin) / len(self.pictures)

    def fps(self) -> list[float]:
        """Pictures a second of each user."""
        took_s = self.end.at_s - self.begin.at_s
        return [len(seen) / took_s for seen in self.pictures]

    def gaps_ms(self) -> np.ndarray:
        """All times between two pictures."""
        return np.concatenate([np.diff(seen[:, 0]) * 1000 for seen in self.pictures])

    def sounds_late_ms(self) -> list[np.ndarray]:
        """By how much each piece of sound of each user was late: they come every 20 ms."""
        return [np.diff(at_s) * 1000 - PIECE_MS for at_s in self.sounds]

    def sound_gaps_ms(self) -> list[float]:
        """By how much the sound of each user was late at most."""
        return [float(late_ms.max()) for late_ms in self.sounds_late_ms()]

    def clocks(self) -> list[float]:
        """The RTP clock of each user against real time."""
        return [np.ptp(seen[:, 1]) / np.ptp(seen[:, 0]) for seen in self.pictures]


@asynccontextmanager
async def serving(
    video: str, folder: Path, *flags: str, env: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """Start `benchmarks.server` in a folder with these variables, and end it afterwards."""
    command = (sys.executable, "-m", "benchmarks.server", video, "--no-open", "--port", "0")
    # As many as come: what they then get is measured.
    own = {"PYTHONPATH": str(ROOT), "AVATAR_MAX_CONVERSATIONS": "100", **(env or {})}
    with (folder / "log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *command, "--host", "127.0.0.1", *LOCAL, *flags,
            cwd=folder, env=environment(own), stdout=log, stderr=log,
        )  # fmt: skip
    try:
        async with asyncio.timeout(90):
            while not (found := READY.search(_text(folder / "log"))):
                assert process.returncode is None, _text(folder / "log")
                await asyncio.sleep(0.1)
        yield Server(found[1], process.pid)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            await process.wait()


def _text(log: Path) -> str:
    return log.read_text(errors="replace")


@asynccontextmanager
async def users(
    server: Server, count: int, speaking: int | None = None
) -> AsyncIterator[list[Onlooker]]:
    """So many conversations, from when everybody hears the greeting, the last `speaking` of them.

    The greeting of all others has been interrupted before these come.
    """
    async with AsyncExitStack() as stack:
        joined: list[Onlooker] = []
        silent = 0 if speaking is None else max(0, count - speaking)
        for number in range(count):
            joined.append(await stack.enter_async_context(Onlooker(server.url)))
            if number < silent:
                await joined[-1].until(lambda: joined[-1].last_loud_s, "the greeting", 40)
                joined[-1].send("client-message", {"t": "interrupt"})
        for user in joined[:silent]:
            await user.silence(1, limit_s=20)
        for user in joined[silent:]:
            await user.until(lambda user=user: user.last_loud_s, "the greeting", 40)
        yield joined


async def stretch(server: Server, joined: list[Onlooker], seconds: float) -> Stretch:
    """Watch conversations for a while."""
    for user in joined:
        user.forget()
    begin = read(server.pid)
    async with aiohttp.ClientSession(raise_for_status=True) as http:
        async with http.get(f"{server.url}/probe", params={"seconds": seconds}) as answer:
            seen = await answer.json()
    end = read(server.pid)
    pictures = [np.array([(s.at_s, s.rtp_s) for s in user.sights]) for user in joined]
    sounds = [np.array([sound.at_s for sound in user.sounds]) for user in joined]
    return Stretch(begin, end, joined, seen["late_ms"], seen["tasks"], pictures, sounds)


Rounds = dict[tuple[str, int, str], list[Stretch]]


async def attend(
    server: Server, count: int, seconds: float, most: int | None = None
) -> tuple[Stretch, Stretch]:
    """Hold conversations; the stretches of speaking, of `most` of them, and of listening."""
    async with users(server, count, most) as joined:
        speaking = await stretch(server, joined, seconds)
        spoken = joined[-(most or count) :]
        spoke_s = min(user.last_loud_s for user in spoken)
        assert spoke_s > time.monotonic() - LONGEST_PAUSE_S, "the greeting ended too early"
        for user in spoken:
            await user.silence(2, limit_s=60)
        return speaking, await stretch(server, joined, seconds)


def describe(report: Report, rounds: Rounds) -> None:
    """Add the figures of every case."""
    for (video, count, state), seen in rounds.items():
        name = f"{video}, {count} user{'s' * (count > 1)}, {state}"
        report.add(f"{name}: CPU each", "% of a core", [s.cpu_pct for s in seen])
        if video != VIDEOS[0] and (VIDEOS[0], count, state) in rounds:
            own = rounds[VIDEOS[0], count, state]
            ratios = [ours.cpu_pct / s.cpu_pct for ours, s in zip(own, seen, strict=True)]
            report.add(f"{name}: own to stock", "ratio of CPU", ratios)
        report.add(f"{name}: pictures", "a second", [fps for s in seen for fps in s.fps()])
        report.add(f"{name}: gap p99", "ms", [np.percentile(s.gaps_ms(), 99) for s in seen])
        report.add(f"{name}: gap, longest", "ms", [s.gaps_ms().max() for s in seen])
        report.add(f"{name}: gap of sound", "ms", [gap for s in seen for gap in s.sound_gaps_ms()])
        late_ms = [np.concatenate(s.sounds_late_ms()) for s in seen]
        report.add(f"{name}: gap of sound p99", "ms", [np.percentile(ms, 99) for ms in late_ms])
        report.add(f"{name}: RTP clock", "of real time", [c for s in seen for c in s.clocks()])
        report.add(f"{name}: late p99", "ms", [np.percentile(s.late_ms, 99) for s in seen])
        report.add(f"{name}: late, most", "ms", [max(s.late_ms) for s in seen])


async def grow(server: Server, seconds: float) -> float:
    """Megabytes a server grows by in a conversation of so many seconds, after a start of 5 s."""
    async with users(server, 1) as joined:
        await stretch(server, joined, 5)
        watched = await stretch(server, joined, seconds)
        return watched.end.rss_mb - watched.begin.rss_mb


async def measure(options: argparse.Namespace, folder: Path) -> None:
    """Hold all conversations, the two servers in turn."""
    sentences = 1 + round((options.seconds + 6) / SENTENCE_S)
    async with AsyncExitStack() as stack:
        servers = {}
        for video in options.videos:
            home = folder / video
            home.mkdir()
            (home / "brief.yaml").write_text(PERSONA.format(SENTENCE * sentences))
            flags = ("--persona", "brief.yaml", "--idle-s", "1000", "--size", options.size)
            servers[video] = await stack.enter_async_context(serving(video, home, *flags))
            async with users(servers[video], 1):
                pass  # the first conversation pays for what is loaded late
        report = Report(f"What a conversation costs the server, {options.size}", options)
        rounds: Rounds = {}
        for number in range(options.rounds):
            order = options.videos[:: 1 if number % 2 == 0 else -1]
            for count in options.users:
                for video in order:
                    both = await attend(servers[video], count, options.seconds, options.speaking)
                    for state, seen in zip(("speaking", "listening"), both, strict=True):
                        rounds.setdefault((video, count, state), []).append(seen)
                        print(f"{video} x{count} {state}: {seen.cpu_pct:.1f} % each", flush=True)
        describe(report, dict(sorted(rounds.items(), key=lambda item: item[0][1:])))
        for video in options.videos:
            report.add(f"{video}: memory", "MB", [read(servers[video].pid).rss_mb])
            if options.minute:
                growth = await grow(servers[video], 60)
                report.add(f"{video}: growth in a minute", "MB", [growth])
        report.finish()


def main() -> None:
    """Measure and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--users", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=10, help="length of a stretch")
    parser.add_argument("--speaking", type=int, help="of them at once; all if left out")
    parser.add_argument("--videos", nargs="+", choices=VIDEOS, default=list(VIDEOS))
    parser.add_argument("--size", default="1280x720", help="of the puppet's picture")
    parser.add_argument("--no-minute", dest="minute", action="store_false")
    count_only()
    with tempfile.TemporaryDirectory() as folder:
        run(measure(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
