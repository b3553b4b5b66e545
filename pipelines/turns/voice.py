"""Is somebody speaking? Level and Silero's model together, exact to 10 ms."""

import copy
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pipecat.audio.vad.silero import SileroVADAnalyzer

from pipelines.once import once

# Mono, float32 from -1 to 1, 16 kHz.
Sound: TypeAlias = NDArray[np.float32]
RATE = 16_000
PIECE = RATE // 100
WINDOW = 512  # samples that Silero looks at
# The level of voice: above the quietest of the last seconds, not far below the loudest, and at all.
ABOVE_QUIET_DB, BELOW_LOUD_DB, LEAST_DB = 10.0, 34.0, -56.0
RISE_DB, FALL_DB = 0.02, 0.03  # of the quietest and the loudest, in 10 ms
# Silero's confidence in a window that begins a voice, and in one that goes on with it.
BEGINS, GOES_ON = 0.6, 0.3
WINDOWS_TO_BEGIN = 2


def samples(pcm: bytes) -> Sound:
    """s16le mono as a Sound."""
    return np.frombuffer(pcm, np.int16).astype(np.float32) / np.float32(32768)


@dataclass(frozen=True)
class Heard:
    """What the newest sound brought."""

    begins: bool
    """A voice, for sure."""
    quiet_s: float
    """Seconds since there was voice."""
    level_db: float
    """Of its loudest 10 ms, in dB of full scale."""


@once
def _loaded() -> SileroVADAnalyzer:
    """Silero's model, loaded once, which nobody asks: each microphone has a copy of what it is."""
    analyzer = SileroVADAnalyzer(sample_rate=RATE)
    analyzer.set_sample_rate(RATE)
    return analyzer


def silero() -> SileroVADAnalyzer:
    """Silero for one microphone: what it remembers is its own, and the model everybody's."""
    own = copy.copy(_loaded())
    own._model = copy.copy(own._model)
    own._model.reset_states()
    return own


class VoiceActivity:
    """Follows one microphone. The level tells an end at once, Silero tells voice from noise."""

    def __init__(self) -> None:
        self._silero = silero()
        self._loud_db, self._quiet_db = -60.0, -70.0
        self._quiet_s = 0.0
        self._confident = 0
        self._confidence = 0.0
        self._level_rest = self._window_rest = np.zeros(0, np.float32)

    def hear(self, sound: Sound) -> Heard:
        """Listen to a piece of sound of any length."""
        self._ask_silero(sound)
        levels = self._levels(sound)
        for level_db in levels:
            self._follow(level_db)
        begins = self._confident >= WINDOWS_TO_BEGIN and self._quiet_s == 0
        return Heard(begins, self._quiet_s, max(levels, default=-100.0))

    def _ask_silero(self, sound: Sound) -> None:
        sound = np.concatenate([self._window_rest, sound])
        whole = len(sound) // WINDOW * WINDOW
        self._window_rest = sound[whole:]
        for window in sound[:whole].reshape(-1, WINDOW):
            pcm = (np.clip(window, -1, 1) * 32767).astype(np.int16).tobytes()
            self._confidence = float(np.ravel(self._silero.voice_confidence(pcm))[0])
            self._confident = self._confident + 1 if self._confidence > BEGINS else 0

    def _levels(self, sound: Sound) -> list[float]:
        sound = np.concatenate([self._level_rest, sound])
        whole = len(sound) // PIECE * PIECE
        self._level_rest = sound[whole:]
        powers = (sound[:whole].reshape(-1, PIECE) ** 2).mean(axis=1)
        return (10 * np.log10(powers + 1e-10)).tolist()

    def _follow(self, level_db: float) -> None:
        self._quiet_db = min(level_db, self._quiet_db + RISE_DB)
        self._loud_db = max(level_db, self._loud_db - FALL_DB)
        least_db = max(self._quiet_db + ABOVE_QUIET_DB, self._loud_db - BELOW_LOUD_DB, LEAST_DB)
        if level_db > least_db and self._confidence > GOES_ON:
            self._quiet_s = 0.0
        else:
            self._quiet_s += PIECE / RATE
