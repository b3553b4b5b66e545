"""How a Hibari model speaks a text: words to phonemes, phonemes to sound, and when each is heard.

The model decides how many frames each phoneme lasts on its way to the sound, but does not give them
away. One more output in its graph makes it tell.
"""

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from importlib.metadata import version
from pathlib import Path
from typing import cast

import numpy as np
from hibari import SAMPLE_RATE, Hibari, dsp
from hibari.g2p.normalize import normalize
from hibari.voices import DEFAULT, voice_path
from onnxruntime import InferenceSession

from .dictionary import reader
from .graph import telling
from .optimized import optimized
from .speech import Phoneme, Speech
from .timbre import Timbre

# The number of frames of each phoneme, rounded and at least one: the only Clip of the graph.
DURATIONS = b"/Clip_output_0"
FRAME_S = 0.025
# A phoneme is heard so much before its frames, as PocketSphinx finds them (benchmarks/lips.py).
EARLY_S = 0.05
# Phonemes that are made in one go: ten seconds of sound. Longer sentences are parted.
LONGEST = 200
# What the model has letters of its own for.
IPA = str.maketrans(
    {"A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ"}
    | {"T": "ɾ", "ᵊ": "ə", "ʤ": "dʒ", "ʧ": "tʃ"}
)
ENDS, PAUSES = ".!?…", ",;:—"
# Numbers that nobody says as one; the reader of numbers knows none of more than 36 digits.
LONG_NUMBER = re.compile(r"\d[\d,]{14,}")
# The model begins with 0.2 to 0.3 s of silence and ends with up to 0.5 s.
QUIET = 0.002  # of full scale
BEFORE_S = 0.01
AFTER_SENTENCE_S, AFTER_PART_S = 0.3, 0.12
# As loud as other voices are; the model's own peaks are a third of full scale.
GAIN = 2.0


@dataclass(frozen=True)
class _Word:
    """A word as it is read aloud, which may be one of several for a written one."""

    text: str
    phonemes: str


def load() -> Hibari:
    """The packaged voice, which tells its durations."""
    name = f"hibari-{version('hibari-tts')}-{DURATIONS.decode().strip('/')}"
    voice = _Voice(optimized(name, _telling))
    voice.g2p.oov("")
    return voice


class _Voice(Hibari):
    """The package's, whose runtime keeps no memory for the next sentence: 12 MB, and not faster."""

    def __init__(self, session: InferenceSession) -> None:
        self.voice, self.sess = DEFAULT, session
        vocabulary = Path(voice_path(DEFAULT)).with_name("vocab.json")
        self.vocab = json.loads(vocabulary.read_text(encoding="utf-8"))
        self._g2p = reader()


def _telling() -> bytes:
    return telling(Path(voice_path(DEFAULT)).read_bytes(), DURATIONS)


def speak(voice: Hibari, timbre: Timbre, text: str) -> Iterator[Speech]:
    """Synthesise sentence by sentence; what has no sound is left out."""
    for sentence in Hibari.split_sentences(text):
        words = list(_read(voice, sentence))
        written = _written(sentence, words)
        done = 0
        for part in _parts(words):
            if any(letter.isalpha() for word in part for letter in word.phonemes):
                yield _speech(voice, timbre, part, written[done : done + len(part)])
            done += len(part)


def _normal(text: str) -> str:
    """The text with numbers, dates and abbreviations as they are read."""
    return normalize(LONG_NUMBER.sub(lambda number: " ".join(number[0].replace(",", "")), text))


def _read(voice: Hibari, sentence: str) -> Iterator[_Word]:
    """The words of a sentence as they are read; the phonemes are those the model knows."""
    text = phonemes = ""
    for token in voice.g2p.phonemize_tokens(voice.g2p.tokenize(f"{_normal(sentence)} ")):
        text += token.text
        phonemes += "".join(symbol for symbol in token.phonemes or "" if symbol in voice.vocab)
        if token.whitespace:
            yield _Word(text, phonemes)
            text = phonemes = ""
    if text:
        yield _Word(text, phonemes)


