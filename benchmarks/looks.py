"""What is known at each look into a pause or an end: the input of every rule of `endings.py`."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams, VADState

from benchmarks.labels import RATE, Recording, Sound, room
from pipelines.stt import moonshine
from pipelines.turns.judge import complete
from pipelines.turns.rules import LOOKS_S
from pipelines.turns.voice import VoiceActivity

# Sound arrives in such pieces; after an end there is this much of the room.
PIECE_S, AFTER_END_S = 0.02, 1.4
PIECE = round(PIECE_S * RATE)
# What is written down at once, at most.
WRITTEN_S = 8.0
BEFORE_S = 0.3


@dataclass(frozen=True)
class Look:
    """One look. Seconds are from the last sound of the voice, as it is labelled."""

    at_s: float
    quiet_s: float
    """The silence so far as the product's own clock has it."""
    text: str
    complete: float
    """What Smart Turn says, from 0 to 1."""


@dataclass(frozen=True)
class Moment:
    """A pause or an end, and what could be known of it."""

    file: str
    speaker: str
    kind: str
    split: str
    made: bool
    voice_s: float
    """Where in the recording the voice falls silent."""
    pause_s: float | None
    """How long the pause lasts; None at an end."""
    looks: Sequence[Look]
    vad_at_s: float | None
    """When Pipecat's voice activity detection says that the voice has stopped; None if never."""
    vad_complete: float
    """What Smart Turn says then."""


def quiet_clock(sound: Sound) -> np.ndarray:
    """Seconds of quiet by the product's own clock, after each piece."""
    activity = VoiceActivity()
    pieces = sound[: len(sound) // PIECE * PIECE].reshape(-1, PIECE)
    return np.array([activity.hear(piece).quiet_s for piece in pieces])


async def vad_states(sound: Sound) -> list[VADState]:
    """What Pipecat's voice activity detection says after each piece, stopping after 0.2 s."""
    vad = SileroVADAnalyzer(sample_rate=RATE, params=VADParams(stop_secs=0.2))
    vad.set_sample_rate(RATE)
    pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2")
    pieces = pcm[: len(pcm) // PIECE * PIECE].reshape(-1, PIECE)
    return [await vad.analyze_audio(piece.tobytes()) for piece in pieces]


def begin_of_words(recording: Recording, voice_s: float) -> float:
    """Where to write down from: a pause, or the beginning, at most some seconds before."""
    begins = [0.0, *(end_s - 0.1 for _, end_s in recording.pauses_s if end_s < voice_s)]
    near = [begin_s for begin_s in begins if voice_s - begin_s <= WRITTEN_S]
    return near[0] if near else voice_s - WRITTEN_S


class Watcher:
    """Goes through a recording as the product would, and writes down what it learns."""

    def __init__(self, recording: Recording, transcribe: Callable[[Sound], str]) -> None:
        self._of, self._transcribe = recording, transcribe
        before = room(recording.sound, BEFORE_S)
        after = room(recording.sound, AFTER_END_S)
        self._sound = np.concatenate([before, recording.sound, after])
        self._clock = quiet_clock(self._sound)
        self._vad = asyncio.run(vad_states(self._sound))

    def moments(self) -> Iterator[Moment]:
        """Every pause and the end."""
        for begin_s, end_s in self._of.pauses_s:
            yield self._moment(begin_s, end_s - begin_s)
        if self._of.end_s is not None:
            yield self._moment(self._of.end_s, None)

    def _moment(self, voice_s: float, pause_s: float | None) -> Moment:
        of = self._of
        begin = round((voice_s + BEFORE_S) / PIECE_S)
        end = begin + round((AFTER_END_S if pause_s is None else pause_s) / PIECE_S)
        vad = self._vad_stop(begin, min(end, len(self._vad)))
        sure = complete(self._until(vad)) if vad else 0.0
        at_s = self._since(voice_s, vad) if vad else None
        looks = list(self._looks(voice_s, begin, min(end, len(self._clock))))
        return Moment(
            of.file, of.speaker, of.kind, of.split, of.made, voice_s, pause_s, looks, at_s, sure
        )

    def _vad_stop(self, begin: int, end: int) -> int | None:
        """The piece after which the voice has stopped, if it was ever heard."""
        spoke = VADState.SPEAKING in self._vad[:end]
        quiet = [i for i in range(begin, end) if self._vad[i] == VADState.QUIET]
        return quiet[0] if spoke and quiet else None

    def _looks(self, voice_s: float, begin: int, end: int) -> Iterator[Look]:
        words_from = round((begin_of_words(self._of, voice_s) + BEFORE_S - 0.1) * RATE)
        due = iter(LOOKS_S)
        next_s, words = next(due), ""
        for piece in range(begin, end):
            if self._clock[piece] >= next_s - 1e-6:
                heard = self._until(piece)
                words = words or self._transcribe(heard[max(0, words_from) :])
                yield Look(
                    self._since(voice_s, piece),
                    round(float(self._clock[piece]), 3),
                    words,
                    round(complete(heard), 4),
                )
                next_s = next(due, float("inf"))

    def _until(self, piece: int) -> Sound:
        return self._sound[: (piece + 1) * PIECE]

    def _since(self, voice_s: float, piece: int) -> float:
        return round((piece + 1) * PIECE_S - BEFORE_S - voice_s, 3)


def watch(recordings: Sequence[Recording]) -> list[Moment]:
    """Every moment of the recordings. Takes about half a second for each."""
    transcribe = moonshine.model().transcribe
    moments: list[Moment] = []
    for number, recording in enumerate(recordings):
        moments += Watcher(recording, transcribe).moments()
        print(f"\r{number + 1} of {len(recordings)} recordings", end="", flush=True)
    print()
    return moments


def save(moments: Sequence[Moment], file: Path) -> None:
    """Write moments down, one a line."""
    file.write_text("".join(json.dumps(asdict(moment)) + "\n" for moment in moments))


def restore(file: Path) -> list[Moment]:
    """Read moments that were written down."""
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return [Moment(**{**one, "looks": [Look(**look) for look in one["looks"]]}) for one in found]
