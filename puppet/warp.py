"""Turning the head and breathing: one displacement field, applied only where something moves."""

import math
from typing import NamedTuple

import cv2
import numpy as np

from puppet.motion import Pose, Reach
from puppet.pack import Pack
from puppet.picture import Fit, Picture

CELL = 8
BANDS = 10
# Pixels of a 720-pixel portrait per degree (or per breath), at the middle of the face; `PARALLAX`
# is what one unit of depth adds.
YAW, PITCH, BREATH, PARALLAX = 2.2, 1.6, 1.6, 26.0


class Map(NamedTuple):
    """x and y, each float32 (rows, columns): where a value comes from, or how far it moves.

    Two arrays and not one of pairs: OpenCV remaps by them, one plane at a time, four times
    faster.
    """

    x: np.ndarray
    y: np.ndarray


class Band(NamedTuple):
    """Rows of the frame, and the columns of them that can move, in cells and in luma pixels."""

    cells: tuple[slice, slice]
    rows: slice
    columns: slice

    @property
    def size(self) -> int:
        """Number of cells."""
        return math.prod(part.stop - part.start for part in self.cells)


class Field(NamedTuple):
    """How far each cell moves per unit of each motion; shared, read-only.

    `still` is the luma coordinates of each cell's centre, with one cell of margin all around;
    the others are pixels per degree of yaw and pitch, per radian of roll, and per breath.
    """

    still: Map
    yaw_x: np.ndarray
    pitch_y: np.ndarray
    roll: Map
    breath_y: np.ndarray
    bands: tuple[Band, ...]

    @property
    def reach(self) -> Reach:
        """How far what moves farthest is moved."""
        roll = float(np.hypot(*self.roll).max()) * math.radians(1)
        yaw, pitch, breath = (
            float(np.abs(each).max()) for each in (self.yaw_x, self.pitch_y, self.breath_y)
        )
        return Reach(yaw, pitch, roll, breath)


