"""What LiveAvatar's face costs in a LiveKit room of one's own: `python -m benchmarks.direct`.

Two servers take turns, with the same sandbox and the same LiveKit server: one whose rooms
LiveAvatar joins itself (`LIVEAVATAR_ROOM=direct`), and one that relays it. Measured is the CPU time
of the server's process alone, while the avatar speaks (its greeting is long; the synthesis of it
counts) and while it listens to a silent user. The user takes sound and pictures in this process,
the face is drawn in the sandbox's, and neither counts. "Ratio" compares the two in the same round.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from benchmarks.conversation import PERSONA, SENTENCE, SENTENCE_S
from benchmarks.machine import read
from benchmarks.report import Report, options_parser
from sandbox import LiveKit, livekit_server
from tests.doorkeeper import env_of
from tests.talk.app import App, running_app, until
from tests.talk.guest import Guest
from tests.talk.rehearsal import rehearsal
from tests.talk.test_rooms import start

FORMS = ("direct", "relay")
STATES = ("speaking", "listening")
PARTS = ("--stt", "moonshine", "--llm", "guide", "--tts", "hibari", "--avatar", "heygen")


@asynccontextmanager
async def serving(
    form: str, folder: Path, options: argparse.Namespace, env: Mapping[str, str]
) -> AsyncIterator[App]:
    """A server whose avatar greets at length, in a folder of its own."""
    home = folder / form
    home.mkdir()
    sentences = 1 + round((options.seconds + 8) / SENTENCE_S)
    (home / "long.yaml").write_text(PERSONA.format(SENTENCE * sentences))
    flags = (*PARTS, "--transport", "livekit", "--persona", "long.yaml", "--idle-s", "1000")
    own = {**env, "LIVEAVATAR_ROOM": form, "LIVEAVATAR_QUALITY": options.quality}
    async with running_app(home, *flags, env=own) as app:
        yield app


async def cpu_pct(app: App, seconds: float) -> float:
    """What the server uses in so many seconds, in per cent of one core."""
    begin = read(app.process.pid)
    await asyncio.sleep(seconds)
    return read(app.process.pid).cpu_pct(begin)


async def attend(app: App, seconds: float) -> tuple[float, float]:
    """Hold a conversation: what it uses while the avatar speaks, and while it listens."""
    room = await start(app, "livekit")
    guest = await Guest.joining(room["url"], room["token"])
    try:
        await until(lambda: guest.last_loud_at and len(guest.shown_at) > 25, 60)
        speaking = await cpu_pct(app, seconds)
        assert time.monotonic() - guest.last_loud_at < 3, "the greeting ended too early"
        await until(lambda: time.monotonic() - guest.last_loud_at > 3, 60)
        return speaking, await cpu_pct(app, seconds)
    finally:
        await guest.aclose()


def describe(report: Report, rounds: dict[tuple[str, str], list[float]]) -> None:
    """Add the figures of every case."""
    for state in STATES:
        for form in FORMS:
            report.add(f"{form}, {state}: CPU", "% of a core", rounds[form, state])
        both = zip(rounds["direct", state], rounds["relay", state], strict=True)
        report.add(f"{state}: direct to relay", "ratio of CPU", [d / r for d, r in both])


async def measure(options: argparse.Namespace, folder: Path, livekit: LiveKit) -> None:
    """Hold all conversations, the two servers in turn."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(rehearsal(livekit))
        env = {**stage.env, **env_of(livekit)}
        apps = {
            form: await stack.enter_async_context(serving(form, folder, options, env))
            for form in FORMS
        }
        report = Report(f"LiveAvatar in a room of one's own, quality {options.quality}", options)
        rounds: dict[tuple[str, str], list[float]] = {}
        for number in range(options.rounds):
            for form in FORMS if number % 2 == 0 else FORMS[::-1]:
                both = await attend(apps[form], options.seconds)
                for state, seen in zip(STATES, both, strict=True):
                    rounds.setdefault((form, state), []).append(seen)
                    print(f"{form}, {state}: {seen:.1f} %", flush=True)
        describe(report, rounds)
        report.finish()


async def run(options: argparse.Namespace) -> None:
    """Measure on a LiveKit server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with livekit_server(dev=None) as livekit:
            await measure(options, Path(folder), livekit)


def main() -> None:
    """Measure and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10, help="length of a stretch")
    parser.add_argument("--quality", default="high", help="of LiveAvatar's picture")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
