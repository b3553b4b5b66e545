"""A face of few lines that speaks, so that what is seen of it can be chosen."""

from dataclasses import dataclass, replace

import numpy as np

from bots.eval.curve import HUSH, STEP_S, Curve
from bots.eval.sighting import Sighting

FPS, WIDTH, HEIGHT = 25, 160, 90
ROW, COLUMN = 55, 82


@dataclass(frozen=True)
class Scene:
    """What happens; seconds of the conversation.

    Attributes:
        speech_s: from when until when it speaks.
        sound_late_s: how much later the sound is than the mouth.
        opens: how far the mouth opens, 0 never.
        goes_on_s: for how long the mouth still moves when the voice is cut off.
    """

    speech_s: tuple[tuple[float, float], ...] = ((2.0, 6.0), (8.0, 12.0), (13.5, 16.0))
    ended_s: float = 18.5
    sound_late_s: float = 0.0
    opens: float = 6.0
    goes_on_s: float = 0.0
    first_s: float = 0.4
    interruptions_s: tuple[float, ...] = (16.0,)

    def seen(self) -> Sighting:
        """What a viewer gets of it."""
        at_s = np.arange(self.first_s, self.ended_s, 1 / FPS)
        voice_s = np.arange(0, self.ended_s, STEP_S) + STEP_S / 2
        loud = self._voice(voice_s - self.sound_late_s, 0.0)
        voice = Curve(voice_s, np.log10(loud + HUSH))
        return Sighting(
            pictures=self._pictures(at_s),
            came_s=at_s,
            belongs_s=at_s,
            sizes=[(self.first_s, (1280, 720))],
            voice=voice,
            vowels=voice.much,
            voice_belongs_s=voice_s,
            interruptions_s=list(self.interruptions_s),
            ended_s=self.ended_s,
        )

    def _voice(self, at_s: np.ndarray, longer_s: float) -> np.ndarray:
        """How loud it is, of full scale: syllables of changing strength."""
        spans = list(self.speech_s)
        spans[-1] = (spans[-1][0], spans[-1][1] + longer_s)
        speaks = np.any([(at_s >= begin) & (at_s < end) for begin, end in spans], axis=0)
        syllables = np.abs(np.sin(np.pi * 2.3 * at_s)) * (0.6 + 0.4 * np.sin(1.7 * at_s + 1))
        return 0.2 * syllables * speaks

    def _pictures(self, at_s: np.ndarray) -> np.ndarray:
        """A head that sways before a room, with noise."""
        chance = np.random.default_rng(3)
        room = chance.integers(60, 200, (HEIGHT // 6 + 1, WIDTH // 6 + 1)).repeat(6, 0).repeat(6, 1)
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        pictures = []
        for at, loud in zip(at_s, self._voice(at_s, self.goes_on_s), strict=True):
            sway = round(1.5 * np.sin(0.9 * at))
            picture = np.roll(room[:HEIGHT, :WIDTH], sway, axis=1).astype(np.float32)
            high = 0.4 + self.opens * loud / 0.2
            mouth = ((rows - ROW) / high) ** 2 + ((columns - COLUMN - sway) / 9) ** 2 < 1
            picture[mouth] = 25
            pictures.append(picture + chance.normal(0, 2, picture.shape))
        return np.stack(pictures).clip(0, 255).astype(np.uint8)


def without(seen: Sighting, start_s: float, end_s: float, every: int = 1) -> Sighting:
    """The same without the pictures of a time, or with only one of `every`."""
    number = np.arange(len(seen.came_s))
    kept = (seen.came_s < start_s) | (seen.came_s >= end_s) | ((number % every == 0) & (every > 1))
    return replace(
        seen,
        pictures=seen.pictures[kept],
        came_s=seen.came_s[kept],
        belongs_s=seen.belongs_s[kept],
    )
