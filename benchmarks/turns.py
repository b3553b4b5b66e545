"""Voice to voice, in real conversations with local parts: `python -m benchmarks.turns`.

Starts the command `avatar` with each face, and the one of another worktree beside it if
`--against` names its folder, and talks to all in turn over WebRTC at real pace: with a spoken
voice, with pieces of the readings by people that come with Moonshine (`--voices readings`), or with
the recordings of people that `benchmarks.recordings` fetches for tests, speaker by speaker
(`--voices recordings`). `--noise -20` lets noise of that level, in dB of what is said, stand in the
room. With `--users 1 2 3` as many people talk at once, in turn.

A turn's time runs from the end of the voice in what is said (the last 10 ms above -34 dB; of a
recording, as it is labelled) to the arrival of the first 20 ms of sound that can be heard. What is
said by one user alone and again with others is also compared turn by turn, as sentences differ. The
visitor's own jitter buffer is part of it: aiortc holds sound back for four packets, 80 ms. The
server's own figure and its steps, from its transcript, begin at the end of the voice too, as it was
received, and end when the first sound is handed to the transport. Its CPU time is that of the whole
server, so with `--faces none` hearing, answering, speaking and WebRTC.
"""

import argparse
import asyncio
import contextlib
import functools
import itertools
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

from benchmarks import machine
from benchmarks.labels import read, trimmed
from benchmarks.onlooker import Onlooker
from benchmarks.recordings import CACHE
from benchmarks.report import Report, options_parser
from pipelines.turns.rules import PATIENCE, USUAL
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
    together: int
    """How many people talked at once."""
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


@functools.cache
def recordings() -> dict[str, bytes]:
    """What people said to the end, one of each speaker in turn, by name: s16le mono 16 kHz."""
    said: dict[str, list[bytes]] = {}
    for one in read(CACHE / "voices"):
        if one.split == "test" and not one.made and one.end_s:
            sound = trimmed(one.sound[: round(one.end_s * RATE)])
            if len(sound) <= LONGEST_S * RATE:
                pcm = (sound.clip(-1, 1) * 32767).astype(np.int16).tobytes()
                said.setdefault(one.speaker, []).append(pcm)
    rounds = itertools.zip_longest(*said.values())
    named = [zip(said, one_each, strict=True) for one_each in rounds]
    return {
        f"{speaker} {number}": pcm
        for number, one_each in enumerate(named)
        for speaker, pcm in one_each
        if pcm
    }


def noise_rms(pcm: bytes, level_db: float | None) -> float:
    """The level of noise, of 32768, that is so much louder than what is said; 0 for None."""
    if level_db is None:
        return 0.0
    voice_rms = float(np.sqrt((np.frombuffer(pcm, np.int16).astype(float) ** 2).mean()))
    return voice_rms * 10 ** (level_db / 20)


async def ask(visitor: Onlooker, question: str, pcm: bytes, together: int = 1) -> Turn:
    """Say what `pcm` holds, and hear the answer out."""
    visitor.forget()
    begin_s = time.monotonic()
    end_s = await _speak(visitor, pcm)
    with contextlib.suppress(AssertionError):
        await visitor.until(lambda: visitor.first_loud(end_s), "an answer", PATIENCE_S)
        await visitor.silence(SILENCE_S, limit_s=60)
    answer = visitor.first_loud(end_s)
    return Turn(
        question,
        [said["text"] for said in visitor.received("user-transcription", begin_s) if said["final"]],
        len(visitor.received("bot-llm-started", begin_s)),
        together,
        any(sound.loud for sound in visitor.sounds if sound.at_s <= end_s),
        1000 * (answer.at_s - end_s) if answer else None,
    )


