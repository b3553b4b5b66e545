"""Memory that is not needed any more goes back to the system."""

import ctypes
import sys
from pathlib import Path

DONT_NEED = 4  # of <sys/mman.h>, on Linux
MAPS = Path("/proc/self/maps")


def give_back() -> None:
    """Have the C library return what it keeps of freed memory, where that is glibc.

    It keeps some in each of the arenas its threads allocate from, and what a conversation's threads
    leave there is seldom what the next one's need: the process would grow with each.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def put_away(suffix: str) -> None:
    """Leave what was read of mapped files to the system's cache, which gives it again when asked.

    A model's weights are read when it is loaded, and most of them never again. Mappings that can be
    written to are left alone: what was written would be lost.
    """
    if sys.platform != "linux":
        return
    advise = ctypes.CDLL(None, use_errno=True).madvise
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in MAPS.read_text(encoding="utf-8", errors="replace").splitlines():
        where, allowed, *_ = line.split()
        if line.endswith(suffix) and allowed.startswith("r--"):
            start, end = (int(edge, 16) for edge in where.split("-"))
            advise(start, end - start, DONT_NEED)
