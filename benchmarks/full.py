"""How fast FULL sessions of the sandbox are, and what they cost: `python -m benchmarks.full`.

Runs `avatar sandbox` on a LiveKit server of its own and talks with a session's avatar in its room:
"start to opening" runs from the request to start until the first sound of the opening text is
received, of sessions after the first, which loads the models. "End of speech to voice" runs from
the last sample of a spoken question (the last 10 ms above -34 dB) to the first sound of the answer.
"Button" is the round trip from a press, or from letting go, to its acknowledgement, and "let go to
voice" runs to the first sound of the answer. All of them are measured where a user would be: in
this process, whose jitter buffer is part of them. CPU is that of the sandbox's process alone for
each session, with so many at once: hearing, thinking, speaking, drawing and sending the picture.
"""

import argparse
import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from benchmarks.machine import read
from benchmarks.report import Report, options_parser
from benchmarks.turns import voice
from liveavatar import FullSession, LiveAvatar
from liveavatar.wire import AvatarPersona, FullRequest, Quality, VideoSettings
from sandbox import LiveKit, livekit_server
from tests.sandbox.caller import WAYNE
from tests.sandbox.guest import RATE, Guest
from tests.talk.rehearsal import Rehearsal, rehearsal

PROMPT = """You are at the desk of the Harbour Hotel.
The time of breakfast is from seven to ten.
The pool is on the roof and is open until nine.
The garden is behind the house, and dogs are welcome there.
The price of a room is one hundred dollars a night."""
OPENING = "Welcome to the Harbour Hotel."
QUESTIONS = (
    "What time is breakfast?",
    "Where is the pool?",
    "Are dogs welcome?",
    "What is the price of a room?",
    "Where is the garden?",
    "How long is the pool open?",
)
QUIET_S, AFTER_S = 1.5, 20.0
# The first session loads the models.
PATIENCE_S = 120


@asynccontextmanager
async def talking(
    live: LiveAvatar, context_id: str, options: argparse.Namespace, *, button: bool = False
) -> AsyncIterator[tuple[Guest, float]]:
    """Somebody in the room of a session, and when its start was asked for, in monotonic seconds."""
    wish = FullRequest(
        mode="FULL",
        avatar_id=uuid.UUID(WAYNE),
        avatar_persona=AvatarPersona(context_id=context_id),
        video_settings=VideoSettings(quality=Quality(options.quality)),
        interactivity_type="PUSH_TO_TALK" if button else "CONVERSATIONAL",
    )
    asked_s = 0.0

    async def note(_id: str) -> None:
        nonlocal asked_s
        asked_s = time.monotonic()

    async with FullSession(live, wish, before_start=note) as session:
        guest = await Guest.joining(session.url, session.viewer_token)
        try:
            yield guest, asked_s
        finally:
            await guest.aclose()


async def first_sound(guest: Guest, since_s: float) -> float:
    """When something was heard first since then."""
    await guest.until(lambda: guest.last_loud_at > since_s)
    return guest.last_loud_at


async def quiet(guest: Guest) -> None:
    """Wait until nothing has been heard for a while."""
    await guest.until(lambda: time.monotonic() - guest.last_loud_at > QUIET_S)


async def converse(guest: Guest, turns: int, found: dict[str, list[float]]) -> None:
    """Ask aloud; an answer that does not come in time is left out, and counted."""
    for turn in range(turns):
        await quiet(guest)
        question = voice(QUESTIONS[turn % len(QUESTIONS)])
        end_s = time.monotonic() + len(question) / 2 / RATE
        # A microphone goes on when nobody speaks.
        saying = asyncio.create_task(guest.say(question, AFTER_S))
        try:
            sound_s = await first_sound(guest, end_s)
            found["end of speech to voice"].append(1000 * (sound_s - end_s))
        except TimeoutError:
            found["not answered"][0] += 1
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)
        guest.hush()


