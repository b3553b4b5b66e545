"""How much of a sound is above the noise."""

import numpy as np

VOICED_RMS = 300.0
WINDOW_S = 0.02


def voiced_s(pcm: bytes, sample_rate: int) -> float:
    """Seconds of s16le mono that are loud enough to be a voice."""
    window = int(sample_rate * WINDOW_S)
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.float64)
    pieces = (samples[at : at + window] for at in range(0, len(samples), window))
    return sum(
        len(piece) / sample_rate for piece in pieces if np.sqrt(np.mean(piece**2)) > VOICED_RMS
    )
