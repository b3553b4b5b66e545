"""What a viewer has heard and seen of a conversation, as numbers and small pictures.

Times are seconds of the conversation, which begins when the viewer asks to join.
"""

from dataclasses import dataclass, field

import numpy as np

from bots.eval.curve import Curve

# A picture is kept with so many pixels, whatever its size and shape.
PIXELS = 160 * 90


@dataclass(frozen=True)
class Sighting:
    """A conversation as it was seen.

    Attributes:
        pictures: uint8 (number, height, width), the luma of each, made smaller.
        came_s: when each picture was there, as a viewer saw them.
        belongs_s: when each picture belongs by the clock that its sender gives to sound, too; when
            it came, where the sender does not tell.
        sizes: width and height as sent, in pixels, and since when.
        voice: how loud it was as heard, in log10 of full scale, for every 10 ms.
        vowels: how loud it was in these 10 ms where an open mouth is heard, in the same way.
        voice_belongs_s: when each 10 ms belong, by the sender's clock.
        interruptions_s: when the avatar was told to be silent while it spoke.
        ended_s: when the viewer left, or had looked for long enough.
    """

    pictures: np.ndarray = field(repr=False)
    came_s: np.ndarray = field(repr=False)
    belongs_s: np.ndarray = field(repr=False)
    sizes: list[tuple[float, tuple[int, int]]]
    voice: Curve = field(repr=False)
    vowels: np.ndarray = field(repr=False)
    voice_belongs_s: np.ndarray = field(repr=False)
    interruptions_s: list[float]
    ended_s: float
