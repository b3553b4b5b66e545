"""Which words came out of a loudspeaker: speech is found in the sound sample by sample."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hibari import SAMPLE_RATE

from pipelines.media.speech import Speech
from pipelines.turns.rules import LOWERED

LOUD = 600
# Sound is compared in pieces of 10 ms.
PIECE = SAMPLE_RATE // 100


@dataclass(frozen=True)
class Trace:
    """The first loud piece of a speech, and how many samples precede it."""

    pcm: bytes
    before: int
    speech: Speech


def words_in(heard: np.ndarray, known: Sequence[Speech]) -> list[str]:
    """The words of known speeches, in the order in which they are found in int16 samples."""
    traces = [trace for speech in known for trace in _traces(speech)]
    words: list[str] = []
    stream, at = heard.tobytes(), 0
    while found := [
        (place, trace) for trace in traces if (place := _find(stream, trace.pcm, at)) >= 0
    ]:
        place, trace = min(found, key=lambda each: each[0])
        start = place // 2 - trace.before
        length_s = _length(heard[max(0, start) :], _samples(trace.speech)) / SAMPLE_RATE
        words += [word for word, at_s in trace.speech.words if at_s < length_s]
        at = place + 2 * PIECE
    return words


def _samples(speech: Speech) -> np.ndarray:
    return np.frombuffer(speech.pcm, np.int16)


def _lowered(samples: np.ndarray) -> np.ndarray:
    return (samples * LOWERED).astype(np.int16)


def _traces(speech: Speech) -> list[Trace]:
    """As loud as it is, and lowered."""
    samples = _samples(speech)
    before = int(np.argmax(np.abs(samples.astype(int)) > LOUD)) // PIECE * PIECE
    piece = samples[before : before + PIECE]
    return [Trace(each.tobytes(), before, speech) for each in (piece, _lowered(piece))]


def _find(stream: bytes, trace: bytes, at: int) -> int:
    place = stream.find(trace, at)
    while place > 0 and place % 2:
        place = stream.find(trace, place + 1)
    return place


def _length(heard: np.ndarray, samples: np.ndarray) -> int:
    """How many samples of a speech there are at the beginning of a sound."""
    lowered = _lowered(samples)
    for at in range(0, len(samples), PIECE):
        size = min(PIECE, len(samples) - at)
        piece = heard[at : at + size]
        if not any(np.array_equal(piece, each[at : at + size]) for each in (samples, lowered)):
            return at
    return len(samples)
