"""Faces that are ready, in files: drawn from as they are there, through the system's own cache.

A file holds one face: the sizes of what follows, what it is made of, and its arrays, each at a
multiple of 64 bytes. It is named after all that it depends on, and made again where it is not
whole.
"""

import functools
import hashlib
import io
import json
import mmap
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from puppet.draft import drafted
from puppet.pack import Pack

ALIGNED = 64
MADE_OF = {
    ("builtins", "slice"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.numeric", "_frombuffer"),
    ("puppet.face", "Face"),
    ("puppet.face", "Patches"),
    ("puppet.picture", "Picture"),
    ("puppet.warp", "Band"),
    ("puppet.warp", "Field"),
    ("puppet.warp", "Map"),
}
# What decides how a face comes out.
MADE_BY = ("face.py", "images.py", "kept.py", "picture.py", "warp.py")
# What comes of files that are not there, not whole, or something else.
UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ImportError,
    EOFError,
    pickle.UnpicklingError,
)


def kept(folder: Path, pack: Pack, size: tuple[int, int], make: Callable[[], Any]) -> Any:
    """The face of a pack and size that a folder keeps, put there by whoever asks first.

    Where it cannot be kept it is made each time. Raises: what `make` raises.
    """
    file = folder / f"{_name(pack, size)}-{_key(pack, size)}"
    try:
        return _read(file)
    except UNREADABLE:
        face = make()
    try:
        _write(file, face)
        face = _read(file)
    except UNREADABLE:
        return face
    pack.let_go()
    return face


def _name(pack: Pack, size: tuple[int, int]) -> str:
    origin = hashlib.sha256(str(pack.folder).encode()).hexdigest()[:8]
    return f"{origin}-{size[0]}x{size[1]}"


def _key(pack: Pack, size: tuple[int, int]) -> str:
    facts = [pack.meta, size, _makers(), cv2.__version__, np.__version__]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@functools.cache
def _makers() -> str:
    code = b"".join((Path(__file__).parent / name).read_bytes() for name in MADE_BY)
    return hashlib.sha256(code).hexdigest()


class _Reader(pickle.Unpickler):
    """Makes nothing but faces."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """One of the few classes that a face is made of. Raises: UnpicklingError."""
        if (module_name, global_name) not in MADE_OF:
            raise pickle.UnpicklingError(f"{module_name}.{global_name} is no part of a face")
        return super().find_class(module_name, global_name)


def _read(file: Path) -> Any:
    """Raises: one of UNREADABLE: there is none, or it is not whole."""
    with file.open("rb") as opened:
        whole = memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
    count = int.from_bytes(whole[:8], "little")
    sizes = np.frombuffer(whole[8 : 8 + 8 * count], "<u8").tolist()
    at, parts = _aligned(8 + 8 * count), []
    for size in sizes:
        parts.append(whole[at : at + size])
        at = _aligned(at + size)
    if count == 0 or at != len(whole):
        raise ValueError(f"{file} is not whole")
    return _Reader(io.BytesIO(parts[0]), buffers=parts[1:]).load()


def _write(file: Path, face: Any) -> None:
    """In one step, since others may read or write it; files of the same face from before go."""
    arrays: list[pickle.PickleBuffer] = []
    made_of = pickle.dumps(face, protocol=5, buffer_callback=arrays.append)
    parts: list[Any] = [made_of, *(each.raw() for each in arrays)]
    sizes = [len(part) for part in parts]
    with drafted(file) as draft, draft.open("wb") as opened:
        head = len(sizes).to_bytes(8, "little") + np.array(sizes, "<u8").tobytes()
        for part in (head, *parts):
            opened.write(part)
            opened.write(bytes(_aligned(len(part)) - len(part)))
    for old in file.parent.glob(f"{file.name.rsplit('-', 1)[0]}-*"):
        if old != file:
            old.unlink(missing_ok=True)


def _aligned(at: int) -> int:
    return -(-at // ALIGNED) * ALIGNED
