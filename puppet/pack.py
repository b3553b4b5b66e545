"""Avatar packs: a rendered portrait, the patches that animate it, and where they go."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from puppet.errors import PackError

PACKS = Path(__file__).parent / "packs"
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
class Pack:
    """One avatar, read-only and shared by every player that shows it."""

    name: str
    title: str
    origin: str
    licence: str
    folder: Path
    base: np.ndarray
    """uint8 (height, width, 4) RGBA, colour not multiplied by alpha."""
    depth: np.ndarray
    """float32 (rows, columns) over the whole portrait; 0 = the middle of the face, + = nearer."""
    mouth: Sheet
    """Extra patches: lips pressed, lip under teeth, smile."""
    eyes: Sheet
    """Extra patches: one per direction in `gazes`."""
    gazes: tuple[tuple[float, float], ...]
    """Directions the eyes can look in, x and y from -1 to 1."""
    chin: tuple[float, float]
    neck: tuple[float, float]


def pack_names() -> list[str]:
    """Names of the packs that come with the project."""
    return sorted(meta.parent.name for meta in PACKS.glob("*/meta.json"))


def load_pack(name_or_path: str | Path) -> Pack:
    """A pack by its name, or from a folder. Loaded once, then shared.

    Raises: PackError when the pack is unknown, incomplete or damaged.
    """
    bundled = str(name_or_path) in pack_names()
    folder = PACKS / name_or_path if bundled else Path(name_or_path)
    if not (folder / "meta.json").is_file():
        raise PackError(
            f"Unknown avatar pack {str(name_or_path)!r}: choose one of "
            f"{', '.join(pack_names())}, or give the folder of a pack with its meta.json."
        )
    return _load(folder.resolve())


@lru_cache(maxsize=16)
def _load(folder: Path) -> Pack:
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        return _build(folder, meta)
    except (KeyError, TypeError, ValueError) as error:
        raise PackError(
            f"{folder / 'meta.json'} does not describe an avatar pack ({error!r}): "
            "compare it with the meta.json of a pack that comes with the project."
        ) from error


def _build(folder: Path, meta: dict[str, Any]) -> Pack:
    images = {name: _image(folder / name, sha256) for name, sha256 in meta["files"].items()}
    mouth, eyes = meta["mouth"], meta["eyes"]
    return Pack(
        name=meta["name"],
        title=meta["title"],
        origin=meta["origin"],
        licence=meta["licence"],
        folder=folder,
        base=_frozen(cv2.cvtColor(images["base.webp"], cv2.COLOR_BGRA2RGBA)),
        depth=_frozen((images["depth.png"].astype(np.float32) - DEPTH_ZERO) / DEPTH_STEPS),
        mouth=_sheet(images["mouth.webp"], mouth, mouth["open"], mouth["width"], mouth["extra"]),
        eyes=_sheet(images["eyes.webp"], eyes, eyes["brow"], eyes["lid"], eyes["gaze"]),
        gazes=tuple((x, y) for x, y in eyes["gaze"]),
        chin=tuple(meta["chin"]),
        neck=tuple(meta["neck"]),
    )


def _image(path: Path, sha256: str) -> np.ndarray:
    if not path.is_file():
        raise PackError(f"{path} is missing: restore the file, or install the project anew.")
    content = path.read_bytes()
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if hashlib.sha256(content).hexdigest() != sha256 or image is None:
        raise PackError(
            f"{path} is damaged (its sha256 is not the one in meta.json): "
            "restore the file, or install the project anew."
        )
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
