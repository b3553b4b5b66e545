"""Judges what a viewer heard by what was sent; sounds are float64 samples at 24 kHz."""

import numpy as np

SAMPLE_RATE = 24_000
STRETCH = SAMPLE_RATE // 5
STRETCH_S = STRETCH / SAMPLE_RATE
LOUD = 1000
CLEAR = 0.7
NEAR = SAMPLE_RATE


def loud(samples: np.ndarray) -> bool:
    """Whether this is no silence."""
    return bool(np.abs(samples).max(initial=0) > LOUD)


def likeness(sent: bytes, heard: np.ndarray) -> float:
    """How well what was sent (s16le) is found in what was heard: the median over its stretches.

    Stretches of 0.2 s are looked for one by one, since a receiver stretches and drops sound as it
    needs.
    """
    return float(np.median([_best_match(stretch, heard)[1] for stretch in _stretches(sent)]))


def shifts_s(sent: bytes, heard: np.ndarray) -> np.ndarray:
    """Seconds by which neighbouring stretches of voice came apart (+) or together (-) on the way.

    Of stretches that are loud and found clearly; silence between them is not judged.
    """
    places: list[float | None] = []
    begin = 0
    for stretch in _stretches(sent):
        found = None
        if loud(stretch):
            at, match = _best_match(stretch, heard[begin : begin + STRETCH + 10 * NEAR])
            if match > CLEAR:
                found = begin + at
                begin = max(0, found)
        places.append(found)
    pairs = [
        (now - before) / SAMPLE_RATE - STRETCH_S
        for before, now in zip(places, places[1:], strict=False)
        if before is not None and now is not None
    ]
    return np.array(pairs)


def _stretches(sent: bytes) -> np.ndarray:
    voice = np.frombuffer(sent, "<i2").astype(float)
    return voice[: len(voice) // STRETCH * STRETCH].reshape(-1, STRETCH)


def _best_match(stretch: np.ndarray, heard: np.ndarray) -> tuple[int, float]:
    """Where a stretch is found, in samples, and how well: its correlation there."""
    if len(heard) < len(stretch) or not stretch.any():
        return 0, 0.0
    size = len(stretch) + len(heard)
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(stretch, size))
    at = int(np.argmax(np.fft.irfft(product, size)[: len(heard) - len(stretch) + 1]))
    return at, float(np.corrcoef(stretch, heard[at : at + len(stretch)])[0, 1])
