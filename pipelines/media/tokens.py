"""An encoder of VP8 without the memory for tokens that no picture has.

libvpx reserves for the most that a picture could be made of, 22 MB at 1280x720, and writes zeros
over all of it. A picture of a megabit a second takes the first of them. What is given back to the
system reads as zeros again, and costs nothing until it is written to.
"""

import contextlib
import ctypes
import mmap
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from av import VideoCodecContext

from pipelines.mappings import drop, mappings

# Of a macroblock of 16 x 16 pixels (vp8_alloc_compressor_data: 24 * 16 of 16 bytes).
PER_BLOCK = 24 * 16 * 16
PROCESS = Path("/proc/self")
# What libvpx and glibc put before it, and leave free to begin at a multiple of 32 bytes.
AROUND = 64
# What glibc has mapped for one piece of memory alone begins with its size, and this bit.
MAPPED = 2
WORD = ctypes.sizeof(ctypes.c_size_t)
BLANK = bytes(1 << 20)
# What is mapped while an encoder opens is its own, and not another's that opens as well.
ONE_AT_A_TIME = threading.Lock()

Range = tuple[int, int]


def opened(codec: VideoCodecContext, process: Path = PROCESS) -> VideoCodecContext:
    """An encoder of libvpx, opened; its tokens' memory is given back where that is found.

    `process` is where the system tells of this one.

    It is where the C library is glibc, and maps what is so large (`bots/memory.py`): those of small
    pictures, which are few, are kept.
    """
    with ONE_AT_A_TIME:
        before: list[Range] | None = None
        with contextlib.suppress(OSError, ValueError):
            before = list(_writable(process))
        codec.open(strict=False)
        # What another thread had mapped may be gone by now, which is an error to read.
        with contextlib.suppress(OSError, ValueError):
            if before is not None:
                _give_back(before, codec.width, codec.height, process)
    return codec


def _give_back(before: list[Range], width: int, height: int, process: Path = PROCESS) -> bool:
    """Give back what was mapped since for a picture's tokens; says whether it was found."""
    tokens = PER_BLOCK * -(-width // 16) * -(-height // 16)
    size = -(-(tokens + AROUND) // mmap.PAGESIZE) * mmap.PAGESIZE
    with (process / "mem").open("rb", buffering=0) as file:
        memory = file.fileno()
        found = [
            at for start, end in _added(before, process) for at in _mapped(memory, start, end, size)
        ]
        # The first page begins with what glibc needs.
        first, length = mmap.PAGESIZE, size - mmap.PAGESIZE
        if len(found) != 1 or not _is_blank(memory, found[0] + first, length):
            return False
    return drop(found[0] + first, length)


def _mapped(memory: int, start: int, end: int, size: int) -> Iterator[int]:
    """Where between two places a piece of memory of that size begins; others may be beside it."""
    for at in range(start, end - size + 1, mmap.PAGESIZE):
        head = os.pread(memory, 2 * WORD, at)
        if int.from_bytes(head[WORD:], sys.byteorder) == size + MAPPED:
            yield at


def _is_blank(memory: int, start: int, length: int) -> bool:
    """Whether it is all zeros; read through the system, which refuses what is not mapped."""
    for at in range(start, start + length, len(BLANK)):
        piece = os.pread(memory, min(len(BLANK), start + length - at), at)
        if not piece or piece != BLANK[: len(piece)]:
            return False
    return True


def _writable(process: Path) -> Iterator[Range]:
    """What of a process's memory is no file's and can be written to, in order."""
    for each in mappings(process / "maps"):
        if each.allowed == "rw-p" and not each.file:
            yield each.start, each.end


def _added(before: list[Range], process: Path) -> Iterator[Range]:
    """What is there and was not before."""
    for start, end in _writable(process):
        for old_start, old_end in before:
            if start < old_end and old_start < end:
                if start < old_start:
                    yield start, old_start
                start = old_end
        if start < end:
            yield start, end
