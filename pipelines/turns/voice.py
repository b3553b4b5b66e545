"""Is somebody speaking? Level and Silero's model together, exact to 10 ms."""

import copy
import math
from collections import deque
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
# After so much quiet, what is so soft that none of its pieces can be voice is not put to Silero,
# which costs more than all else that ears do; the last of it is, before anything louder.
RESTS_AFTER_S, RESTS_BELOW_DB, WINDOWS_BEFORE = 1.0, LEAST_DB - 10, 8


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
        self._unasked: deque[Sound] = deque(maxlen=WINDOWS_BEFORE)

    def hear(self, sound: Sound) -> Heard:
        """Listen to a piece of sound of any length."""
        self._ask_silero(sound)
        levels = self._levels(sound)
        for level_db in levels:
            self._follow(level_db)
        begins = self._confident >= WINDOWS_TO_BEGIN and self._quiet_s == 0
        return Heard(begins, self._quiet_s, max(levels, default=-100.0))

    def _ask_silero(self, sound: Sound) -> None:
        whole, self._window_rest = _divided(self._window_rest, sound, WINDOW)
        for window in whole:
            if self._quiet_s > RESTS_AFTER_S and _level_db(window) < RESTS_BELOW_DB:
                self._unasked.append(window)
                self._confidence = 0.0
            else:
                while self._unasked:
                    self._ask(self._unasked.popleft())
                self._confidence = self._ask(window)
            self._confident = self._confident + 1 if self._confidence > BEGINS else 0

    def _ask(self, window: Sound) -> float:
        pcm = (np.clip(window, -1, 1) * 32767).astype(np.int16).tobytes()
        return float(np.ravel(self._silero.voice_confidence(pcm))[0])

    def _levels(self, sound: Sound) -> list[float]:
        whole, self._level_rest = _divided(self._level_rest, sound, PIECE)
        return [_level_db(piece) for piece in whole]

    def _follow(self, level_db: float) -> None:
        self._quiet_db = min(level_db, self._quiet_db + RISE_DB)
        self._loud_db = max(level_db, self._loud_db - FALL_DB)
        least_db = max(self._quiet_db + ABOVE_QUIET_DB, self._loud_db - BELOW_LOUD_DB, LEAST_DB)
        if level_db > least_db and self._confidence > GOES_ON:
            self._quiet_s = 0.0
        else:
            self._quiet_s += PIECE / RATE


def _divided(rest: Sound, sound: Sound, length: int) -> tuple[Sound, Sound]:
    """What was left over and what came as rows of a length, and what is left over now."""
    sound = np.concatenate([rest, sound]) if len(rest) else sound
    whole = len(sound) // length * length
    return sound[:whole].reshape(-1, length), sound[whole:]


def _level_db(sound: Sound) -> float:
    return 10 * math.log10(float(np.dot(sound, sound)) / len(sound) + 1e-10)