async def _speak(visitor: Onlooker, pcm: bytes) -> float:
    """Say something; returns when its last sample was said, in monotonic seconds."""
    visitor.microphone.say(pcm)
    async with asyncio.timeout(30):
        await visitor.microphone.quiet.wait()
    return visitor.microphone.quiet_at_s - (-(len(pcm) // 2) % PIECE) / RATE


async def converse(
    app: App, said: list[tuple[str, bytes]], noise_db: float | None = None, together: int = 1
) -> list[Turn]:
    """One conversation: its turns."""
    async with Onlooker(app.url) as visitor:
        await visitor.until(lambda: visitor.last_loud_s, "the greeting", 60)
        await visitor.silence(SILENCE_S, limit_s=90)
        turns: list[Turn] = []
        for text, pcm in said:
            visitor.microphone.noise_rms = noise_rms(pcm, noise_db)
            turns.append(await ask(visitor, text, pcm, together))
        return turns


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


def slower(turns: list[Turn], together: int) -> list[float]:
    """How many times as long what was also said by one user alone took with so many at once."""
    times_ms: dict[tuple[str, int], float] = {
        (turn.question, turn.together): turn.voice_to_voice_ms
        for turn in turns
        if turn.voice_to_voice_ms and not turn.early
    }
    return [
        times_ms[said, together] / alone_ms
        for (said, users), alone_ms in times_ms.items()
        if users == 1 and (said, together) in times_ms
    ]


def describe(report: Report, side: str, turns: list[Turn], app: App) -> None:
    """Add one side's figures."""
    asked = [t for t in turns if t.question in QUESTIONS]
    misheard = [t for t in asked if _words(" ".join(t.heard)) != _words(t.question)]
    for together in sorted({turn.together for turn in turns}):
        of_these = [t for t in turns if t.together == together and not t.early]
        answered = [t.voice_to_voice_ms for t in of_these if t.voice_to_voice_ms]
        report.add(f"{side}: voice to voice, {together} at once", "ms", answered)
        if together > 1 and (times := slower(turns, together)):
            report.add(f"{side}: {together} at once, over the same said alone", "times", times)
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
    if options.voices == "spoken":
        said = [(question, voice(question)) for question in QUESTIONS]
    else:
        said = list((readings if options.voices == "readings" else recordings)().items())
    return [said[(first + n) % len(said)] for n in range(options.turns)]


async def _round(options: argparse.Namespace, app: App, number: int, together: int) -> list[Turn]:
    """As many conversations at once."""
    firsts = [(number * together + user) * options.turns for user in range(together)]
    talks = [converse(app, _to_say(options, n), options.noise, together) for n in firsts]
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
            patience = {"AVATAR_PATIENCE": options.turns_by}
            app = running_app(home, *flags, env=patience, command=command.absolute())
            apps[f"{name}{face}"] = await stack.enter_async_context(app)
        report = Report("Voice to voice over WebRTC", options)
        turns: dict[str, list[Turn]] = {side: [] for side in apps}
        cpu_pct: dict[str, list[float]] = {side: [] for side in apps}
        rounds = itertools.product(options.users, range(options.conversations), apps.items())
        for together, number, (side, app) in rounds:
            before = machine.read(app.process.pid)
            heard = await _round(options, app, number, together)
            cpu_pct[side].append(machine.read(app.process.pid).cpu_pct(before) / together)
            for turn in heard:
                turns[side].append(turn)
                print(side, turn, flush=True)
        for side, app in apps.items():
            describe(report, side, turns[side], app)
            report.add(f"{side}: CPU of each conversation", "% of a core", cpu_pct[side])
        report.finish()


def main() -> None:
    """Measure and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--conversations", type=int, default=2, help="for each face and user")
    parser.add_argument("--turns", type=int, default=12, help="in each conversation")
    parser.add_argument("--users", type=int, nargs="+", default=[1], help="who talk at once")
    parser.add_argument("--voices", choices=("spoken", "readings", "recordings"), default="spoken")
    parser.add_argument("--turns-by", choices=PATIENCE, default=USUAL, help="AVATAR_PATIENCE")
    parser.add_argument("--noise", type=float, help="in dB of what is said; none if left out")
    parser.add_argument("--faces", nargs="+", choices=FACES, default=list(FACES))
    parser.add_argument("--against", type=Path, help="a worktree with an environment of its own")
    parser.add_argument("--size", default="1280x720", help="of the puppet's picture")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
