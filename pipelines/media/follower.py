"""How far a face has come in the voice it was given, told from the sound it gives back.

The face delays the voice by a time that is not known, and that grows at every pause. So the pauses
in both are matched: what follows a pause begins when the face is loud again.
"""

from collections import deque

import numpy as np
from pipecat.frames.frames import AudioRawFrame

# s16le peak under which a piece of sound is silence.
LOUD = 500
PIECE_S = 0.02
# A shorter silence in the voice is part of a word, or too short to be told from one in the face.
SHORTEST_PAUSE_S = 0.16
# The face may stop for long in a silence as short as this; a shorter one is none.
SHORTEST_SILENCE_S = 0.04
# The face is said to pause after this much silence; it may have been shortened on its way.
SURE_PAUSE_S = 0.1


class Follower:
    """Follows one face. Positions are seconds of the voice given so far."""

    def __init__(self) -> None:
        self._given_s = self._at_s = 0.0
        # Where a pause of the voice begins and ends, of those that are not behind.
        self._pauses: deque[tuple[float, float]] = deque()
        # Where the voice is loud again after a silence of any kind, of those that are not behind.
        self._onsets: deque[float] = deque()
        # How long voice and face have been silent until now.
        self._quiet_s = self._face_quiet_s = SHORTEST_PAUSE_S

    def give(self, voice: AudioRawFrame) -> None:
        """The face was given more voice: s16le mono of any rate."""
        samples = np.frombuffer(voice.audio, np.int16)
        size = round(PIECE_S * voice.sample_rate)
        for start in range(0, len(samples), size):
            self._give(samples[start : start + size], voice.sample_rate)

    def _give(self, piece: np.ndarray, rate: int) -> None:
        if _is_loud(piece):
            if self._quiet_s >= SHORTEST_PAUSE_S:
                self._pauses.append((self._given_s - self._quiet_s, self._given_s))
            if self._quiet_s >= SHORTEST_SILENCE_S:
                self._onsets.append(self._given_s)
            self._quiet_s = 0.0
        else:
            self._quiet_s += len(piece) / rate
        self._given_s += len(piece) / rate

    def hear(self, sound: AudioRawFrame) -> float:
        """The face gave a piece of sound back; the position it has come to."""
        duration_s = sound.num_frames / sound.sample_rate
        if _is_loud(np.frombuffer(sound.audio, np.int16)):
            self._go_on(duration_s)
            self._face_quiet_s = 0.0
        else:
            self._face_quiet_s += duration_s
            end_s = self._onsets[0] if self._onsets else self._given_s
            self._at_s = min(self._at_s + duration_s, end_s)
        while self._onsets and self._onsets[0] < self._at_s:
            self._onsets.popleft()
        return self._at_s

    def _go_on(self, duration_s: float) -> None:
        paused = self._face_quiet_s >= SURE_PAUSE_S
        if paused and self._pauses and self._at_s >= self._pauses[0][0] - SHORTEST_PAUSE_S:
            self._at_s = self._pauses.popleft()[1]
        self._at_s = min(self._at_s + duration_s, self._given_s)
        while self._pauses and self._pauses[0][1] + SHORTEST_PAUSE_S < self._at_s:
            self._pauses.popleft()

    def interrupt(self) -> None:
        """The face says no more of what it was given."""
        self._at_s = self._given_s
        self._pauses.clear()
        self._onsets.clear()
        self._quiet_s = SHORTEST_PAUSE_S


def _is_loud(samples: np.ndarray) -> bool:
    return bool(len(samples)) and int(np.abs(samples.astype(np.int32)).max()) > LOUD
