"""Whether the mouth keeps step with the voice: `python -m benchmarks.sync [--minutes 30]`.

Users look at an avatar that speaks all the time, in one long answer. What each of them receives is
decoded, and a mouth that opens is compared with a voice that gets loud: the offset is what makes
them most alike within a minute (`--window`), less what it is in pictures and sound as they are
drawn. Above zero the sound is behind. "As played" is by the time of day that the server's reports
give to sound and pictures (RTCP), by which a browser plays them; "as they came" is by the arrival
of their packets. The trend is that of a line through the minutes.

"Silence put in" is what the voice lost against the same text spoken without a conversation, so
what was put into it on its way.

The users are on this machine, too, and decode all that they see: `--users 3` is a load by itself.
`--load 2` adds processes that do nothing but take the CPU, `--guests` a second conversation that
begins and ends every minute.
"""

import argparse
import asyncio
import itertools
import math
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.conversation import Server, serving
from benchmarks.machine import read
from benchmarks.onlooker import Onlooker
from benchmarks.report import Report, options_parser
from benchmarks.viewer import Track, Viewer
from bots.eval.curve import Curve, loudness
from pipelines.tts import hibari
from tests.speech import SENTENCES, told
from tests.standins.ollama import Ollama
from tests.standins.replies import Reply
from tests.talk.lipsync import TooShort, drawn_lag_s, lag_s
from tests.talk.mouth import gauge

PACK = "mira"
PERSONA = "name: Mira\nprompt: Go on.\ngreeting: ''\nstill_there: ''\ngoodbye: ''\n"
# A mind that writes twice as fast as is spoken.
WORD_S = 0.15
# What the first seconds cost, such as the speech of the whole text, is not looked at; by then there
# are as many pictures as the machine has time for.
WARM_UP_S = 30.0
TALKATIVE = ("--persona", "brief.yaml", "--idle-s", "10000", "--max-duration-s", "10000")
BUSY = (sys.executable, "-c", "while True: pass")
COMPARED_S, SEARCHED_S = 20.0, 4.0
# So many sentences are drawn to see how mouth and voice belong together.
DRAWN = 6
# Users come one after the other, and the first seconds are not looked at.
MARGIN_S = 70
# A viewer that has little of the CPU has decoded by then what came.
DECODED_S = 5.0
# A guest comes so long after the last one has left, and stays so long.
APART_S, STAYS_S = 30.0, 30.0
Clock = Callable[[Track, float, float], Curve]
CLOCKS: dict[Clock, str] = {Track.played: "as played", Track.arrived: "as they came"}


def long_text(seconds: float) -> tuple[str, np.ndarray]:
    """A text that is spoken for so long at least, and its sound: int16 mono 24 kHz."""
    texts: list[str] = []
    spoken: list[np.ndarray] = []
    for text in itertools.cycle(SENTENCES):
        texts.append(text)
        spoken += [np.frombuffer(pcm, np.int16) for pcm in _said(text)]
        if sum(map(len, spoken)) / hibari.SAMPLE_RATE > seconds:
            return " ".join(texts), np.concatenate(spoken)
    raise AssertionError


def _said(text: str) -> Iterator[bytes]:
    timbre = hibari.VOICES[hibari.DEFAULT_VOICE]
    return (speech.pcm for speech in hibari.phonemes.speak(hibari.model(), timbre, text))


