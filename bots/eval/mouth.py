"""Where the mouth is in pictures of any face, and how far it is open, told from the pictures alone.

The mouth is where the picture moves while the avatar speaks, and does not while it is silent. How
far it is open is the one change of that region that goes along with the loudness of the voice where
open vowels are heard: each pixel weighs as much as it varies with it. 0 is what it is in silence, 1
what it is at its widest. Whether there is such a change at all is learned from some of the speech
and tried on the rest, so that a face that only nods, or stands still, is found out.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from bots.eval.curve import STEP_S, Curve
from bots.eval.sighting import Sighting

# What can be heard, in log10 of full scale, and for how long around a picture nothing is to be
# heard for it to be one of silence; what is counted as speech has some sound on both sides.
HEARD, SILENCE_S, SPEECH_S = -1.9, 0.3, 0.1
# So many pictures of both are needed.
LEAST_SILENCE, LEAST_SPEECH = 25, 40
# The region: the deviation that pictures of movement are smoothed with, in pixels, and how much of
# the strongest movement belongs to it.
SMOOTH, PART = 5.0, 0.5
# Speech is cut into pieces of so many pictures, dealt out to so many parts; what is learned from
# all but one part is tried on that one, and has to be so like the loudness (correlation).
PIECE, PARTS, ALIKE = 12, 4, 0.3
# Loudness is felt over so long, in seconds.
FELT_S = 0.08
# What counts as open: so much, and so many times what the region changes by in so much of the
# silence, in percent; in the rest the mouth may go on after the voice.
OPEN, ABOVE, USUAL = 0.15, 2.0, 80
# How the widest is told: the share of the pictures of speech that are less wide.
WIDEST = 90


class Untold(ValueError):
    """The mouth cannot be told from the pictures; says why."""


class Still(Untold):
    """There was enough to see and to hear, and nothing opens with the voice."""


@dataclass(frozen=True)
class Mouth:
    """A mouth that was found.

    Attributes:
        region: bool (height, width), where it is in the small pictures.
        open: how far it was open in each picture, 0 shut .. 1 wide.
        limit: what is more than that counts as open.
        alike: how like the loudness it is in pictures it was not learned from, 1 at most.
    """

    region: np.ndarray = field(repr=False)
    open: np.ndarray = field(repr=False)
    limit: float
    alike: float


class Pictures:
    """The pictures of a conversation, in which the place of the mouth is looked for once.

    Raises:
        Untold: there are too few pictures of silence or of speech.
    """

    def __init__(self, seen: Sighting) -> None:
        self._seen = seen
        _, silent, speaks = self._loudness(0.0)
        self.region = _region(seen.pictures, silent, speaks)
        self._change = seen.pictures[:, self.region].astype(np.float32)

    def mouth(self, late_s: float = 0.0) -> Mouth:
        """The mouth, when the sound is `late_s` behind the pictures.

        Raises:
            Untold: as above.
            Still: nothing opens with the voice.
        """
        loud, silent, speaks = self._loudness(late_s)
        change = self._change - np.median(self._change[silent], axis=0)
        alike = _tried(change[speaks], loud[speaks])
        if not alike > ALIKE:
            raise Still(f"nothing in the picture opens with the voice (likeness {alike:.2f})")
        told = _openness(change, loud, silent, speaks)
        usual = float(np.percentile(np.abs(told[silent]), USUAL))
        return Mouth(self.region, told, max(OPEN, ABOVE * usual), alike)

    def _loudness(self, late_s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        seen, belongs_s = self._seen, self._seen.voice_belongs_s - late_s
        silent, speaks = _silent_or_speaks(seen.belongs_s, Curve(belongs_s, seen.voice.much))
        for kind, much, least in (
            ("silence", silent, LEAST_SILENCE),
            ("speech", speaks, LEAST_SPEECH),
        ):
            if much.sum() < least:
                raise Untold(f"there are {much.sum()} pictures of {kind}, and {least} are needed")
        return np.interp(seen.belongs_s, belongs_s, felt(seen.vowels)), silent, speaks


def felt(vowels: np.ndarray) -> np.ndarray:
    """How loud they are over FELT_S around each 10 ms."""
    width = round(FELT_S / STEP_S)
    return np.convolve(vowels, np.ones(width) / width, "same")


def _silent_or_speaks(at_s: np.ndarray, heard: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Which pictures are of silence, and which of speech."""
    if len(heard.at_s) * STEP_S < 1:
        raise Untold("less than a second was heard")
    counts = np.concatenate([[0], np.cumsum(heard.much > HEARD)])

    def heard_within(seconds: float) -> np.ndarray:
        begin, end = (np.searchsorted(heard.at_s, at_s + s) for s in (-seconds, seconds))
        return counts[end] - counts[begin]

    silent = heard_within(SILENCE_S) == 0
    known = (at_s > heard.at_s[0]) & (at_s < heard.at_s[-1])
    speaks = heard_within(SPEECH_S) > SPEECH_S / STEP_S / 2
    return silent & known, speaks


def _region(pictures: np.ndarray, silent: np.ndarray, speaks: np.ndarray) -> np.ndarray:
    """Where it moves in speech more than in silence: bool (height, width), of one piece."""
    speech, silence = (_movement(pictures, mask) for mask in (speaks, silent))
    more = speech - silence
    more = cv2.GaussianBlur(more, (0, 0), SMOOTH)
    place = np.unravel_index(more.argmax(), more.shape)
    _, pieces = cv2.connectedComponents((more > PART * more[place]).astype(np.uint8))
    return pieces == pieces[place]


def _movement(pictures: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """How much each pixel changes from one picture to the next, in those of the mask."""
    numbers = np.flatnonzero(mask[1:] & mask[:-1])
    if not len(numbers):
        raise Untold("speech and silence are too short")
    whole = np.zeros(pictures.shape[1:], np.float32)
    for number in numbers:
        whole += cv2.absdiff(pictures[number + 1], pictures[number])
    return whole / len(numbers)


def _weights(change: np.ndarray, loud: np.ndarray) -> np.ndarray:
    """How much each pixel varies with the loudness."""
    return (change - change.mean(axis=0)).T @ (loud - loud.mean()) / len(loud)


def _tried(change: np.ndarray, loud: np.ndarray) -> float:
    """How like the loudness is what was learned elsewhere; both are of speech alone."""
    part = np.arange(len(loud)) // PIECE % PARTS
    told = np.zeros(len(loud))
    for tried in range(PARTS):
        learned = part != tried
        weights = _weights(change[learned], loud[learned])
        average = change[learned].mean(axis=0)
        told[~learned] = (change[~learned] - average) @ weights / max(np.linalg.norm(weights), 1e-9)
    spread = told.std() * loud.std()
    product = (told - told.mean()) @ (loud - loud.mean()) / len(told)
    return float(product / spread) if spread > 0 else 0.0


def _openness(
    change: np.ndarray, loud: np.ndarray, silent: np.ndarray, speaks: np.ndarray
) -> np.ndarray:
    known = speaks | silent
    told = change @ _weights(change[known], loud[known])
    shut, wide = np.median(told[silent]), np.percentile(told[speaks], WIDEST)
    return (told - shut) / max(wide - shut, 1e-9)
