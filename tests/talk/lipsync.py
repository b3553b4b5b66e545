"""By how much a voice is heard after the mouth that says it is seen, told from sound and pixels."""

from collections.abc import Sequence

import numpy as np

from bots.eval.curve import STEP_S, Curve, loudness, peak
from puppet import FPS, SAMPLE_RATE, Phone, Player, load_pack
from tests.talk.mouth import gauge

FARTHEST_S = 1.0
# Of what is drawn together.
DRAWN_FARTHEST_S = 0.3


class TooShort(ValueError):
    """There is not enough of mouth and voice to be compared."""


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
    return (peak(alike) - far) * STEP_S


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
