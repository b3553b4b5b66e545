"""By how much a voice is heard after the mouth that says it is seen, told from sound and pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from puppet import FPS, SAMPLE_RATE, Phone, Player, load_pack
from tests.talk.mouth import gauge

STEP_S = 0.01
FARTHEST_S = 1.0
# Of what is drawn together.
DRAWN_FARTHEST_S = 0.3
# Added to a loudness, of full scale, so that silence has one.
HUSH = 1e-3


class TooShort(ValueError):
    """There is not enough of mouth and voice to be compared."""


@dataclass(frozen=True)
class Curve:
    """Something that changes: when, in seconds, and how much there was of it."""

    at_s: np.ndarray
    much: np.ndarray

    def between(self, start_s: float, end_s: float) -> "Curve":
        """A part of it."""
        kept = (self.at_s >= start_s) & (self.at_s < end_s)
        return Curve(self.at_s[kept], self.much[kept])


def loudness(samples: np.ndarray, rate: int) -> Curve:
    """How loud each 10 ms of a mono sound (int16) are, as ears feel it."""
    size = round(STEP_S * rate)
    pieces = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64) / 32768
    much = np.log10(np.sqrt((pieces**2).mean(axis=1)) + HUSH)
    return Curve((np.arange(len(much)) + 0.5) * STEP_S, much)


def lag_s(seen: Curve, heard: Curve, farthest_s: float = FARTHEST_S) -> float:
    """How much later `heard` is than `seen`, in seconds of the clock that both are of.

    Raises:
        TooShort: they have less than four times `farthest_s` in common.
    """
    if not len(seen.at_s) or not len(heard.at_s):
        raise TooShort("there is nothing to compare")
    start_s, end_s = max(seen.at_s[0], heard.at_s[0]), min(seen.at_s[-1], heard.at_s[-1])
    grid = np.arange(start_s, end_s, STEP_S)
    one, other = (np.interp(grid, curve.at_s, curve.much) for curve in (seen, heard))
    far = round(farthest_s / STEP_S)
    if len(grid) < 4 * far:
        raise TooShort(f"{len(grid) * STEP_S:.1f} s are too short to compare")
    middle = one[far:-far]
    alike = [
        float(np.corrcoef(middle, other[far + lag : far + lag + len(middle)])[0, 1])
        for lag in range(-far, far + 1)
    ]
    return (_peak(alike) - far) * STEP_S


def _peak(values: list[float]) -> float:
    """Where the highest value is, between the samples, too."""
    at = int(np.argmax(values))
    if not 0 < at < len(values) - 1:
        return at
    before, top, after = values[at - 1 : at + 2]
    return at + (before - after) / (2 * (before - 2 * top + after))


def drawn_lag_s(
    pack_name: str, size: tuple[int, int], pcm: bytes, told: Sequence[Phone] = ()
) -> float:
    """The same for pictures and sound as they are drawn, which is in step; s16le mono 24 kHz.

    The mouth goes by what is told of the sound, if anything is.

    It is not quite zero: a mouth opens for a sound, and stays open after it.
    """
    player = Player(load_pack(pack_name), size, seed=3)
    player.articulate(told)
    player.speak(pcm)
    player.end()
    mouths = gauge(pack_name, size)
    frames = []
    while player.speaking:
        frames.append(mouths.openness(player.tick().image[: size[1]]))
    seen = Curve(np.arange(len(frames)) / FPS, np.array(frames))
    return lag_s(seen, loudness(np.frombuffer(pcm, np.int16), SAMPLE_RATE), DRAWN_FARTHEST_S)
