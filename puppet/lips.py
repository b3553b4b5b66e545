"""What the mouth does, heard from speech: a small network over log-mel bands, 40 ms ahead."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

WEIGHTS = Path(__file__).parent / "lips.npz"
SAMPLE_RATE = 24000
HOP = 240
WINDOW = 600
FFT = 1024
BANDS = 24
HOPS_PER_FRAME = 4
# Hops the network sees, counted from the oldest of the fifteen it needs: eight of the past, the
# present one, four of the future.
SEEN = np.array([0, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
PAST = 10
SPAN = 15
NEPERS_PER_DB = np.log(10) / 10
LOOK_AHEAD = (2 * HOPS_PER_FRAME + 1) * HOP + WINDOW // 2 - HOP // 2
"""Samples to hear, from the start of a frame, before its lips are known in full."""


class Lips(NamedTuple):
    """The network's reading of one frame, before it is shaped for display."""

    open: float
    width: float
    close: float
    bite: float
    voice: float


class LipReader:
    """Reads one utterance: give it samples as they come, ask for frames in order."""

    def __init__(self) -> None:
        self._samples = np.zeros(WINDOW // 2 - HOP // 2, np.float32)
        self._level_db = -24.0
        self._features = np.empty((0, BANDS + 1), np.float32)
        self._read: list[np.ndarray] = []
        self._first = 0

    def hear(self, pcm: bytes) -> None:
        """More speech: s16le mono 24 kHz, whole samples."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        self._samples = np.concatenate([self._samples, samples])
        hops = (len(self._samples) - WINDOW) // HOP + 1
        if hops > 0:
            starts = np.arange(hops)[:, None] * HOP
            self._listen(self._samples[starts + np.arange(WINDOW)])
            self._samples = self._samples[hops * HOP :]
            self._think()

    def at(self, frame: int) -> Lips:
        """Lips at the centre of a frame, from what was heard so far. Frames only go up."""
        start = frame * HOPS_PER_FRAME - self._first
        window = self._read[start : start + 5] or self._read[-1:]
        if not window:
            return Lips(0, 0, 0, 0, 0)
        keep = min(start, len(self._read) - 1)
        del self._read[:keep]
        self._first += keep
        hops = np.stack(window)
        mean, peak = (hops[1:4] if len(hops) > 1 else hops).mean(0), hops.max(0)
        return Lips(*(float(v) for v in (mean[0], mean[1], peak[2], peak[3], mean[4])))

    def _listen(self, windows: np.ndarray) -> None:
        """Append 25 features for each window of 25 ms: bands and level over the usual level."""
        taper, bands = _filters()
        power = np.abs(np.fft.rfft(windows * taper, FFT)) ** 2
        levels_db = 10 * np.log10(np.square(windows).mean(1) + 1e-9)
        usual_db = np.array([self._follow(level_db) for level_db in levels_db.tolist()])[:, None]
        tone = (np.log(power @ bands + 1e-5) - usual_db * NEPERS_PER_DB + 4) / 3
        level = np.minimum((levels_db[:, None] - usual_db + 12) / 12, 2)
        rows = np.hstack([tone, level]).clip(-3, 3).astype(np.float32)
        before = self._features if len(self._features) else rows[:1].repeat(PAST, 0)
        self._features = np.concatenate([before, rows])

    def _follow(self, level_db: float) -> float:
        """The usual level of speech, in dB: fast up, slowly down, not at all in silence."""
        if level_db > self._level_db:
            self._level_db += 0.25 * (level_db - self._level_db)
        elif level_db > -50:
            quiet = level_db < self._level_db - 6
            self._level_db = max(self._level_db - 0.02, -45) if quiet else self._level_db - 0.01
        return self._level_db

    def _think(self) -> None:
        count = len(self._features) - SPAN + 1
        if count <= 0:
            return
        seen = np.arange(count)[:, None] + SEEN
        signal = self._features[seen].reshape(count, -1)
        self._features = self._features[count:]
        *hidden, (weights, bias) = _layers()
        for inner, offset in hidden:
            signal = np.tanh(signal @ inner + offset)
        self._read.extend(signal @ weights + bias)


@lru_cache(maxsize=1)
def _layers() -> list[tuple[np.ndarray, np.ndarray]]:
    with np.load(WEIGHTS) as stored:
        return [(stored[f"w{layer}"], stored[f"b{layer}"]) for layer in range(3)]


@lru_cache(maxsize=1)
def _filters() -> tuple[np.ndarray, np.ndarray]:
    """The window's taper, and 24 triangular mel bands from 80 to 7400 Hz, (513, 24)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (80, 7400))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    hz = np.arange(FFT // 2 + 1)[:, None] * SAMPLE_RATE / FFT
    rising = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    bands = np.clip(np.minimum(rising, falling), 0, None)
    bands /= bands.sum(0) + 1e-9
    return np.hanning(WINDOW).astype(np.float32), bands.astype(np.float32)
