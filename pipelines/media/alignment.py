"""When a Piper voice says each word.

A VITS model decides how many frames each phoneme lasts on its way to the sound, but does not give
them away. One more output in its graph makes it tell. The words of the text are found among the
phonemes by comparing what the whole sentence sounds like with what each word sounds like alone.
"""

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from onnxruntime import (
    InferenceSession,
    SessionOptions,  # pyright: ignore[reportAttributeAccessIssue] — made in C++
)
from piper import AudioChunk, PiperConfig, PiperVoice
from rapidfuzz.distance import Levenshtein

from .graph import telling
from .speech import Phoneme, Speech

# The number of frames of each phoneme, rounded up; the only Ceil of the graph.
DURATIONS = re.compile(rb"/(?:\w+/)*Ceil_output_0")
STRESS = "ˈˌ"
# Relative lengths, for models that do not tell; a phoneme is 1.
LENGTHS = dict.fromkeys("ˈˌ", 0.0) | {"ː": 0.6, " ": 0.2} | dict.fromkeys(",;:–—", 4.0)
EDGE_LENGTH = 1.5
# Each phoneme has a blank behind it, in which the next one is heard already, so long about.
EARLY_S = 0.02


@dataclass(frozen=True)
class _Place:
    """Where a word begins: the number of its sentence, and of its phoneme in it."""

    word: str
    sentence: int
    phoneme: int


def load(file: Path) -> PiperVoice:
    """A Piper voice that tells its durations, if its model has them.

    Raises:
        OSError, ValueError, or what onnxruntime raises: the voice cannot be loaded.
    """
    config = json.loads(Path(f"{file}.json").read_text(encoding="utf-8"))
    model = telling_durations(file.read_bytes())
    options = SessionOptions()
    # More threads are no faster, and their spinning takes the CPU from the faces that are on air.
    options.intra_op_num_threads = 1
    session = InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return PiperVoice(session=session, config=PiperConfig.from_dict(config))


def telling_durations(model: bytes) -> bytes:
    """An ONNX model with its durations as one more output; unchanged if there are none."""
    found = DURATIONS.search(model)
    return telling(model, found[0]) if found else model


def speak(voice: PiperVoice, text: str) -> Iterator[Speech]:
    """Synthesise sentence by sentence."""
    places = _places(voice, text)
    for number, chunk in enumerate(voice.synthesize(text, include_alignments=True)):
        starts = starts_s(chunk)
        words = [(p.word, starts[p.phoneme]) for p in places if p.sentence == number]
        pcm = chunk.audio_int16_bytes
        heard = _heard(chunk, starts) if chunk.phoneme_alignments else []
        yield Speech(pcm, len(pcm) / 2 / chunk.sample_rate, words, heard)


def _heard(chunk: AudioChunk, starts: list[float]) -> list[Phoneme]:
    """The phonemes of a sentence, after the silence that it begins with."""
    edges = [max(0.0, start - EARLY_S) for start in starts]
    spoken = zip(chunk.phonemes, itertools.pairwise(edges), strict=False)
    return [Phoneme("", 0.0, edges[0]), *(Phoneme(p, *times) for p, times in spoken)]


def starts_s(chunk: AudioChunk) -> list[float]:
    """When each phoneme of a sentence begins, in seconds; one more for its end."""
    if chunk.phoneme_alignments:
        lengths = [float(a.num_samples) for a in chunk.phoneme_alignments]
    else:
        inner = [LENGTHS.get(phoneme, 1.0) for phoneme in chunk.phonemes]
        lengths = [EDGE_LENGTH, *inner, EDGE_LENGTH]
    scale = len(chunk.audio_float_array) / chunk.sample_rate / sum(lengths)
    return [scale * end for end in itertools.accumulate(lengths)]


def _places(voice: PiperVoice, text: str) -> list[_Place]:
    """Where each word of the text begins; one without a sound begins with the next."""
    sentences = [phonemes for phonemes in voice.phonemize(text) if phonemes]
    heard = [(s, p) for s, phonemes in enumerate(sentences) for p in _sounds(phonemes)]
    words = [word for word in text.split() if any(letter.isalnum() for letter in word)]
    alone = [_sounding(voice, word) for word in words]
    found = _matches(list(itertools.chain(*alone)), [sentences[s][p] for s, p in heard])
    firsts = itertools.accumulate((len(sounds) for sounds in alone), initial=0)
    places: list[_Place] = []
    for word, first in zip(words, firsts, strict=False):
        sentence, phoneme = heard[found[min(first, len(found) - 1)]] if found and heard else (0, 0)
        places.append(_Place(word, sentence, _with_stress(sentences[sentence], phoneme)))
    return places


def _sounding(voice: PiperVoice, word: str) -> list[str]:
    phonemes = list(itertools.chain(*voice.phonemize(word)))
    return [phonemes[position] for position in _sounds(phonemes)]


def _sounds(phonemes: Sequence[str]) -> list[int]:
    """The positions of what is a sound of its own: no stress, length, space or punctuation."""
    return [n for n, p in enumerate(phonemes) if p[0].isalpha() and p not in "ː"]


def _with_stress(phonemes: Sequence[str], position: int) -> int:
    """The position of the stress mark before a sound, if there is one."""
    while position and phonemes[position - 1] in STRESS:
        position -= 1
    return position


def _matches(alone: list[str], heard: list[str]) -> list[int]:
    """For each sound of the words alone, the position of its like among those heard."""
    found: list[int] = []
    last = max(0, len(heard) - 1)
    for step in Levenshtein.opcodes(alone, heard):
        for offset in range(step.src_end - step.src_start):
            within = min(offset, max(0, step.dest_end - step.dest_start - 1))
            found.append(min(last, step.dest_start + within))
    return found
