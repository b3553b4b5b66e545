"""Memory that is not needed any more goes back to the system."""

import ctypes
import sys

from pipelines.mappings import drop, mappings

# Of <malloc.h>: how much free memory at an arena's end is kept, and what is mapped by itself.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
# More than a picture of 720p as RGB, and one of 1080p as I420, of which each thread that draws and
# sends has some all the time: they would be asked of the system anew each time.
LARGE = 3 << 20


def return_large() -> None:
    """Have the C library, where that is glibc, return what is large as soon as it is freed.

    By itself it takes what it has once mapped and freed, as a model's weights, for the measure of
    what to keep from then on: some 30 MB, in each of the arenas its threads allocate from.
    """
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option:
        set_option(MMAP_THRESHOLD, LARGE)
        set_option(TRIM_THRESHOLD, LARGE)


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
    for each in mappings():
        if each.file.endswith(suffix) and each.allowed.startswith("r--"):
            drop(each.start, each.end - each.start)
