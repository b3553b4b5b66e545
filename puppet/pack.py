"""Avatar packs: a rendered portrait, the patches that animate it, and where they go."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puppet.errors import PackError

if TYPE_CHECKING:
    import numpy as np

    from puppet.images import Images, Sheet

PACKS = Path(__file__).parent / "packs"


@dataclass(frozen=True, eq=False)
class Pack:
    """One avatar, read-only and shared by every player that shows it.

    Its pictures are decoded when they are asked for, which who draws from a kept face never does.
    """

    name: str
    title: str
    origin: str
    licence: str
    folder: Path
    gazes: tuple[tuple[float, float], ...]
    """Directions the eyes can look in, x and y from -1 to 1."""
    chin: tuple[float, float]
    neck: tuple[float, float]
    meta: dict[str, Any] = field(repr=False)
    """The description, with the sha256 of every file."""

    @cached_property
    def images(self) -> "Images":
        """Its pictures, kept until they are let go. Raises: PackError."""
        from puppet.images import decode  # numpy and OpenCV, which a description does not need

        return decode(self)

    def let_go(self) -> None:
        """Forget the pictures; they are decoded anew when they are asked for."""
        self.__dict__.pop("images", None)

    @property
    def base(self) -> "np.ndarray":
        """uint8 (height, width, 4) RGBA, colour not multiplied by alpha."""
        return self.images.base

    @property
    def depth(self) -> "np.ndarray":
        """float32 (rows, columns) over the portrait; 0 = the middle of the face, + = nearer."""
        return self.images.depth

    @property
    def mouth(self) -> "Sheet":
        """The patches of the mouth."""
        return self.images.mouth

    @property
    def eyes(self) -> "Sheet":
        """The patches of eyes and brows."""
        return self.images.eyes

    def misfit(self, error: Exception) -> PackError:
        """The error of a description that does not fit."""
        return _misfit(self.folder, error)


def pack_names() -> list[str]:
    """Names of the packs that come with the project."""
    return sorted(meta.parent.name for meta in PACKS.glob("*/meta.json"))


def load_pack(name_or_path: str | Path) -> Pack:
    """A pack by its name, or from a folder. Loaded once, then shared.

    Raises: PackError when the pack is unknown, incomplete or damaged.
    """
    pack = describe_pack(name_or_path)
    assert pack.images
    return pack


def describe_pack(name_or_path: str | Path) -> Pack:
    """The same, whole and undamaged as far as checksums tell, with no picture decoded.

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
        for name, sha256 in meta["files"].items():
            _check(folder / name, sha256)
        return _described(folder, meta)
    except (KeyError, TypeError, ValueError) as error:
        raise _misfit(folder, error) from error


def _described(folder: Path, meta: dict[str, Any]) -> Pack:
    return Pack(
        name=meta["name"],
        title=meta["title"],
        origin=meta["origin"],
        licence=meta["licence"],
        folder=folder,
        gazes=tuple((x, y) for x, y in meta["eyes"]["gaze"]),
        chin=tuple(meta["chin"]),
        neck=tuple(meta["neck"]),
        meta=meta,
    )


def _check(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise PackError(f"{path} is missing: restore the file, or install the project anew.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise PackError(
            f"{path} is damaged (its sha256 is not the one in meta.json): "
            "restore the file, or install the project anew."
        )


def _misfit(folder: Path, error: Exception) -> PackError:
    return PackError(
        f"{folder / 'meta.json'} does not describe an avatar pack ({error!r}): "
        "compare it with the meta.json of a pack that comes with the project."
    )
