"""Speech without meaning: sound as long as the text, with a voice's pitch and syllables."""

import numpy as np

LETTER_S = 0.06
SAMPLE_RATE = 24000


def babble(text: str) -> bytes:
    """Say `text` as voiced noise: s16le mono, 24 kHz, 60 ms for every character."""
    seconds = np.arange(int(len(text) * LETTER_S * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(140 + 20 * np.sin(2 * np.pi * 0.7 * seconds)) / SAMPLE_RATE
    voice = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 12))
    syllables = 0.25 + 0.75 * np.sin(np.pi * 4 * seconds) ** 2
    return (voice * syllables * 6000).astype("<i2").tobytes()


def resample(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """The same s16le mono sound at another rate, by linear interpolation."""
    if from_hz == to_hz:
        return pcm
    samples = np.frombuffer(pcm, dtype="<i2")
    at = np.arange(0, len(samples), from_hz / to_hz)
    return np.interp(at, np.arange(len(samples)), samples).astype("<i2").tobytes()
