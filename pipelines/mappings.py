"""What the system has mapped into this process, on Linux."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAPS = Path("/proc/self/maps")
DONT_NEED = 4  # of <sys/mman.h>


@dataclass(frozen=True)
class Mapping:
    """Memory from `start` up to `end`, what it may be used for, and the file it shows, if any."""

    start: int
    end: int
    allowed: str
    file: str


def mappings(maps: Path = MAPS) -> Iterator[Mapping]:
    """All of them, in order.

    Raises: OSError, ValueError where they cannot be read.
    """
    for line in maps.read_text(encoding="utf-8", errors="replace").splitlines():
        where, allowed, _offset, _device, inode, *name = line.split(maxsplit=5)
        start, end = (int(edge, 16) for edge in where.split("-"))
        yield Mapping(start, end, allowed, "".join(name) if inode != "0" else "")


def drop(start: int, length: int) -> bool:
    """Leave what is in memory to the system; says whether it took it.

    What shows a file is read again when it is asked for; what does not reads as zeros.
    """
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return advise(start, length, DONT_NEED) == 0
