"""Voice to voice, in real conversations with local parts: `python -m benchmarks.turns`.

Starts the command `avatar` with each face, and the one of another worktree beside it if
`--against` names its folder, and talks to all in turn over WebRTC at real pace: with a spoken
voice, or with pieces of the readings by people that come with Moonshine (`--voices readings`).
With `--users 3` as many people talk at once. A turn's time runs from the end of the voice in
what is said (the last 10 ms above -34 dB) to the arrival of the first 20 ms of sound that can
be heard. The visitor's own jitter buffer is part of it: aiortc holds sound back for four
packets, 80 ms. The server's own figure and its steps, from its transcript, begin at the end of
the voice too, as it was received, and end when the first sound is handed to the transport.
"""

import argparse
import asyncio
import contextlib
import functools
import json
import re
import tempfile
import time
import wave
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import moonshine_voice
import numpy as np
import soxr

from benchmarks.onlooker import Onlooker
from benchmarks.report import Report, options_parser
from tests.speech import say
from tests.talk.app import AVATAR, App, running_app
from tests.talk.visitor import PIECE, RATE

QUESTIONS = (
    "Who are you?",
    "What is your favourite colour?",
    "Are you a real person?",
    "How old are you?",
    "Hello, who are you?",
    "Tell me a joke.",
    "What languages do you speak?",
    "Where are you?",
    "How are you today?",
    "What is the meaning of life?",
    "Who made you?",
    "How much does it cost?",
)  # fmt: skip
LOCAL = ("--llm", "guide", "--transport", "webrtc")
FACES = ("puppet", "none")
READINGS = ("beckett.wav", "two_cities.wav")
# A piece of a reading ends at a pause, and is as long as what people say in a turn.
PAUSE_S, SHORTEST_S, LONGEST_S = 0.45, 1.0, 6.0
VOICE = 0.02 * 32768  # -34 dB
PATIENCE_S = 12.0
SILENCE_S = 1.5


@dataclass(frozen=True)
class Turn:
    """One question and what became of it."""

    question: str
    heard: list[str]
    """What the server understood, one text for each transcription."""
    runs: int
    """How often the mind was asked for an answer."""
    early: bool
    """Whether a sound came before the question was over."""
    voice_to_voice_ms: float | None
    """None if there was no answer."""


@functools.cache
def voice(question: str) -> bytes:
    """The spoken question without the silence after it: s16le mono 16 kHz."""
    return _trimmed(np.frombuffer(say(question), np.int16))


