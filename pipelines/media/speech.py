"""A sentence as it is spoken: its sound, its words and its phonemes in time."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Phoneme:
    """A sound of speech, a stress mark or a pause, and when it is heard, in seconds of `pcm`.

    The symbol is in IPA, of one letter or of several that share the time; no letter is a pause.
    """

    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Speech:
    """A sentence, or the part of a long one that is made in one go.

    Attributes:
        pcm: s16le mono at the voice's own rate.
        duration_s: how long it lasts.
        words: the words as they are written, and when they begin, in seconds of `pcm`.
        phonemes: what is heard when; none from a voice that does not say.
    """

    pcm: bytes
    duration_s: float
    words: list[tuple[str, float]]
    phonemes: Sequence[Phoneme] = ()
