"""Speech waiting to be played: utterances cut into frames of 40 ms."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from puppet.articulation import Articulation, Shape
from puppet.lips import LOOK_AHEAD, SAMPLE_RATE, LipReader, Lips
from puppet.phones import Phone

SAMPLES_PER_FRAME = 960
BYTES_PER_SAMPLE = 2
FRAME_BYTES = SAMPLES_PER_FRAME * BYTES_PER_SAMPLE
FRAME_S = SAMPLES_PER_FRAME / SAMPLE_RATE
START_BYTES = 3 * FRAME_BYTES
HEAR_BYTES = LOOK_AHEAD * BYTES_PER_SAMPLE
# s16le peak under which a frame is silent: no mouth is open in it, whatever is told, but for so
# many frames after sound and before it, and so far.
SILENT = 500
AFTER, BEFORE = (1.0, 0.7, 0.35, 0.1), (1.0, 0.7, 0.3, 0.1)


class Cue(NamedTuple):
    """One frame to show: its audio, and the mouth, or what to hear to find it."""

    audio: bytes
    shape: Shape | None
    number: int
    heard: bytes
    reader: LipReader

    def lips(self) -> Shape | Lips:
        """The mouth of the frame; to hear it takes a moment."""
        if self.shape:
            return self.shape
        self.reader.hear(self.heard)
        return self.reader.at(self.number)


@dataclass
class Speech:
    """Audio of one utterance, s16le mono 24 kHz, from the next frame on.

    Where it is known what is articulated the mouth follows that, elsewhere what is heard.
    """

    pcm: bytearray = field(default_factory=bytearray)
    ended: bool = False
    started: bool = False
    _articulation: Articulation = field(default_factory=Articulation)
    _reader: LipReader = field(default_factory=LipReader)
    # Frames since sound was heard.
    _quiet: int = len(AFTER)
    _flowing: bool = False
    _number: int = 0
    # The frame that the reader began with, and how much it has heard of the next one and on.
    _first: int = 0
    _heard: int = 0

    def articulate(self, phones: Sequence[Phone]) -> None:
        """What is articulated, in seconds from the end of the audio so far."""
        given_s = self._number * FRAME_S + self.buffered_s
        self._articulation.add(phones, given_s)

    @property
    def finished(self) -> bool:
        """Whether everything was handed out."""
        return self.ended and not self.pcm

    @property
    def buffered_s(self) -> float:
        """Seconds of audio not handed out."""
        return len(self.pcm) / BYTES_PER_SAMPLE / SAMPLE_RATE

    def next_cue(self) -> Cue | None:
        """The next frame, or None while too little audio has come.

        Playing starts, and starts again after a gap, with 120 ms in hand: the lips look ahead.
        """
        needed = 1 if self.ended else FRAME_BYTES if self._flowing else START_BYTES
        self._flowing = len(self.pcm) >= needed
        if not self._flowing:
            return None
        self.started = True
        shape = self._articulation.at((self._number + 0.5) * FRAME_S)
        shape = shape and shape.opened(self._near_sound())
        heard = b"" if shape else self._hear()
        audio = bytes(self.pcm[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
        del self.pcm[:FRAME_BYTES]
        self._number += 1
        if shape:
            self._reader, self._first, self._heard = LipReader(), self._number, 0
        else:
            self._heard -= FRAME_BYTES
        return Cue(audio, shape, self._number - 1 - self._first, heard, self._reader)

    def _near_sound(self) -> float:
        """How far a mouth may be open in the next frame: 1 in sound, and less the farther it is."""
        self._quiet = 0 if self._is_loud(0) else self._quiet + 1
        before = (far for ahead, far in enumerate(BEFORE) if self._is_loud(ahead))
        return max(AFTER[self._quiet] if self._quiet < len(AFTER) else 0.0, next(before, 0.0))

    def _is_loud(self, ahead: int) -> bool:
        at, whole = ahead * FRAME_BYTES, len(self.pcm) & ~1
        samples = np.frombuffer(bytes(self.pcm[at : min(at + FRAME_BYTES, whole)]), "<i2")
        return bool(len(samples)) and (samples.max() > SILENT or samples.min() < -SILENT)

    def _hear(self) -> bytes:
        """The audio up to the end of the look-ahead; silence follows an utterance."""
        end = HEAR_BYTES if self.ended else min(HEAR_BYTES, len(self.pcm) & ~1)
        heard = bytes(self.pcm[self._heard : end])
        if self.ended:
            heard = heard.ljust(end - self._heard, b"\0")
        self._heard = max(self._heard, end)
        return heard