def _written(sentence: str, words: Sequence[_Word]) -> list[list[str]]:
    """For each word that is read, the written ones that begin with it."""
    begun: list[list[str]] = [[] for _ in words]
    written = sentence.split()
    for word, first in zip(written, _firsts(written, [word.text for word in words]), strict=True):
        if begun and any(letter.isalnum() for letter in word):
            begun[min(first, len(begun) - 1)].append(word)
    return begun


def _firsts(written: list[str], read: list[str]) -> list[int]:
    """For each written word, the number of the one that is read first for it."""
    firsts: list[int] = []
    same = SequenceMatcher(None, written, read, autojunk=False)
    for _, start, end, read_start, read_end in same.get_opcodes():
        counts = [len(_normal(word).split()) for word in written[start:end]]
        scale = (read_end - read_start) / max(1, sum(counts))
        before = itertools.accumulate(counts[:-1], initial=0)
        firsts += [
            read_start + int(count * scale) for count, _ in zip(before, counts, strict=False)
        ]
    return firsts


def _parts(words: Sequence[_Word]) -> Iterator[Sequence[_Word]]:
    """A sentence in parts that are made in one go, parted where it pauses if it does."""
    part: list[_Word] = []
    for word in words:
        if part and sum(len(each.phonemes) + 1 for each in [*part, word]) > LONGEST:
            pauses = [n for n, each in enumerate(part, 1) if each.phonemes[-1:] in PAUSES]
            cut = max(pauses, default=len(part))
            yield part[:cut]
            part = part[cut:]
        part.append(word)
    yield part


def _speech(
    voice: Hibari, timbre: Timbre, words: Sequence[_Word], written: Sequence[Sequence[str]]
) -> Speech:
    phonemes = " ".join(word.phonemes for word in words if word.phonemes)
    samples, edges_s = _sound(voice, timbre, phonemes)
    after_s = AFTER_SENTENCE_S if phonemes[-1] in ENDS else AFTER_PART_S
    samples, cut_s = _cut(samples, after_s)
    duration_s = len(samples) / SAMPLE_RATE
    edges_s = np.clip(edges_s - cut_s, 0.0, duration_s)
    edges_s[0] = 0.0  # a sound begins a little before its frames
    places = itertools.accumulate((len(w.phonemes) + bool(w.phonemes) for w in words), initial=0)
    starts_s = [float(edges_s[min(place, len(phonemes) - 1)]) for place in places]
    return Speech(
        (np.clip(samples * GAIN, -1, 1) * 32767).astype("<i2").tobytes(),
        duration_s,
        [(word, at_s) for begun, at_s in zip(written, starts_s, strict=False) for word in begun],
        [
            Phoneme(p.translate(IPA), *map(float, edges))
            for p, edges in zip(phonemes, itertools.pairwise(edges_s), strict=True)
        ],
    )


def _sound(voice: Hibari, timbre: Timbre, phonemes: str) -> tuple[np.ndarray, np.ndarray]:
    """Float samples, and the edges of the phonemes in them in seconds, one more than phonemes."""
    ids = np.asarray([voice.ids(phonemes)], np.int64)
    speed = np.ones(1, np.float32)
    outputs = voice.sess.run(None, {"ids": ids, "speed": speed})
    *spectra, frames = cast(list[np.ndarray], outputs)
    noise = np.random.default_rng(0)  # the same text sounds the same each time
    samples = dsp.synth(*timbre(*(spectrum[0] for spectrum in spectra)), noise)
    return samples, FRAME_S * np.cumsum(frames.ravel())[:-1] - EARLY_S


def _cut(samples: np.ndarray, after_s: float) -> tuple[np.ndarray, float]:
    """The samples without the silence around them, and how much was cut from the beginning."""
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    if not len(loud):
        return samples, 0.0
    first = max(0, loud[0] - round(BEFORE_S * SAMPLE_RATE))
    last = loud[-1] + round(after_s * SAMPLE_RATE)
    return samples[first:last], first / SAMPLE_RATE