def _trimmed(samples: np.ndarray) -> bytes:
    loud = [at for at in range(0, len(samples), RATE // 100) if _level(samples, at) > VOICE]
    return samples[: loud[-1] + RATE // 100].tobytes()


@functools.cache
def readings() -> dict[str, bytes]:
    """What people read, cut at its pauses, by name: s16le mono 16 kHz."""
    pieces: dict[str, bytes] = {}
    for name in READINGS:
        for number, piece in enumerate(_cut(_samples(name))):
            if SHORTEST_S <= len(piece) / RATE <= LONGEST_S:
                pieces[f"{name} {number}"] = _trimmed(piece)
    return pieces


def _samples(name: str) -> np.ndarray:
    path = Path(moonshine_voice.__file__).parent / "assets" / name
    with wave.open(str(path)) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
        one = samples[:: sound.getnchannels()].astype(np.float32)
        return soxr.resample(one, sound.getframerate(), RATE).astype(np.int16)


def _cut(samples: np.ndarray) -> list[np.ndarray]:
    """The stretches between pauses."""
    step = RATE // 100
    loud = [at for at in range(0, len(samples), step) if _level(samples, at) > VOICE]
    ends = [n for n in range(1, len(loud)) if loud[n] - loud[n - 1] > PAUSE_S * RATE]
    edges = zip([0, *ends], [*ends, len(loud)], strict=True)
    return [samples[loud[a] : loud[b - 1] + step] for a, b in edges]


def _level(samples: np.ndarray, at: int) -> int:
    return int(np.abs(samples[at : at + RATE // 100].astype(int)).max())


async def ask(visitor: Onlooker, question: str, pcm: bytes | None = None) -> Turn:
    """Ask one question, or say what `pcm` holds, and hear the answer out."""
    visitor.forget()
    begin_s = time.monotonic()
    end_s = await _speak(visitor, pcm or voice(question))
    with contextlib.suppress(AssertionError):
        await visitor.until(lambda: visitor.first_loud(end_s), "an answer", PATIENCE_S)
        await visitor.silence(SILENCE_S, limit_s=60)
    answer = visitor.first_loud(end_s)
    return Turn(
        question,
        [said["text"] for said in visitor.received("user-transcription", begin_s) if said["final"]],
        len(visitor.received("bot-llm-started", begin_s)),
        any(sound.loud for sound in visitor.sounds if sound.at_s <= end_s),
        1000 * (answer.at_s - end_s) if answer else None,
    )


async def _speak(visitor: Onlooker, pcm: bytes) -> float:
    """Say something; returns when its last sample was said, in monotonic seconds."""
    visitor.microphone.say(pcm)
    async with asyncio.timeout(30):
        await visitor.microphone.quiet.wait()
    return visitor.microphone.quiet_at_s - (-(len(pcm) // 2) % PIECE) / RATE


async def converse(app: App, said: list[tuple[str, bytes]]) -> list[Turn]:
    """One conversation: its turns."""
    async with Onlooker(app.url) as visitor:
        await visitor.until(lambda: visitor.last_loud_s, "the greeting", 60)
        await visitor.silence(SILENCE_S, limit_s=90)
        return [await ask(visitor, text, pcm) for text, pcm in said]


def server_ms(app: App) -> dict[str, list[float]]:
    """The latencies in the transcripts and their steps, in milliseconds, by step."""
    found: dict[str, list[float]] = {}
    for line in (json.loads(line) for path in app.transcripts() for line in path.open()):
        if "latency_s" in line:
            for step, at_s in {**line.get("steps", {}), "latency": line["latency_s"]}.items():
                found.setdefault(step, []).append(1000 * at_s)
    return found


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


def describe(report: Report, side: str, turns: list[Turn], app: App) -> None:
    """Add one side's figures."""
    answered = [
        turn.voice_to_voice_ms for turn in turns if turn.voice_to_voice_ms and not turn.early
    ]
    asked = [t for t in turns if t.question in QUESTIONS]
    misheard = [t for t in asked if _words(" ".join(t.heard)) != _words(t.question)]
    report.add(f"{side}: voice to voice", "ms", answered)
    for step, times_ms in server_ms(app).items():
        report.add(f"{side}: the server's own, {step}", "ms", times_ms)
    report.add(f"{side}: asked", "turns", [len(turns)])
    report.add(f"{side}: not answered", "turns", [sum(t.voice_to_voice_ms is None for t in turns)])
    report.add(f"{side}: heard in pieces", "turns", [sum(len(t.heard) > 1 for t in turns)])
    report.add(f"{side}: answered too early", "turns", [sum(t.early for t in turns)])
    if asked:
        report.add(f"{side}: not heard word by word", "turns", [len(misheard)])
    report.details[side] = [asdict(turn) for turn in turns]


def _to_say(options: argparse.Namespace, first: int) -> list[tuple[str, bytes]]:
    """What one user says in a conversation."""
    if options.voices == "readings":
        said = list(readings().items())
    else:
        said = [(question, voice(question)) for question in QUESTIONS]
    return [said[(first + n) % len(said)] for n in range(options.turns)]


async def _round(options: argparse.Namespace, app: App, number: int) -> list[Turn]:
    """As many conversations at once as there are users."""
    firsts = [(number * options.users + user) * options.turns for user in range(options.users)]
    talks = [converse(app, _to_say(options, first)) for first in firsts]
    return [turn for talk in await asyncio.gather(*talks) for turn in talk]


async def measure(options: argparse.Namespace, folder: Path) -> None:
    """Hold the conversations, those of all sides in turn."""
    commands = {"": AVATAR}
    if options.against:
        commands = {"this, ": AVATAR, "that, ": options.against / ".venv" / "bin" / "avatar"}
    _to_say(options, 0)
    async with AsyncExitStack() as stack:
        apps: dict[str, App] = {}
        for (name, command), face in ((c, f) for c in commands.items() for f in options.faces):
            (home := folder / f"{name}{face}").mkdir()
            flags = (*LOCAL, "--avatar", face, "--size", options.size)
            app = running_app(home, *flags, command=command.absolute())
            apps[f"{name}{face}"] = await stack.enter_async_context(app)
        report = Report(f"Voice to voice over WebRTC, {options.users} at once", options)
        turns: dict[str, list[Turn]] = {side: [] for side in apps}
        for number in range(options.conversations):
            for side, app in apps.items():
                for turn in await _round(options, app, number):
                    turns[side].append(turn)
                    print(side, turn, flush=True)
        for side, app in apps.items():
            describe(report, side, turns[side], app)
        report.finish()


def main() -> None:
    """Measure and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--conversations", type=int, default=2, help="for each face and user")
    parser.add_argument("--turns", type=int, default=12, help="in each conversation")
    parser.add_argument("--users", type=int, default=1, help="who talk at once")
    parser.add_argument("--voices", choices=("spoken", "readings"), default="spoken")
    parser.add_argument("--faces", nargs="+", choices=FACES, default=list(FACES))
    parser.add_argument("--against", type=Path, help="a worktree with an environment of its own")
    parser.add_argument("--size", default="1280x720", help="of the puppet's picture")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
