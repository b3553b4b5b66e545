"""Turning the head and breathing: one displacement field, applied only where something moves."""

import math
from typing import NamedTuple

import cv2
import numpy as np

from puppet.motion import Pose
from puppet.pack import Pack
from puppet.picture import Fit, Picture

CELL = 8
BANDS = 8
# Pixels of a 720-pixel portrait per degree (or per breath), at the middle of the face; `PARALLAX`
# is what one unit of depth adds.
YAW, PITCH, BREATH, PARALLAX = 2.2, 1.6, 1.6, 26.0


class Band(NamedTuple):
    """Rows of the frame, and the columns of them that can move, in cells and in luma pixels."""

    cells: tuple[slice, slice]
    rows: slice
    columns: slice


class Field(NamedTuple):
    """How far each cell moves per unit of each motion; shared, read-only.

    still: float32 (rows, columns, 2), x and y in luma pixels of each cell's centre, with one
    cell of margin all around; moves: the same per yaw, pitch, roll and breath.
    """

    still: np.ndarray
    moves: tuple[np.ndarray, ...]
    bands: tuple[Band, ...]


class Warp:
    """Work buffers of one player. Not safe to share."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._map = np.empty_like(field.still)
        cells = max((_cells(band) for band in field.bands), default=0)
        self._luma_map = np.empty(cells * CELL * CELL * 2, np.float32)
        self._chroma_map = np.empty(cells * CELL * CELL // 2, np.float32)
        self._chroma = np.empty(cells * CELL * CELL // 2, np.uint8)

    def draw(self, picture: Picture, pose: Pose, luma: np.ndarray, u: np.ndarray, v: np.ndarray) -> None:
        """Draw a picture into the planes of a frame, moved as the pose says."""
        amounts = (pose.yaw, pose.pitch, math.radians(pose.roll), pose.breath)
        np.copyto(self._map, self._field.still)
        for amount, move in zip(amounts, self._field.moves, strict=True):
            cv2.scaleAdd(move, -amount, self._map, dst=self._map)
        chroma_map = (self._map - 0.5) / 2
        for band in self._field.bands:
            rows, columns = band.rows, band.columns
            where = _spread(self._map[band.cells], CELL, self._luma_map, rows, columns)
            _remap(picture.luma, where, luma[rows, columns])
            rows, columns = _half(rows), _half(columns)
            where = _spread(chroma_map[band.cells], CELL // 2, self._chroma_map, rows, columns)
            height, width = where.shape[:2]
            moved = self._chroma[: height * width * 2].reshape(height, width, 2)
            _remap(picture.chroma, where, moved)
            cv2.extractChannel(moved, 0, dst=u[rows, columns])
            cv2.extractChannel(moved, 1, dst=v[rows, columns])


def build_field(pack: Pack, size: tuple[int, int], fit: Fit) -> Field:
    """The field of a portrait that fits into a frame of size (width, height)."""
    columns, rows = (-(-side // CELL) + 2 for side in size)
    x, y = np.meshgrid(_centres(columns), _centres(rows))
    head, body, depth = _masks(pack, (x - fit.left) / fit.scale, (y - fit.top) / fit.scale)
    scale = fit.scale
    pivot_x, pivot_y = pack.neck[0] * scale + fit.left, pack.neck[1] * scale + fit.top
    none = np.zeros_like(x)
    moves = (
        _pair(head * (YAW + PARALLAX * depth) * scale, none),
        _pair(none, head * (PITCH + 0.8 * PARALLAX * depth) * scale),
        _pair(-head * (y - pivot_y), head * (x - pivot_x)),
        _pair(none, -body * BREATH * scale),
    )
    moving = np.abs(np.concatenate(moves, axis=2)).max(axis=2) > 0.01
    return Field(_pair(x, y), moves, _bands(moving[1:-1, 1:-1], size))


def _masks(pack: Pack, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How much each point of the portrait belongs to the head and to what breathes; its depth."""
    (centre, chin), neck = pack.chin, pack.neck[1]
    head = 1 - _smooth((y - chin - 8) / ((neck - chin) * 1.15))
    head *= 1 - _smooth((np.abs(x - centre) - 190) / 120)
    head *= _smooth((y + 80) / 120)
    solid = cv2.resize(
        pack.base[..., 3], pack.depth.shape[::-1], interpolation=cv2.INTER_AREA
    ).astype(np.float32)
    near = cv2.GaussianBlur(cv2.dilate(solid, np.ones((9, 9))), (0, 0), 3) / 255
    step_x, step_y = (
        pack.base.shape[axis] / pack.depth.shape[axis] for axis in (1, 0)
    )
    at = _pair(x / step_x - 0.5, y / step_y - 0.5)
    near, depth = (
        cv2.remap(image, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for image in (near, pack.depth)
    )
    bottom = pack.base.shape[0]
    body = near * (0.4 + 0.6 * _smooth((y - neck + 60) / (bottom - neck)))
    return head, body, depth


def _bands(moving: np.ndarray, size: tuple[int, int]) -> tuple[Band, ...]:
    width, height = size
    bands = []
    for group in np.array_split(np.arange(len(moving)), BANDS):
        found = np.flatnonzero(moving[group].any(axis=0)) if len(group) else ()
        if len(found):
            top, bottom, left, right = group[0], group[-1] + 1, found[0], found[-1] + 1
            rows = slice(top * CELL, min(bottom * CELL, height))
            columns = slice(left * CELL, min(right * CELL, width))
            bands.append(Band((slice(top, bottom + 2), slice(left, right + 2)), rows, columns))
    return tuple(bands)


def _spread(
    cells: np.ndarray, cell: int, buffer: np.ndarray, rows: slice, columns: slice
) -> np.ndarray:
    """A map per cell to a map per pixel, without the margin of one cell."""
    height, width = cells.shape[0] * cell, cells.shape[1] * cell
    full = buffer[: height * width * 2].reshape(height, width, 2)
    cv2.resize(cells, (width, height), dst=full, interpolation=cv2.INTER_LINEAR)
    rows_high, columns_wide = rows.stop - rows.start, columns.stop - columns.start
    return full[cell : cell + rows_high, cell : cell + columns_wide]


def _remap(image: np.ndarray, where: np.ndarray, out: np.ndarray) -> None:
    cv2.remap(image, where, None, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_REPLICATE)


def _cells(band: Band) -> int:
    rows, columns = band.cells
    return (rows.stop - rows.start) * (columns.stop - columns.start)


def _half(pixels: slice) -> slice:
    return slice(pixels.start // 2, pixels.stop // 2)


def _centres(count: int) -> np.ndarray:
    """Luma coordinates of the centres of cells, the first of which is outside the frame."""
    return (np.arange(count, dtype=np.float32) - 1) * CELL + (CELL - 1) / 2


def _pair(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.dstack([x, y]).astype(np.float32)


def _smooth(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)