class Warp:
    """How a head is held, and work buffers of one player. Not safe to share."""

    def __init__(self, field: Field, size: tuple[int, int]) -> None:
        self._field = field
        self._size = size
        pixels = max((band.size for band in field.bands), default=0) * CELL * CELL
        self._buffer = Map(np.empty(pixels, np.float32), np.empty(pixels, np.float32))
        self._luma = self._chroma = field.still
        self._moved = 0

    def hold(self, pose: Pose) -> None:
        """Hold the head as the pose says, in what is drawn from now on."""
        self._luma = self._source(pose)
        self._chroma = Map((self._luma.x - 0.5) / 2, (self._luma.y - 0.5) / 2)
        far = (np.abs(a - b).max() for a, b in zip(self._luma, self._field.still, strict=True))
        self._moved = math.ceil(max(far)) + 1

    def draw(self, picture: Picture, out: Picture) -> None:
        """Draw all of a picture that can move into the planes of a frame."""
        for band in self._field.bands:
            self._draw(band, picture, out)

    def draw_part(self, picture: Picture, out: Picture, rows: slice, columns: slice) -> None:
        """Draw what shows a part of a picture, in luma pixels, wherever it has been moved to."""
        width, height = self._size
        top, bottom = _cells(rows, self._moved, height)
        left, right = _cells(columns, self._moved, width)
        most = max(1, self._most_rows(right - left))
        for first in range(top, bottom, most):
            last = min(first + most, bottom)
            self._draw(_band(first, last, left, right, self._size), picture, out)

    def _most_rows(self, columns: int) -> int:
        """So many rows of cells the buffers hold, with the margin."""
        return self._buffer.x.size // (CELL * CELL * (columns + 2)) - 2

    def _draw(self, band: Band, picture: Picture, out: Picture) -> None:
        rows, columns = band.rows, band.columns
        where = self._spread(self._luma, band, CELL, rows, columns)
        _remap(picture.luma, where, out.luma[rows, columns])
        rows, columns = _half(rows), _half(columns)
        where = self._spread(self._chroma, band, CELL // 2, rows, columns)
        _remap(picture.u, where, out.u[rows, columns])
        _remap(picture.v, where, out.v[rows, columns])

    def _source(self, pose: Pose) -> Map:
        """Where each cell of the frame comes from."""
        field, roll = self._field, math.radians(pose.roll)
        return Map(
            field.still.x - pose.yaw * field.yaw_x - roll * field.roll.x,
            field.still.y
            - pose.pitch * field.pitch_y
            - roll * field.roll.y
            - pose.breath * field.breath_y,
        )

    def _spread(self, where: Map, band: Band, cell: int, rows: slice, columns: slice) -> Map:
        """The part of a map that a band covers, per pixel, without the margin of one cell."""
        height, width = ((part.stop - part.start) * cell for part in band.cells)
        inside = (
            slice(cell, cell + rows.stop - rows.start),
            slice(cell, cell + columns.stop - columns.start),
        )
        spread = []
        for cells, buffer in zip(where, self._buffer, strict=True):
            full = buffer[: height * width].reshape(height, width)
            cv2.resize(cells[band.cells], (width, height), full, interpolation=cv2.INTER_LINEAR)
            spread.append(full[inside])
        return Map(*spread)


def build_field(pack: Pack, size: tuple[int, int], fit: Fit) -> Field:
    """The field of a portrait that fits into a frame of size (width, height)."""
    columns, rows = (-(-side // CELL) + 2 for side in size)
    still = Map(*np.meshgrid(_centres(columns), _centres(rows)))
    scale = fit.scale
    at = Map((still.x - fit.left) / scale, (still.y - fit.top) / scale)
    solid, depth = _sample(pack, at)
    head, body = _head(pack, at), _body(pack, at) * solid
    neck_x, neck_y = pack.neck
    roll = Map(head * (neck_y - at.y) * scale, head * (at.x - neck_x) * scale)
    yaw_x = head * (YAW + PARALLAX * depth) * scale
    pitch_y = head * (PITCH + 0.8 * PARALLAX * depth) * scale
    breath_y = -body * BREATH * scale
    moving = (head > 0) | (np.abs(breath_y) > 0.01)
    bands = _bands(moving[1:-1, 1:-1], size)
    return Field(still, yaw_x, pitch_y, roll, breath_y, bands)


def _head(pack: Pack, at: Map) -> np.ndarray:
    """How much a point of the portrait turns with the head; fades below, beside and above it."""
    (centre, chin), neck = pack.chin, pack.neck[1]
    below = 1 - _smooth((at.y - chin - 8) / ((neck - chin) * 1.15))
    beside = 1 - _smooth((np.abs(at.x - centre) - 178) / 62)
    above = _smooth((at.y + 50) / 90)
    return below * beside * above


def _body(pack: Pack, at: Map) -> np.ndarray:
    """How much a point of the portrait rises with a breath: the shoulders more than the head."""
    neck, bottom = pack.neck[1], pack.base.shape[0]
    return 0.4 + 0.6 * _smooth((at.y - neck + 60) / (bottom - neck))


def _sample(pack: Pack, at: Map) -> tuple[np.ndarray, np.ndarray]:
    """Solidity (1 in and close to the person, 0 elsewhere) and depth at points of the portrait."""
    rows, columns = pack.depth.shape
    alpha = cv2.resize(pack.base[..., 3], (columns, rows), interpolation=cv2.INTER_AREA)
    solid = cv2.GaussianBlur(cv2.dilate(alpha, np.ones((5, 5))), (0, 0), 1.2)
    step_y, step_x = pack.base.shape[0] / rows, pack.base.shape[1] / columns
    where = Map((at.x + 0.5) / step_x - 0.5, (at.y + 0.5) / step_y - 0.5)
    sampled = np.empty_like(at.x), np.empty_like(at.x)
    _remap(solid.astype(np.float32) / 255, where, sampled[0])
    _remap(pack.depth, where, sampled[1])
    return sampled


def _bands(moving: np.ndarray, size: tuple[int, int]) -> tuple[Band, ...]:
    bands = []
    for group in np.array_split(np.arange(len(moving)), BANDS):
        found = np.flatnonzero(moving[group].any(axis=0))
        if len(found):
            top, bottom = int(group[0]), int(group[-1]) + 1
            left, right = int(found[0]), int(found[-1]) + 1
            bands.append(_band(top, bottom, left, right, size))
    return tuple(bands)


def _band(top: int, bottom: int, left: int, right: int, size: tuple[int, int]) -> Band:
    """The cells of these rows and columns, without the margin."""
    width, height = size
    rows = slice(top * CELL, min(bottom * CELL, height))
    columns = slice(left * CELL, min(right * CELL, width))
    return Band((slice(top, bottom + 2), slice(left, right + 2)), rows, columns)


def _cells(pixels: slice, more: int, side: int) -> tuple[int, int]:
    """The first cell that holds these pixels, or so many more on both ends, and after the last."""
    first, last = max(0, pixels.start - more), min(side, pixels.stop + more)
    return first // CELL, -(-last // CELL)


def _remap(image: np.ndarray, where: Map, out: np.ndarray) -> None:
    cv2.remap(image, *where, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_REPLICATE)


def _half(pixels: slice) -> slice:
    return slice(pixels.start // 2, pixels.stop // 2)


def _centres(count: int) -> np.ndarray:
    """Luma coordinates of the centres of cells, the first of which is outside the frame."""
    return (np.arange(count, dtype=np.float32) - 1) * CELL + np.float32((CELL - 1) / 2)


def _smooth(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)
