"""Where the mouth is in pictures of any face, and how far it is open, told from the pictures alone.

The mouth is where the picture moves while the avatar speaks, and does not while it is silent. How
far it is open is the one change of that region that goes along with the voice's loudness: each
pixel weighs as much as it varies with it. 0 is what it is in silence, 1 what it is at its widest.
What the region shows is learned from one part of the conversation and tried on another, so that a
face that only nods, or stands still, is found out.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from bots.eval.curve import Curve
from bots.eval.sighting import Sighting

# What can be heard, in log10 of full scale, and for how long around a picture nothing is to be
# heard for it to be one of silence; what is counted as speech has some sound on both sides.
HEARD, SILENCE_S, SPEECH_S = -1.9, 0.3, 0.1
# So much of both is needed, in pictures.
LEAST = 25
# The region: the deviation that pictures of movement are smoothed with, of the width, and how much
# of the strongest movement belongs to it.
SMOOTH, PART = 1 / 32, 0.5
# What is learned from pieces of so many seconds is tried on those between, and has to be so like
# the loudness (correlation).
PIECE_S, ALIKE = 2.0, 0.3
# Loudness is felt over so long, in seconds.
FELT_S = 0.08
# What counts as open: so much, and so many times what the region changes by in silence.
OPEN, ABOVE = 0.1, 5.0
# How the widest is told: the share of the pictures of speech that are less wide.
WIDEST = 90


class Untold(ValueError):
    """The mouth cannot be told from the pictures; says why."""


@dataclass(frozen=True)
class Mouth:
    """A mouth that was found.

    Attributes:
        region: bool (height, WIDTH), where it is in the small pictures.
        open: how far it was open in each picture, 0 shut .. 1 wide.
        limit: what is more than that counts as open.
        alike: how like the loudness it is in pictures it was not learned from, 1 at most.
    """

    region: np.ndarray = field(repr=False)
    open: np.ndarray = field(repr=False)
    limit: float
    alike: float


def find_mouth(seen: Sighting, late_s: float = 0.0) -> Mouth:
    """The mouth of a conversation whose sound is `late_s` behind the pictures.

    Raises:
        Untold: there are too few pictures of silence or of speech, or none moves with the voice.
    """
    heard = Curve(seen.voice_belongs_s - late_s, seen.voice.much)
    loud, silent, speaks = _loudness(seen.belongs_s, heard)
    for kind, much in (("silence", silent), ("speech", speaks)):
        if much.sum() < LEAST:
            raise Untold(f"there are {much.sum()} pictures of {kind}, and {LEAST} are needed")
    pictures = seen.pictures.astype(np.float32)
    region = _region(pictures, silent, speaks)
    change = pictures[:, region]
    change -= np.median(change[silent], axis=0)
    alike = _tried(change, loud, speaks, seen.belongs_s)
    if not alike > ALIKE:
        raise Untold(f"nothing in the picture opens with the voice (likeness {alike:.2f})")
    told = _openness(change, loud, silent, speaks)
    limit = max(OPEN, ABOVE * float(told[silent].std()))
    return Mouth(region, told, limit, alike)


def _loudness(at_s: np.ndarray, heard: Curve) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How loud it is at each picture, which are of silence, and which of speech."""
    if len(heard.at_s) < 2:
        raise Untold("nothing was heard")
    step_s = 0.01
    width = round(FELT_S / step_s)
    felt = np.convolve(heard.much, np.ones(width) / width, "same")
    counts = np.concatenate([[0], np.cumsum(heard.much > HEARD)])

    def heard_within(seconds: float) -> np.ndarray:
        begin, end = (np.searchsorted(heard.at_s, at_s + s) for s in (-seconds, seconds))
        return counts[end] - counts[begin]

    silent = heard_within(SILENCE_S) == 0
    known = (at_s > heard.at_s[0]) & (at_s < heard.at_s[-1])
    speaks = heard_within(SPEECH_S) > SPEECH_S / step_s / 2
    return np.interp(at_s, heard.at_s, felt), silent & known, speaks


def _region(pictures: np.ndarray, silent: np.ndarray, speaks: np.ndarray) -> np.ndarray:
    """Where it moves in speech more than in silence: bool (height, WIDTH), of one piece."""
    moved = np.abs(np.diff(pictures, axis=0))
    both = [moved[mask[1:] & mask[:-1]] for mask in (speaks, silent)]
    if not all(map(len, both)):
        raise Untold("speech and silence are too short")
    more = both[0].mean(axis=0) - both[1].mean(axis=0)
    more = cv2.GaussianBlur(more, (0, 0), SMOOTH * pictures.shape[2])
    place = np.unravel_index(more.argmax(), more.shape)
    _, pieces = cv2.connectedComponents((more > PART * more[place]).astype(np.uint8))
    return pieces == pieces[place]


def _weights(change: np.ndarray, loud: np.ndarray) -> np.ndarray:
    """How much each pixel varies with the loudness."""
    return (change - change.mean(axis=0)).T @ (loud - loud.mean()) / len(loud)


def _tried(change: np.ndarray, loud: np.ndarray, speaks: np.ndarray, at_s: np.ndarray) -> float:
    """How like the loudness is what was learned elsewhere."""
    even = (at_s // PIECE_S).astype(int) % 2 == 0
    tried = []
    for learned in (even, ~even):
        one, other = speaks & learned, speaks & ~learned
        if min(one.sum(), other.sum()) < LEAST // 2:
            continue
        told = change[other] @ _weights(change[one], loud[one])
        if told.std() > 0:
            tried.append(float(np.corrcoef(told, loud[other])[0, 1]))
    return min(tried, default=0.0)


def _openness(
    change: np.ndarray, loud: np.ndarray, silent: np.ndarray, speaks: np.ndarray
) -> np.ndarray:
    told = change @ _weights(change[speaks], loud[speaks])
    shut, wide = np.median(told[silent]), np.percentile(told[speaks], WIDEST)
    return (told - shut) / max(wide - shut, 1e-9)
