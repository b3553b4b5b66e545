"""By how much a voice is heard after the mouth that says it is seen, told from sound and pixels."""

from collections.abc import Sequence

import numpy as np

from bots.eval.curve import Curve, TooShort, lag_s, loudness
from puppet import FPS, SAMPLE_RATE, Phone, Player, load_pack
from tests.talk.mouth import gauge

__all__ = ["Curve", "TooShort", "drawn_lag_s", "lag_s", "loudness"]

# Of what is drawn together.
DRAWN_FARTHEST_S = 0.3


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
