"""How loud a voice is and how much of a mouth is seen, as it changes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STEP_S = 0.01
# Added to a loudness, of full scale, so that silence has one.
HUSH = 1e-3
# Open vowels are louder than all else here, by their formants, in Hz.
VOWELS = (600, 2000)


@dataclass(frozen=True)
class Curve:
    """Something that changes: when, in seconds, and how much there was of it."""

    at_s: np.ndarray
    much: np.ndarray

    def between(self, start_s: float, end_s: float) -> "Curve":
        """A part of it."""
        kept = (self.at_s >= start_s) & (self.at_s < end_s)
        return Curve(self.at_s[kept], self.much[kept])


def loudness(samples: np.ndarray, rate: int) -> Curve:
    """How loud each 10 ms of a mono sound (int16) are, as ears feel it."""
    return _felt((_pieces(samples, rate) ** 2).mean(axis=1))


def vowels(samples: np.ndarray, rate: int) -> Curve:
    """How loud each 10 ms of a mono sound (int16) are where an open mouth is heard."""
    pieces = _pieces(samples, rate)
    size = pieces.shape[1]
    spectrum = np.abs(np.fft.rfft(pieces * np.hanning(size), axis=1)) ** 2
    pitch = np.fft.rfftfreq(size, 1 / rate)
    heard = (pitch >= VOWELS[0]) & (pitch <= VOWELS[1])
    return _felt(spectrum[:, heard].sum(axis=1) * (2 / size) ** 2)


def _pieces(samples: np.ndarray, rate: int) -> np.ndarray:
    """A sound in pieces of 10 ms, of full scale: (number, samples)."""
    size = round(STEP_S * rate)
    return samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64) / 32768


def _felt(power: np.ndarray) -> Curve:
    much = np.log10(np.sqrt(power) + HUSH)
    return Curve((np.arange(len(much)) + 0.5) * STEP_S, much)


def peak(values: Sequence[float] | np.ndarray) -> float:
    """Which value is the highest, between the samples, too."""
    at = int(np.argmax(values))
    if not 0 < at < len(values) - 1:
        return at
    before, top, after = values[at - 1 : at + 2]
    return at + (before - after) / (2 * (before - 2 * top + after))