async def press(guest: Guest, turns: int, found: dict[str, list[float]]) -> None:
    """Ask by the button."""
    for turn in range(turns):
        await quiet(guest)
        before, pressed_s = len(guest.events), time.monotonic()
        await guest.order("user.start_push_to_talk")
        await guest.told("user.push_to_talk_started", before)
        found["button: pressed"].append(1000 * (time.monotonic() - pressed_s))
        await guest.say(voice(QUESTIONS[turn % len(QUESTIONS)]), after_s=0)
        before, let_go_s = len(guest.events), time.monotonic()
        await guest.order("user.stop_push_to_talk")
        await guest.told("user.push_to_talk_stopped", before)
        found["button: let go"].append(1000 * (time.monotonic() - let_go_s))
        sound_s = await first_sound(guest, let_go_s)
        found["button: let go to voice"].append(1000 * (sound_s - let_go_s))


async def load(
    live: LiveAvatar, context_id: str, stage: Rehearsal, options: argparse.Namespace, count: int
) -> tuple[float, float]:
    """CPU of each of so many sessions while all speak, and while all listen; per cent of a core."""
    async with AsyncExitStack() as stack:
        guests: list[Guest] = []
        for _ in range(count):
            guest, _asked_s = await stack.enter_async_context(talking(live, context_id, options))
            guests.append(guest)
        for guest in guests:
            await quiet(guest)
        listening = await cpu_pct(stage, options.seconds)
        for guest in guests:
            before = len(guest.events)
            await guest.order("avatar.speak_text", text="One, two, three, four, five. " * 40)
            await guest.told("avatar.speak_started", before)
        return await cpu_pct(stage, options.seconds) / count, listening / count


async def cpu_pct(stage: Rehearsal, seconds: float) -> float:
    """What the sandbox uses in so many seconds, in per cent of one core."""
    begin = read(stage.pid)
    await asyncio.sleep(seconds)
    return read(stage.pid).cpu_pct(begin)


def describe(report: Report, found: dict[str, list[float]]) -> None:
    """Add what was found of delays."""
    for name, values in found.items():
        report.add(name, "turns" if name == "not answered" else "ms", values)


async def measure(options: argparse.Namespace, livekit: LiveKit) -> None:
    """Talk, press, and load the machine."""
    names = ("start to opening", "end of speech to voice", "not answered")
    buttons = ("button: pressed", "button: let go", "button: let go to voice")
    found: dict[str, list[float]] = {name: [] for name in (*names, *buttons)}
    found["not answered"].append(0)
    async with rehearsal(livekit) as stage, aiohttp.ClientSession() as http:
        live = LiveAvatar(http, stage.key, stage.url, PATIENCE_S)
        context_id = await live.contexts.add("Hotel", PROMPT, OPENING)
        async with talking(live, context_id, options) as (guest, _):
            await first_sound(guest, 0)
        report = Report(f"FULL sessions of the sandbox, quality {options.quality}", options)
        for _ in range(options.sessions):
            async with talking(live, context_id, options) as (guest, asked_s):
                opened_s = await first_sound(guest, 0)
                found["start to opening"].append(1000 * (opened_s - asked_s))
                await converse(guest, options.turns, found)
        async with talking(live, context_id, options, button=True) as (guest, _):
            await first_sound(guest, 0)
            await press(guest, options.turns, found)
        describe(report, found)
        for count in options.counts:
            speaking, listening = await load(live, context_id, stage, options, count)
            report.add(f"{count} at once, speaking: CPU each", "% of a core", [speaking])
            report.add(f"{count} at once, listening: CPU each", "% of a core", [listening])
        report.finish()


async def run(options: argparse.Namespace) -> None:
    """Measure on a LiveKit server of its own."""
    async with livekit_server(dev=None) as livekit:
        await measure(options, livekit)


def main() -> None:
    """Measure and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--sessions", type=int, default=4, help="in which is talked")
    parser.add_argument("--turns", type=int, default=6, help="in each of them, and by the button")
    parser.add_argument("--counts", type=int, nargs="*", default=[1, 2], help="sessions at once")
    parser.add_argument("--seconds", type=float, default=10, help="length of a load measurement")
    parser.add_argument("--quality", default="high", help="of the picture")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
