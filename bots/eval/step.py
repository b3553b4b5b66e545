"""How far sound and mouth are apart, and how sure that is."""

from dataclasses import dataclass

import numpy as np

from bots.eval.curve import STEP_S, Curve, peak
from bots.eval.mouth import HEARD, Mouth, Pictures, Still, Untold, felt
from bots.eval.sighting import Sighting

# They are compared up to so far apart.
FARTHEST_S = 0.5
# Where the mouth is first looked for.
ROUGHLY_S = (0.0, -0.4, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.4)
# Pieces of the conversation, each of which is left out once to see what hangs on it, in seconds.
PIECE_S = 2.0
# So much speech is needed.
LEAST_S = 3.0
# The mouth is looked for again where the sound is found, until it stays there: so often at most.
ROUNDS, STAYS_S = 3, 0.02


@dataclass(frozen=True)
class Step:
    """Sound against mouth.

    Attributes:
        behind_s: how much later the sound is than the mouth.
        unsure_s: the standard error of that.
        speech_s: how much speech it rests on.
        mouth: what it was told by.
    """

    behind_s: float
    unsure_s: float
    speech_s: float
    mouth: Mouth


def in_step(seen: Sighting) -> Step:
    """Compare them over all that was said.

    Raises:
        Untold: there is too little speech, or no mouth.
    """
    pictures = Pictures(seen)
    mouth, behind_s = _first(pictures)
    sums, speech_s = _products(seen, mouth)
    for _ in range(ROUNDS):
        again_s = _peak_s(sums.sum(axis=0))
        stays, behind_s = abs(again_s - behind_s) < STAYS_S, again_s
        if stays:
            break
        mouth = pictures.mouth(behind_s)
        sums, speech_s = _products(seen, mouth)
    left_out = [_peak_s(sums.sum(axis=0) - piece) for piece in sums]
    unsure_s = np.std(left_out) * np.sqrt(max(len(left_out) - 1, 1))
    return Step(behind_s, float(unsure_s), speech_s, mouth)


def _first(pictures: Pictures) -> tuple[Mouth, float]:
    """The lag at which the mouth goes along with the voice best, roughly."""
    found: list[tuple[float, float, Mouth]] = []
    why: Untold | None = None
    for late_s in ROUGHLY_S:
        try:
            mouth = pictures.mouth(late_s)
        except Untold as error:
            why = error if late_s == 0 or why is None else why
        else:
            found.append((mouth.alike, late_s, mouth))
    if not found:
        raise why or Still("nothing in the picture opens with the voice")
    _, late_s, mouth = max(found, key=lambda each: each[0])
    return mouth, late_s


def _products(seen: Sighting, mouth: Mouth) -> tuple[np.ndarray, float]:
    """For each piece of the conversation how alike they are at each lag: (pieces, lags)."""
    heard = Curve(seen.voice_belongs_s, seen.voice.much)
    far = round(FARTHEST_S / STEP_S)
    start_s = max(seen.belongs_s[0], heard.at_s[0] + FARTHEST_S)
    end_s = min(seen.belongs_s[-1], heard.at_s[-1] - FARTHEST_S)
    grid = np.arange(start_s, end_s, STEP_S)
    wide = start_s + STEP_S * (np.arange(len(grid) + 2 * far) - far)
    loud = np.interp(wide, heard.at_s, felt(seen.vowels))
    opened = np.interp(grid, seen.belongs_s, mouth.open)
    speech = _near_speech(np.interp(grid, heard.at_s, heard.much) > HEARD)
    if speech.sum() * STEP_S < LEAST_S:
        raise Untold(f"{speech.sum() * STEP_S:.1f} s of speech are too short to compare")
    opened = (opened - opened[speech].mean()) * speech
    loud = loud - loud[far:-far][speech].mean()
    size = round(PIECE_S / STEP_S)
    starts = [at for at in range(0, len(grid) - size, size) if speech[at : at + size].any()]
    if not starts:
        raise Untold("the speech is too short to compare")
    windows = np.lib.stride_tricks.sliding_window_view(loud, size)
    lags = np.arange(2 * far + 1)
    sums = [windows[at + lags] @ opened[at : at + size] for at in starts]
    return np.array(sums), float(speech.sum() * STEP_S)


def _near_speech(loud: np.ndarray) -> np.ndarray:
    """What is within half a second of something loud."""
    width = round(2 * FARTHEST_S / STEP_S)
    return np.convolve(loud, np.ones(width), "same") > 0.5


def _peak_s(alike: np.ndarray) -> float:
    """The lag of the highest value, in seconds."""
    return (peak(alike) - len(alike) // 2) * STEP_S
