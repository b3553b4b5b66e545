"""A pack made ready for one frame size, and the drawing of poses from it."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np

from puppet.errors import SizeError
from puppet.images import Sheet
from puppet.kept import kept
from puppet.motion import Pose
from puppet.pack import Pack
from puppet.picture import Fit, Picture, backdrop, mix, place, planes, to_bytes, to_i420, to_picture
from puppet.warp import Field, Warp, build_field

SMALLEST, LARGEST = 128, 4096
# Pixels of the portrait's width that stay in view when the frame is narrow.
SHOWN_WIDTH = 470
FEATHER = 8


@dataclass(frozen=True, eq=False)
class Patches:
    """A sheet in the frame's own planes, each patch opaque over the backdrop."""

    rows: slice
    columns: slice
    row_values: tuple[float, ...]
    column_values: tuple[float, ...]
    grid: tuple[Picture, ...]
    extras: tuple[Picture, ...]

    def blend(self, row: float, column: float) -> Picture:
        """Between the four patches around two values, which are clamped to the grid."""
        upper, down = _between(self.row_values, row)
        left, right = _between(self.column_values, column)
        wide = len(self.column_values)
        corner = upper * wide + left
        top = mix(self.grid[corner], self.grid[corner + 1], right)
        bottom = mix(self.grid[corner + wide], self.grid[corner + wide + 1], right)
        return mix(top, bottom, down)


@dataclass(frozen=True, eq=False)
class Face:
    """All that players of one pack and size share; read-only."""

    size: tuple[int, int]
    base: Picture
    mouth: Patches
    eyes: Patches
    field: Field


