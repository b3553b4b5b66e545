"""How far a face has come in the voice it was given, told from the sound it gives back.

The face delays the voice by a time that is not known and that changes: it pauses longer than the
voice does, it stalls within words, the network loses pieces and stretches others. So both are cut
into pieces of 20 ms, and the cheapest way of finding what is heard in what was given is kept up to
date with each (dynamic time warping as it goes on, Dixon 2005, with pauses of any length). What is
heard during a stall or after it is known by its spectrum, not by how long it was waited for.
"""

import numpy as np
from pipecat.frames.frames import AudioRawFrame

# s16le peak under which a piece of sound is silence, and over which one must be heard as sound.
LOUD, SURELY_LOUD = 500, 1500
PIECE_S = 0.02
# Every 50 Hz, which is what a piece can tell apart: from 100 Hz to 4 kHz.
BINS = slice(2, 81)
# The voice: its silences, as long as they are, are one unit each, of level 0, and every other piece
# is one. `cost` is that of the cheapest way of having come to it just now.
UNIT = np.dtype(
    [
        ("start_s", "f8"),
        ("end_s", "f8"),
        ("level", "f8"),
        ("cost", "f8"),
        ("spectrum", "f4", BINS.stop - BINS.start),
    ]
)
# What is paid for a piece that is heard: with quite another spectrum; for a unit heard once more;
# for each unit that is left out, of which there are so many at most; for sound in a silence.
UNLIKE, REPEATED, LEFT_OUT, FURTHEST, NOISE = 4.0, 0.5, 0.6, 5, 1.6
# For silence where there is sound: this much a piece, so often at most, since long stalls are as
# likely as short ones; a little more where the face is said to wait rather than to lose the sound.
SILENCED, SILENCED_PIECES, WAITED = 1.0, 6, 0.05
# Dearer ways than the cheapest are forgotten.
FORGOTTEN = 60.0
# The face has come to a silence when it is silent so few pieces before it.
NEAR_PIECES = 4
LONGEST = 4096


