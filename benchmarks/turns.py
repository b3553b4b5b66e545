"""Voice to voice, in real conversations with local parts: `python -m benchmarks.turns`.

Starts the command `avatar` twice, with the puppet and without a face, and talks to both in turn
over WebRTC with a spoken voice at real pace. A turn's time runs from the end of the voice in the
question (the last 10 ms above -34 dB) to the arrival of the first 20 ms of sound that can be heard.
The visitor's own jitter buffer is part of it: aiortc holds sound back for four packets, 80 ms. The
server's own figure, from its transcript, begins at the end of the voice too, as it was received,
and ends when the first sound is handed to the transport.
"""

import argparse
import asyncio
import contextlib
import functools
import json
import re
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.onlooker import Onlooker
from benchmarks.report import Report, options_parser
from tests.speech import say
from tests.talk.app import App, running_app
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
LOCAL = ("--stt", "whisper", "--llm", "guide", "--tts", "hibari", "--transport", "webrtc")
FACES = ("puppet", "none")
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
    samples = np.frombuffer(say(question), np.int16)
    loud = [at for at in range(0, len(samples), RATE // 100) if _level(samples, at) > VOICE]
    return samples[: loud[-1] + RATE // 100].tobytes()


def _level(samples: np.ndarray, at: int) -> int:
    return int(np.abs(samples[at : at + RATE // 100].astype(int)).max())


async def ask(visitor: Onlooker, question: str) -> Turn:
    """Ask one question and hear the answer out."""
    visitor.forget()
    begin_s = time.monotonic()
    end_s = await _speak(visitor, voice(question))
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


async def converse(app: App, turns: int, first: int) -> tuple[list[Turn], dict[str, list[float]]]:
    """One conversation: its turns, and the parts' times to first byte in milliseconds."""
    async with Onlooker(app.url) as visitor:
        await visitor.until(lambda: visitor.last_loud_s, "the greeting", 30)
        await visitor.silence(SILENCE_S, limit_s=60)
        numbers = range(first, first + turns)
        asked = [await ask(visitor, QUESTIONS[n % len(QUESTIONS)]) for n in numbers]
        return asked, _first_bytes_ms(visitor)


def _first_bytes_ms(visitor: Onlooker) -> dict[str, list[float]]:
    """The times to first byte that the server tells of its parts, by part."""
    found: dict[str, list[float]] = {}
    for data in visitor.received("metrics"):
        for measured in data.get("ttfb") or []:
            if measured["value"]:
                name = measured["processor"].split("#")[0]
                found.setdefault(name, []).append(1000 * measured["value"])
    return found


def server_ms(app: App) -> list[float]:
    """The latencies in the transcripts, in milliseconds."""
    lines = [json.loads(line) for path in app.transcripts() for line in path.open()]
    return [1000 * line["latency_s"] for line in lines if "latency_s" in line]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


def describe(report: Report, face: str, turns: list[Turn], server: list[float]) -> None:
    """Add one face's figures."""
    answered = [
        turn.voice_to_voice_ms for turn in turns if turn.voice_to_voice_ms and not turn.early
    ]
    misheard = [t for t in turns if _words(" ".join(t.heard)) != _words(t.question)]
    report.add(f"{face}: voice to voice", "ms", answered)
    report.add(f"{face}: the server's own latency", "ms", server)
    report.add(f"{face}: asked", "turns", [len(turns)])
    report.add(f"{face}: not answered", "turns", [sum(t.voice_to_voice_ms is None for t in turns)])
    report.add(f"{face}: answered twice", "turns", [sum(t.runs > 1 for t in turns)])
    report.add(f"{face}: answered too early", "turns", [sum(t.early for t in turns)])
    report.add(f"{face}: not heard word by word", "turns", [len(misheard)])
    report.details[face] = [asdict(turn) for turn in turns]


async def measure(options: argparse.Namespace, folder: Path) -> None:
    """Hold the conversations, those of both faces in turn."""
    for face in FACES:
        (folder / face).mkdir()
    for question in QUESTIONS:
        voice(question)
    puppet = running_app(folder / "puppet", *LOCAL, "--avatar", "puppet", "--size", options.size)
    async with puppet as one, running_app(folder / "none", *LOCAL, "--avatar", "none") as two:
        report = Report("Voice to voice, whisper + guide + hibari over WebRTC", options)
        apps = dict(zip(FACES, (one, two), strict=True))
        turns: dict[str, list[Turn]] = {face: [] for face in FACES}
        parts: dict[str, list[float]] = {}
        for number in range(options.conversations):
            for face, app in apps.items():
                asked, first_bytes_ms = await converse(app, options.turns, number * options.turns)
                turns[face] += asked
                for name, times_ms in first_bytes_ms.items():
                    parts.setdefault(f"{face}: first byte of {name}", []).extend(times_ms)
                for turn in asked:
                    print(face, turn, flush=True)
        for face, app in apps.items():
            describe(report, face, turns[face], server_ms(app))
        for name, times_ms in parts.items():
            report.add(name, "ms", times_ms)
        report.finish()


def main() -> None:
    """Measure and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--conversations", type=int, default=2, help="for each face")
    parser.add_argument("--turns", type=int, default=12, help="in each conversation")
    parser.add_argument("--size", default="1280x720", help="of the puppet's picture")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
