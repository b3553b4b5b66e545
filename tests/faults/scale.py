"""A scale: tones instead of words, which are told apart through any codec."""

from collections.abc import Iterable

import numpy as np

RATE = 24_000
# Nearer to each other, one is taken for the next when the machine falters.
TONE_S, REST_S = 0.32, 0.14
LOWEST_HZ, STEP_HZ = 500, 125
PIECE_S = 0.02


def scale(tones: int) -> bytes:
    """So many tones, each higher than the one before: s16le mono 24 kHz."""
    return tune(range(tones))


def tune(numbers: Iterable[int]) -> bytes:
    """These tones of the scale; below its first are some that no listener hears."""
    return b"".join(_tone(LOWEST_HZ + n * STEP_HZ) for n in numbers)


def _tone(hertz: float) -> bytes:
    time_s = np.arange(round(TONE_S * RATE)) / RATE
    tone = 8000 * np.sin(2 * np.pi * hertz * time_s)
    return tone.astype("<i2").tobytes() + bytes(2 * round(REST_S * RATE))


class Listener:
    """Tells the tones apart in what it hears, piece by piece.

    `tones` are those heard so far, in order, and how long each was in seconds.
    """

    def __init__(self) -> None:
        self.tones: list[tuple[int, float]] = []
        self._left = np.zeros(0)
        self._rate = 0

    def hear(self, sound: bytes, rate: int) -> None:
        """Hear more: s16le mono."""
        if rate != self._rate:
            self._left, self._rate = np.zeros(0), rate
        samples = np.concatenate([self._left, np.frombuffer(sound, np.int16)])
        size = round(PIECE_S * rate)
        for at in range(0, len(samples) - size + 1, size):
            self._take(samples[at : at + size])
        self._left = samples[len(samples) // size * size :]

    def _take(self, piece: np.ndarray) -> None:
        # What is less loud is the beginning or the end of a tone.
        if np.abs(piece).max() < 3000:
            return
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 4 * len(piece)))
        hertz = float(np.argmax(spectrum)) * self._rate / (4 * len(piece))
        number = round((hertz - LOWEST_HZ) / STEP_HZ)
        if number < 0:  # a click
            return
        if self.tones and self.tones[-1][0] == number:
            self.tones[-1] = (number, self.tones[-1][1] + PIECE_S)
        else:
            self.tones.append((number, PIECE_S))
