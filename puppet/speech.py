"""Speech waiting to be played: utterances cut into frames of 40 ms."""

from dataclasses import dataclass, field
from typing import NamedTuple

from puppet.lips import LOOK_AHEAD, SAMPLE_RATE, LipReader

SAMPLES_PER_FRAME = 960
BYTES_PER_SAMPLE = 2
FRAME_BYTES = SAMPLES_PER_FRAME * BYTES_PER_SAMPLE
START_BYTES = 3 * FRAME_BYTES
HEAR_BYTES = LOOK_AHEAD * BYTES_PER_SAMPLE


class Cue(NamedTuple):
    """One frame to show: its audio, and what the lips need to hear for it."""

    number: int
    audio: bytes
    heard: bytes
    lips: LipReader


@dataclass
class Speech:
    """Audio of one utterance, s16le mono 24 kHz, from the next frame on."""

    pcm: bytearray = field(default_factory=bytearray)
    ended: bool = False
    started: bool = False
    lips: LipReader = field(default_factory=LipReader)
    _flowing: bool = False
    _number: int = 0
    _heard: int = 0

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
        heard = self._hear()
        audio = bytes(self.pcm[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
        del self.pcm[:FRAME_BYTES]
        self._heard -= FRAME_BYTES
        self._number += 1
        return Cue(self._number - 1, audio, heard, self.lips)

    def _hear(self) -> bytes:
        """The audio up to the end of the look-ahead; silence follows an utterance."""
        end = HEAR_BYTES if self.ended else min(HEAR_BYTES, len(self.pcm) & ~1)
        heard = bytes(self.pcm[self._heard : end])
        if self.ended:
            heard = heard.ljust(end - self._heard, b"\0")
        self._heard = max(self._heard, end)
        return heard
