"""How far a face has come in the voice it was given, told from the sound it gives back.

The face delays the voice by a time that is not known, and that grows at every pause. So the pauses
in both are matched: what follows a pause begins when the face is loud again. On its way the voice
is stretched where the network or the face's machine falters, so shorter silences are matched, too.
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
# A silence this long is looked for in the voice, so near; there it is as long, more or less.
MATCHED_SILENCE_S, NEAR_S = 0.08, 0.3
STRETCH = 2.0


class Follower:
    """Follows one face. Positions are seconds of the voice given so far."""

    def __init__(self) -> None:
        self._given_s = self._at_s = 0.0
        # Where a pause of the voice begins and ends, of those that are not behind.
        self._pauses: deque[tuple[float, float]] = deque()
        # Where the voice is loud again, and after how long a silence of any kind, of those that are
        # not far behind.
        self._onsets: deque[tuple[float, float]] = deque()
        # How long voice and face have been silent until now, and from which position on the face.
        self._quiet_s = self._face_quiet_s = SHORTEST_PAUSE_S
        self._quiet_from_s = 0.0

    def give(self, voice: AudioRawFrame) -> None:
        """The face was given more voice: s16le mono of any rate."""
        samples = np.frombuffer(voice.audio, np.int16)
        size = round(PIECE_S * voice.sample_rate)
        for start in range(0, len(samples), size):
            self._give(samples[start : start + size], voice.sample_rate)

    def _give(self, piece: np.ndarray, rate: int) -> None:
        if is_loud(piece):
            if self._quiet_s >= SHORTEST_PAUSE_S:
                self._pauses.append((self._given_s - self._quiet_s, self._given_s))
            if self._quiet_s >= SHORTEST_SILENCE_S:
                self._onsets.append((self._given_s, self._quiet_s))
            self._quiet_s = 0.0
        else:
            self._quiet_s += len(piece) / rate
        self._given_s += len(piece) / rate

    def hear(self, sound: AudioRawFrame) -> float:
        """The face gave a piece of sound back; the position it has come to."""
        duration_s = sound.num_frames / sound.sample_rate
        if is_loud(np.frombuffer(sound.audio, np.int16)):
            self._go_on(duration_s)
            self._face_quiet_s, self._quiet_from_s = 0.0, self._at_s
        else:
            self._face_quiet_s += duration_s
            ahead = (onset_s for onset_s, _ in self._onsets if onset_s >= self._at_s)
            self._at_s = min(self._at_s + duration_s, next(ahead, self._given_s))
        while self._onsets and self._onsets[0][0] < self._quiet_from_s - NEAR_S:
            self._onsets.popleft()
        return self._at_s

    def _go_on(self, duration_s: float) -> None:
        paused = self._face_quiet_s >= SURE_PAUSE_S
        if paused and self._pauses and self._at_s >= self._pauses[0][0] - SHORTEST_PAUSE_S:
            self._at_s = self._pauses.popleft()[1]
        elif self._face_quiet_s >= MATCHED_SILENCE_S:
            self._at_s = min(self._alike(), default=(0.0, self._at_s))[1]
        self._at_s = min(self._at_s + duration_s, self._given_s)
        while self._pauses and self._pauses[0][1] + NEAR_S < self._at_s:
            self._pauses.popleft()

    def _alike(self) -> list[tuple[float, float]]:
        """Where the voice is loud again after a silence like the face's, which began nearby.

        With the distance between where the two began: how long the face's was says little, for
        what is late on its way is silence, too.
        """
        quiet_s = self._face_quiet_s
        began = (
            (abs(at_s - silence_s - self._quiet_from_s), at_s)
            for at_s, silence_s in self._onsets
            if quiet_s / STRETCH <= silence_s <= quiet_s * STRETCH
        )
        return [each for each in began if each[0] < NEAR_S]

    def interrupt(self) -> None:
        """The face says no more of what it was given."""
        self._at_s = self._quiet_from_s = self._given_s
        self._pauses.clear()
        self._onsets.clear()
        self._quiet_s = SHORTEST_PAUSE_S


def is_loud(samples: np.ndarray) -> bool:
    return bool(len(samples)) and int(np.abs(samples.astype(np.int32)).max()) > LOUD