class Painter:
    """Draws poses of one face. Holds the work buffers of one player."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._image = to_i420(face.base)
        self._out = planes(self._image)
        self._work = planes(self._image.copy())
        self._warp = Warp(face.field, face.size)
        self._shown: dict[str, tuple[float, ...]] = {}
        self._bytes = b""

    def draw(self, pose: Pose) -> bytes:
        """The image: (height * 3 // 2, width), I420; the same object while nothing changes."""
        mouth, eyes = self._face.mouth, self._face.eyes
        parts, changed = _parts(pose), list[Patches]()
        if self._changes("mouth", parts["mouth"]):
            self._work.view(mouth.rows, mouth.columns).paste(draw_mouth(mouth, pose))
            changed.append(mouth)
        if self._changes("eyes", parts["eyes"]):
            self._work.view(eyes.rows, eyes.columns).paste(draw_eyes(eyes, pose))
            changed.append(eyes)
        if self._changes("head", parts["head"]):
            self._warp.hold(pose)
            self._warp.draw(self._work, self._out)
        elif changed:
            for patches in changed:
                self._warp.draw_part(self._work, self._out, patches.rows, patches.columns)
        else:
            return self._bytes
        self._bytes = self._image.tobytes()
        return self._bytes

    def same(self, pose: Pose) -> bytes | None:
        """The image, if it is the one before."""
        return self._bytes if self._shown == _parts(pose) else None

    def _changes(self, part: str, shown: tuple[float, ...]) -> bool:
        """Whether a part is to be shown differently from the last time."""
        before, self._shown[part] = self._shown.get(part), shown
        return before != shown


def _parts(pose: Pose) -> dict[str, tuple[float, ...]]:
    """What of a pose is seen in each part of the image."""
    return {
        "mouth": (pose.open, pose.width, pose.close, pose.bite, pose.smile),
        "eyes": (pose.brow, pose.lid, *pose.gaze),
        "head": (pose.yaw, pose.pitch, pose.roll, pose.breath),
    }


@lru_cache(maxsize=8)
def prepare(pack: Pack, size: tuple[int, int], folder: Path | None = None) -> Face:
    """The face for frames of (width, height) pixels; takes a fraction of a second, then cached.

    A folder keeps it for other processes.

    Raises: SizeError when a side is odd, too small or too large, PackError of a pack's pictures.
    """
    check_size(size)
    cv2.setNumThreads(1)
    make = partial(_prepare, pack, size)
    return kept(folder, pack, size, make) if folder else make()


def _prepare(pack: Pack, size: tuple[int, int]) -> Face:
    width, height = size
    fit = _fit(pack, size)
    wall = backdrop(width, height)
    colour, alpha = pack.base[..., :3], pack.base[..., 3]
    seen = to_bytes(colour * (alpha[..., None] / np.float32(255)))
    seen, alpha = (place(layer, (0, 0), fit, (0, 0, width, height)) for layer in (seen, alpha))
    return Face(
        size,
        to_picture(seen + _behind(alpha, wall)),
        _patches(pack, pack.mouth, fit, wall),
        _with_brows(_patches(pack, pack.eyes, fit, wall)),
        build_field(pack, size, fit),
    )


def check_size(size: tuple[int, int]) -> None:
    """Raises: SizeError when a side is odd, too small or too large."""
    if any(side % 2 or not SMALLEST <= side <= LARGEST for side in size):
        raise SizeError(
            f"A picture of {size[0]}x{size[1]} pixels cannot be drawn: width and height must be "
            f"even numbers from {SMALLEST} to {LARGEST}, for example 1280x720."
        )


def draw_mouth(mouth: Patches, pose: Pose) -> Picture:
    pressed, bitten, smiling = mouth.extras
    patch = mouth.blend(pose.open, pose.width)
    smile = pose.smile * max(0.0, 1 - 4 * pose.open) * max(0.0, 1 - 2 * abs(pose.width))
    patch = mix(patch, smiling, smile)
    patch = mix(patch, bitten, pose.bite)
    return mix(patch, pressed, pose.close**1.5)


def draw_eyes(eyes: Patches, pose: Pose) -> Picture:
    """Brows and lids, then the gaze: what it changes on open eyes, less as the lids come down."""
    patch = eyes.blend(pose.brow, pose.lid)
    open_share = max(0.0, 1 - pose.lid / eyes.column_values[1])
    upper, down = _between(eyes.row_values, pose.brow)
    count = len(eyes.row_values)
    for index, share in enumerate(pose.gaze):
        if share * open_share > 0.01:
            above, below = eyes.extras[index * count + upper : index * count + upper + 2]
            patch = mix(patch, mix(above, below, down), share * open_share)
    return patch


def _with_brows(eyes: Patches) -> Patches:
    """Gazes are rendered with the brows at rest: the same gazes for every row of brows."""
    wide, neutral = len(eyes.column_values), eyes.row_values.index(0)
    rests = eyes.grid[::wide]
    extras = tuple(_change(rest, rests[neutral], look) for look in eyes.extras for rest in rests)
    return replace(eyes, extras=extras)


def _change(onto: Picture, before: Picture, after: Picture) -> Picture:
    """What turned one picture into another, done to a third."""
    turned = (np.int16(c) + b - a for a, b, c in zip(before, after, onto, strict=True))
    return Picture(*(np.clip(plane, 0, 255).astype(np.uint8) for plane in turned))


def _fit(pack: Pack, size: tuple[int, int]) -> Fit:
    """Stand the portrait on the bottom of the frame, as large as the frame's height, smaller in
    a narrow frame so that the head stays in view."""
    width, height = size
    scale = min(height / pack.base.shape[0], width / SHOWN_WIDTH)
    return Fit(scale, width / 2 - pack.neck[0] * scale, height - pack.base.shape[0] * scale)


def _patches(pack: Pack, sheet: Sheet, fit: Fit, wall: np.ndarray) -> Patches:
    x0, y0, x1, y1 = sheet.rect
    left, top = (2 * int(np.ceil(edge / 2)) for edge in _land((x0, y0), fit))
    right, bottom = (2 * int(edge / 2) for edge in _land((x1, y1), fit))
    rect = (max(left, 0), max(top, 0), min(right, wall.shape[1]), min(bottom, wall.shape[0]))
    rows, columns = slice(rect[1], rect[3]), slice(rect[0], rect[2])
    base = pack.base[y0:y1, x0:x1].astype(np.float32)
    colour, solid = base[..., :3], base[..., 3:] / 255
    behind = _behind(place(base[..., 3], (x0, y0), fit, rect), wall[rows, columns])
    inside = _feather(base.shape[:2]) * solid
    outside = colour * (solid - inside)
    pictures = []
    for patch in sheet.patches:
        image = place(to_bytes(patch * inside + outside), (x0, y0), fit, rect)
        pictures.append(to_picture(image + behind))
    count = len(sheet.rows) * len(sheet.columns)
    grid, extras = tuple(pictures[:count]), tuple(pictures[count:])
    return Patches(rows, columns, sheet.rows, sheet.columns, grid, extras)


def _land(point: tuple[float, float], fit: Fit) -> tuple[float, float]:
    return point[0] * fit.scale + fit.left, point[1] * fit.scale + fit.top


def _feather(shape: tuple[int, ...]) -> np.ndarray:
    """1 inside, 0 at the edges: patch and portrait were compressed apart."""
    rises = [np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / FEATHER, 0, 1) for n in shape]
    return np.minimum.outer(*rises)[..., None].astype(np.float32)


def _behind(alpha: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """What an image leaves free of the wall."""
    return wall * (1 - alpha[..., None] / 255)


def _between(values: tuple[float, ...], value: float) -> tuple[int, float]:
    """Index of the step below a value, and how far it is to the next."""
    value = min(max(value, values[0]), values[-1])
    index = min(bisect_right(values, value) - 1, len(values) - 2)
    return index, (value - values[index]) / (values[index + 1] - values[index])
