"""Where the mouth is in pictures of any face, and how far it is open, told from the pictures alone.

The mouth is where the picture moves while the avatar speaks, and does not while it is silent. How
far it is open is the one change of that region that goes along with the loudness of the voice where
open vowels are heard, and with nothing else that happens there while it speaks, as nods and smiles
(ridge regression on the main changes). 0 is what it is in silence, 1 what it is at its widest.
Whether there is such a change at all is learned from some of the speech and tried on the rest, so
that a face that only nods, or stands still, is found out.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from bots.eval.curve import STEP_S, Curve
from bots.eval.sighting import Sighting

# What can be heard, in log10 of full scale, and for how long around a picture nothing is to be
# heard for it to be one of silence; what is counted as speech has some sound on both sides.
HEARD, SILENCE_S, SPEECH_S = -1.9, 0.3, 0.1
# So many pictures of both are needed, and so many a second.
LEAST_SILENCE, LEAST_SPEECH, LEAST_RATE = 25, 40, 8
# The region: the deviation that pictures of movement are smoothed with, in pixels, and how much of
# the strongest movement belongs to it.
SMOOTH, PART = 5.0, 0.5
# Speech is cut into pieces of so many pictures, dealt out to so many parts; what is learned from
# all but one part is tried on that one, and has to be so like the loudness (correlation).
PIECE, PARTS, ALIKE = 12, 4, 0.3
# So many ways in which the region changes are looked at, the weakest of which count little: this
# part of the strongest one's variance is added to each.
CHANGES, RIDGE = 16, 0.1
# Loudness is felt over so long, in seconds.
FELT_S = 0.08
# What counts as open: so much, and so many times what the region changes by in so much of the
# silence, in percent; in the rest the mouth may go on after the voice.
OPEN, ABOVE, USUAL = 0.2, 2.0, 80
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
        rate = _rate(seen.belongs_s)
        if rate < LEAST_RATE:
            raise Untold(f"{rate:.1f} pictures a second are too few to follow a mouth")
        _, silent, speaks = self._loudness(0.0)
        self.region = _region(seen.pictures, silent, speaks)
        region = seen.pictures[:, self.region].astype(np.float32)
        self._changes, self._most = _main_changes(region, silent | speaks)

    def mouth(self, late_s: float = 0.0) -> Mouth:
        """The mouth, when the sound is `late_s` behind the pictures.

        Raises:
            Untold: as above.
            Still: nothing opens with the voice.
        """
        loud, silent, speaks = self._loudness(late_s)
        alike = self._tried(self._changes[speaks], loud[speaks])
        if not alike > ALIKE:
            raise Still(f"nothing in the picture opens with the voice (likeness {alike:.2f})")
        told = self._changes @ self._weights(self._changes[speaks], loud[speaks])
        shut, wide = np.median(told[silent]), np.percentile(told[speaks], WIDEST)
        told = (told - shut) / max(wide - shut, 1e-9)
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

    def _weights(self, changes: np.ndarray, loud: np.ndarray) -> np.ndarray:
        """How much each change goes along with the loudness."""
        changes = changes - changes.mean(axis=0)
        both = changes.T @ (loud - loud.mean()) / len(loud)
        each = changes.T @ changes / len(loud)
        return np.linalg.solve(each + RIDGE * self._most * np.eye(len(each)), both)

    def _tried(self, changes: np.ndarray, loud: np.ndarray) -> float:
        """How like the loudness is what was learned elsewhere; both are of speech alone."""
        part = np.arange(len(loud)) // PIECE % PARTS
        told = np.zeros(len(loud))
        for tried in range(PARTS):
            learned = part != tried
            weights = self._weights(changes[learned], loud[learned])
            told[~learned] = (changes[~learned] - changes[learned].mean(axis=0)) @ weights
        spread = told.std() * loud.std()
        product = (told - told.mean()) @ (loud - loud.mean()) / len(told)
        return float(product / spread) if spread > 0 else 0.0


def _rate(at_s: np.ndarray) -> float:
    """Pictures a second."""
    return (len(at_s) - 1) / float(np.ptp(at_s)) if len(at_s) > 1 else 0.0


def _main_changes(region: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, float]:
    """The main ways in which the region changes, (number, CHANGES), and the variance of the first.

    `region` is (number, pixels).
    """
    average = region[known].mean(axis=0)
    apart = region[known] - average
    variances, ways = np.linalg.eigh(apart.T @ apart / len(apart))
    return (region - average) @ ways[:, -CHANGES:], max(float(variances[-1]), 1e-9)


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