@asynccontextmanager
async def busy(count: int) -> AsyncIterator[None]:
    """So many processes that take what they can get of the CPU."""
    processes = [await asyncio.create_subprocess_exec(*BUSY) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            await process.wait()


@dataclass(frozen=True)
class Case:
    """So many users who looked on, in windows of one length; times are seconds since 1970."""

    viewers: list[Viewer]
    starts_s: np.ndarray
    window_s: float
    cpu_pct: float
    """The server's, of one core."""

    @property
    def span_s(self) -> tuple[float, float]:
        """From when until when."""
        return self.starts_s[0], self.starts_s[-1] + self.window_s

    def offsets_ms(self, clock: Clock) -> np.ndarray:
        """By how much the sound is behind: a row for each user, a column for each window.

        It is not a number where a user got too little to tell.
        """
        lags_s = [[self._lag_s(v, at_s, clock) for at_s in self.starts_s] for v in self.viewers]
        return 1000 * np.array(lags_s)

    def _lag_s(self, viewer: Viewer, start_s: float, clock: Clock) -> float:
        end_s = start_s + self.window_s
        picture, sound = viewer.picture, viewer.sound
        try:
            return lag_s(clock(picture, start_s, end_s), clock(sound, start_s, end_s))
        except TooShort:
            return math.nan

    def trends(self, offsets: np.ndarray) -> list[float]:
        """Milliseconds a minute, for each user."""
        minutes = (self.starts_s - self.starts_s[0]) / 60
        known = np.isfinite(offsets)
        return [
            float(np.polyfit(minutes[told], row[told], 1)[0])
            for row, told in zip(offsets, known, strict=True)
            if told.sum() > 1
        ]

    def put_in_pct(self, text: np.ndarray) -> list[float]:
        """How much of what was heard is silence that the text does not have, for each user.

        Left out is who heard too little to tell.
        """
        spoken = loudness(text, hibari.SAMPLE_RATE)
        parts = (self._put_in_pct(viewer, spoken) for viewer in self.viewers)
        return [part for part in parts if math.isfinite(part)]

    def _put_in_pct(self, viewer: Viewer, spoken: Curve) -> float:
        begin_s, end_s = self.span_s
        first = viewer.sound.own(begin_s, begin_s + COMPARED_S)
        last = viewer.sound.own(end_s - COMPARED_S, end_s)
        try:
            late_s = [_late_s(spoken, heard, viewer.began_s) for heard in (first, last)]
        except TooShort:
            return math.nan
        return 100 * (late_s[1] - late_s[0]) / (last.at_s[0] - first.at_s[0])

    def rates(self) -> list[float]:
        """Pictures a second of each user."""
        return [viewer.picture.rate(*self.span_s) for viewer in self.viewers]


def _late_s(spoken: Curve, heard: Curve, began_s: float) -> float:
    """How much later a part of a text was heard than it is in it, when the text began so."""
    at_s = heard.at_s - began_s
    whole = spoken.between(at_s[0] - SEARCHED_S, at_s[-1] + SEARCHED_S)
    return lag_s(whole, Curve(at_s, heard.much), SEARCHED_S)


async def come_and_go(server: Server) -> None:
    """Somebody else asks, listens for a while and leaves, again and again."""
    while True:
        await asyncio.sleep(APART_S)
        async with Onlooker(server.url) as guest:
            await guest.until(lambda: guest.received("bot-ready"), "the bot", 60)
            guest.send("send-text", {"content": "And what do you tell me?"})
            await asyncio.sleep(STAYS_S)


@asynccontextmanager
async def visited(server: Server, options: argparse.Namespace) -> AsyncIterator[None]:
    """Have guests beside, if that is asked for."""
    guests = asyncio.create_task(come_and_go(server)) if options.guests else None
    try:
        yield
        assert not (guests and guests.done()), "a guest was not met"
    finally:
        if guests:
            guests.cancel()
            await asyncio.gather(guests, return_exceptions=True)


async def watch(server: Server, count: int, options: argparse.Namespace) -> Case:
    """Let so many users look on."""
    seconds = options.minutes * 60
    async with AsyncExitStack() as stack:
        mouths = gauge(PACK, options.pixels)
        users = [Viewer(server.url, mouths) for _ in range(count)]
        for user in users:
            await stack.enter_async_context(user)
        for user in users:
            await user.until(lambda user=user: user.received("bot-ready"), "the bot", 60)
            user.send("send-text", {"content": "Tell me everything."})
        for user in users:
            await user.until(lambda user=user: user.last_loud_s, "the voice", 60)
        start_s = time.time() + WARM_UP_S
        end_s = start_s + seconds
        before = read(server.pid)
        await stack.enter_async_context(visited(server, options))
        for user in users:
            await user.until(lambda: time.time() > end_s + DECODED_S, "the end", seconds + 90)
            assert user.last_loud_s > end_s - 3, "the text ended too early"
        cpu_pct = read(server.pid).cpu_pct(before)
    starts_s = start_s + np.arange(0, seconds, options.window)
    return Case(users, starts_s, options.window, cpu_pct)


def describe(report: Report, name: str, case: Case, text: np.ndarray, drawn_ms: float) -> None:
    """Add the figures of a case."""
    for clock, how in CLOCKS.items():
        offsets = case.offsets_ms(clock) - drawn_ms
        report.add(f"{name}: sound behind, {how}", "ms", offsets[np.isfinite(offsets)].tolist())
        report.add(f"{name}: its trend, {how}", "ms a minute", case.trends(offsets))
        report.details[f"{name}, {how}"] = offsets.round(1).tolist()
        print(name, how, offsets.round().tolist(), flush=True)
    report.add(f"{name}: silence put in", "% of the time", case.put_in_pct(text))
    report.add(f"{name}: pictures", "a second", case.rates())
    report.add(f"{name}: CPU", "% of a core", [case.cpu_pct])


async def measure(options: argparse.Namespace, folder: Path) -> None:
    """Hold the conversations, one number of users after the other."""
    text, spoken = long_text(options.minutes * 60 + MARGIN_S)
    beginning, phones = told(" ".join(SENTENCES[:DRAWN]))
    drawn_ms = 1000 * drawn_lag_s(PACK, options.pixels, beginning, phones)
    print(f"as drawn, the sound is {drawn_ms:.0f} ms behind the mouth", flush=True)
    (folder / "brief.yaml").write_text(PERSONA)
    report = Report(f"Mouth and voice at the viewer, {options.size}", options)
    guests = options.guests * math.ceil(options.minutes * 60 / (APART_S + STAYS_S))
    replies = [Reply(text, word_delay_s=WORD_S)] * (sum(options.users) + guests)
    async with Ollama(replies=replies) as mind:
        flags = ("--llm", "ollama", "--size", options.size, *TALKATIVE)
        env = {"OLLAMA_BASE_URL": mind.openai_url, "OLLAMA_MODEL": mind.models[0]}
        async with serving("own", folder, *flags, env=env) as server:
            for count in options.users:
                async with busy(options.load):
                    case = await watch(server, count, options)
                describe(report, f"{count} user{'s' * (count > 1)}", case, spoken, drawn_ms)
    report.finish()


def main() -> None:
    """Measure and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="of each number of users")
    parser.add_argument("--users", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--guests", action="store_true", help="who come and go meanwhile")
    parser.add_argument("--load", type=int, default=0, help="busy processes besides")
    parser.add_argument("--window", type=float, default=60, help="seconds of a measurement")
    parser.add_argument("--size", default="1280x720", help="of the puppet's picture")
    options = parser.parse_args()
    options.pixels = tuple(map(int, options.size.split("x")))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(options, Path(folder)))


if __name__ == "__main__":
    main()
