"""The pictures of a pack: read from its files, cut into patches."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from puppet.errors import PackError

if TYPE_CHECKING:
    from puppet.pack import Pack

DEPTH_ZERO = 128
DEPTH_STEPS = 256


@dataclass(frozen=True, eq=False)
class Sheet:
    """Patches that all replace the same rectangle of the portrait."""

    rect: tuple[int, int, int, int]
    """x0, y0, x1, y1 in pixels of the portrait; x1 and y1 are outside."""
    rows: tuple[float, ...]
    """Value of each row of the grid: openness of the mouth, or height of the brows."""
    columns: tuple[float, ...]
    """Value of each column of the grid: width of the mouth, or how far the lids are down."""
    patches: tuple[np.ndarray, ...]
    """The grid, row by row, then the extra patches. Each uint8 (height, width, 3) RGB."""

    @property
    def extras(self) -> tuple[np.ndarray, ...]:
        """The patches that are not part of the grid."""
        return self.patches[len(self.rows) * len(self.columns) :]


@dataclass(frozen=True, eq=False)
class Images:
    """All that is drawn from; read-only."""

    base: np.ndarray
    """uint8 (height, width, 4) RGBA, colour not multiplied by alpha."""
    depth: np.ndarray
    """float32 (rows, columns) over the whole portrait; 0 = the middle of the face, + = nearer."""
    mouth: Sheet
    """Extra patches: lips pressed, lip under teeth, smile."""
    eyes: Sheet
    """Extra patches: one per direction in the pack's `gazes`."""


def decode(pack: "Pack") -> Images:
    """The pictures of a pack.

    Raises: PackError when they do not fit its description.
    """
    try:
        return _decode(pack.folder, pack.meta)
    except (KeyError, TypeError, ValueError) as error:
        raise pack.misfit(error) from error


def _decode(folder: Path, meta: dict[str, Any]) -> Images:
    images = {name: _image(folder / name) for name in meta["files"]}
    mouth, eyes = meta["mouth"], meta["eyes"]
    return Images(
        base=_frozen(cv2.cvtColor(images["base.webp"], cv2.COLOR_BGRA2RGBA)),
        depth=_frozen((images["depth.png"].astype(np.float32) - DEPTH_ZERO) / DEPTH_STEPS),
        mouth=_sheet(images["mouth.webp"], mouth, mouth["open"], mouth["width"], mouth["extra"]),
        eyes=_sheet(images["eyes.webp"], eyes, eyes["brow"], eyes["lid"], eyes["gaze"]),
    )


def _image(path: Path) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise PackError(f"{path} is no picture: restore the file, or install the project anew.")
    return image


def _sheet(
    image: np.ndarray,
    meta: dict[str, Any],
    rows: list[float],
    columns: list[float],
    extras: list[object],
) -> Sheet:
    """Cut a sheet into its patches. It is as many patches wide as the grid has columns."""
    x0, y0, x1, y1 = meta["rect"]
    width, height = x1 - x0, y1 - y0
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    count = len(rows) * len(columns) + len(extras)
    if rgb.shape[1] != width * len(columns) or count > len(columns) * (rgb.shape[0] // height):
        raise ValueError(f"a sheet of {rgb.shape[1]}x{rgb.shape[0]} pixels has no {count} patches")
    corners = [divmod(index, len(columns)) for index in range(count)]
    patches = [
        rgb[row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row, column in corners
    ]
    return Sheet(
        (x0, y0, x1, y1), tuple(rows), tuple(columns), tuple(_frozen(patch) for patch in patches)
    )


def _frozen(array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array