class Follower:
    """Follows one face. Positions are seconds of the voice given so far."""

    def __init__(self) -> None:
        self._given_s = self._at_s = 0.0
        self._voice, self._sound = _Pieces(), _Pieces()
        self._units = np.zeros(LONGEST, UNIT)
        self._begin()

    def _begin(self) -> None:
        """Wait in silence at the end of what was given."""
        self._units[0] = (self._given_s, self._given_s, 0.0, 0.0, 0.0)
        self._count = 1
        # The unit that was heard last, and how many pieces of silence since.
        self._last = self._quiet = 0

    def give(self, voice: AudioRawFrame) -> None:
        """The face was given more voice: s16le mono of any rate."""
        for piece in self._voice.cut(voice):
            self._append(piece)
        self._given_s += voice.num_frames / voice.sample_rate

    def _append(self, piece: np.ndarray) -> None:
        level, before = _level(piece), self._units[self._count - 1]
        if not level and not before["level"]:
            before["end_s"] += PIECE_S
            return
        if self._count == len(self._units):
            self._make_room()
        end_s = self._units[self._count - 1]["end_s"]
        self._units[self._count] = (end_s, end_s + PIECE_S, level, np.inf, _spectrum(piece))
        self._count += 1

    def _make_room(self) -> None:
        """Forget what is behind; what is given and not heard for longer needs more room."""
        behind = min(self._last, int(np.argmax(np.isfinite(self._units["cost"]))))
        if behind < len(self._units) // 4:
            self._units = np.concatenate([self._units, np.zeros_like(self._units)])
            return
        kept = self._units[behind : self._count].copy()
        self._units[: len(kept)] = kept
        self._count, self._last = len(kept), self._last - behind

    def hear(self, sound: AudioRawFrame) -> float:
        """The face gave a piece of sound back; the position it has come to."""
        for piece in self._sound.cut(sound):
            self._compare(piece)
        return self._at_s

    @property
    def owed_s(self) -> float:
        """How much of the voice was given and not heard, without its silences."""
        left = self._units["level"][self._last + 1 : self._count]
        return PIECE_S * int(np.count_nonzero(left))

    def _compare(self, piece: np.ndarray) -> None:
        level = _level(piece)
        self._quiet = 0 if level else self._quiet + 1
        costs = self._units["cost"][: self._count]
        known = np.flatnonzero(costs < costs.min() + FORGOTTEN)
        low, high = known[0], min(known[-1] + FURTHEST + 1, self._count)
        near = self._units[low:high]
        paid = self._sounded(near, piece, level) if level else self._silenced(near)
        costs[:low] = np.inf
        near["cost"] = paid - paid.min()
        if level:
            self._last = int(low + paid.argmin())
            unit = self._units[self._last]
            within_s = min(max(self._at_s, unit["start_s"]), unit["end_s"])
            self._at_s = float(unit["end_s"] if unit["level"] else within_s)
        else:
            self._pause()

    def _sounded(self, near: np.ndarray, piece: np.ndarray, level: float) -> np.ndarray:
        """What is paid for having come to each unit with a piece of sound."""
        costs, loud = near["cost"], near["level"] > 0
        paid = costs + np.where(loud, REPEATED, 0.0)
        for step in range(1, min(FURTHEST + 1, len(near))):
            paid[step:] = np.minimum(paid[step:], costs[:-step] + LEFT_OUT * (step - 1))
        unlike = UNLIKE * (1 - near["spectrum"] @ _spectrum(piece))
        return paid + np.where(loud, unlike, NOISE * level)

    def _silenced(self, near: np.ndarray) -> np.ndarray:
        """What is paid for having come to each unit with a piece of silence."""
        costs, levels = near["cost"], near["level"]
        goes_on = self._quiet <= SILENCED_PIECES
        paid = costs + np.where(levels > 0, SILENCED * levels + WAITED, 0.0) * goes_on
        lost = np.where(levels > 0, SILENCED * levels if goes_on else np.inf, 0.0)
        paid[1:] = np.minimum(paid[1:], costs[:-1] + lost[1:])
        silence = np.where(levels > 0, np.inf, 0.0)
        for step in range(2, min(FURTHEST + 1, len(near))):
            left_out = costs[:-step] + LEFT_OUT * (step - 1) + silence[step:]
            paid[step:] = np.minimum(paid[step:], left_out)
        return paid

    def _pause(self) -> None:
        """The face is silent: it goes on through a silence of the voice, and waits within words."""
        ahead = self._units[self._last : min(self._last + NEAR_PIECES + 1, self._count)]
        silences = np.flatnonzero(ahead["level"] == 0)
        if len(silences):
            silence = ahead[silences[0]]
            is_end = self._last + silences[0] == self._count - 1
            start_s, end_s = silence["start_s"], self._given_s if is_end else silence["end_s"]
        elif self._last + NEAR_PIECES >= self._count - 1:
            start_s, end_s = ahead[-1]["end_s"], self._given_s
        else:
            return
        self._at_s = float(min(max(self._at_s, start_s) + PIECE_S, end_s))

    def interrupt(self) -> None:
        """The face says no more of what it was given."""
        self._at_s = self._given_s
        self._voice = _Pieces()
        self._begin()


class _Pieces:
    """Cuts sound of any rate into pieces of the same length."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.int16)
        self._rate = 0

    def cut(self, sound: AudioRawFrame) -> list[np.ndarray]:
        """The pieces that are whole with this one: s16le mono each."""
        if sound.sample_rate != self._rate:
            self._rest, self._rate = self._rest[:0], sound.sample_rate
        samples = np.concatenate([self._rest, np.frombuffer(sound.audio, np.int16)])
        size = round(PIECE_S * self._rate)
        whole = len(samples) // size * size
        self._rest = samples[whole:]
        return list(samples[:whole].reshape(-1, size))


def _level(piece: np.ndarray) -> float:
    """How surely a piece is sound: 0 where it is silence, to 1."""
    peak = _peak(piece)
    return min(1.0, max(0.2, (peak - LOUD) / (SURELY_LOUD - LOUD))) if peak > LOUD else 0.0


def _spectrum(piece: np.ndarray) -> np.ndarray:
    """What tells a piece from others, whatever its rate and loudness: of length 1."""
    size = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))[BINS]) ** 0.5
    size = np.pad(size, (0, BINS.stop - BINS.start - len(size)))
    return (size / max(float(np.linalg.norm(size)), 1e-9)).astype(np.float32)


def _peak(samples: np.ndarray) -> int:
    return int(np.abs(samples.astype(np.int32)).max(initial=0))


def is_loud(samples: np.ndarray) -> bool:
    """Whether a piece of sound is no silence."""
    return _peak(samples) > LOUD
