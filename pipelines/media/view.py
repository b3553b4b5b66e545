"""What a viewer sees of the picture: how large, and whether at all."""

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from av import VideoFrame
from pipecat.frames.frames import SystemFrame

# Few, since each change brings a whole picture.
STEPS = (Fraction(1), Fraction(3, 4), Fraction(1, 2), Fraction(1, 3))
# A picture may be enlarged by so much, which nobody sees.
ENLARGED = 1.1
# A picture that nobody sees is shown once in so many seconds, so that it is not taken for lost.
UNSEEN_S = 1.0
LARGEST = 1 << 16


@dataclass
class ViewFrame(SystemFrame):
    """Whether the picture is seen from now on; goes up from the transport to the face."""

    seen: bool = True


@dataclass
class View:
    """The area in which the picture was last shown, in device pixels; None if that is not known."""

    area: tuple[int, int] | None = None
    seen: bool = True

    def look(self, width: int, height: int) -> None:
        """It is shown in so many device pixels from now on; in none if nobody sees it."""
        self.seen = width > 0 and height > 0
        if self.seen:
            self.area = (width, height)

    def fitted(self, size: tuple[int, int]) -> tuple[int, int]:
        """Which size to send a picture of (width, height) `size` in, as large or smaller."""
        if self.area is None:
            return size
        needed = max(seen / whole for seen, whole in zip(self.area, size, strict=True))
        # The page fills the area with it.
        steps = [step for step in STEPS if step * ENLARGED >= needed]
        return scaled(size, min(steps, default=STEPS[0]))


def scaled(size: tuple[int, int], step: Fraction) -> tuple[int, int]:
    """A size in pixels times a step, both sides even."""
    width, height = (max(2, 2 * round(side * step / 2)) for side in size)
    return width, height


def frame_of(planes: np.ndarray) -> VideoFrame:
    """The frame of an I420 picture, uint8 (height * 3 // 2, width); shares its memory if it can.

    PyAV takes the height of a buffer for a multiple of four (av/video/frame.py, from_numpy_buffer).
    """
    if planes.shape[0] % 6:
        return VideoFrame.from_ndarray(planes, format="yuv420p")
    return VideoFrame.from_numpy_buffer(planes, format="yuv420p")


def shrunk(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An I420 picture, uint8 (height * 3 // 2, width), in a smaller (width, height) `size`."""
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    if (width, height) == size:
        return planes
    small = np.empty((size[1] * 3 // 2, size[0]), np.uint8)
    cv2.resize(planes[:height], size, small[: size[1]], interpolation=cv2.INTER_AREA)
    half = (size[0] // 2, size[1] // 2)
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    for plane, out in zip(chroma, small[size[1] :].reshape(2, half[1], half[0]), strict=True):
        cv2.resize(plane, half, out, interpolation=cv2.INTER_AREA)
    return small
