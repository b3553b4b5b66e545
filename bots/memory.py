"""Memory that conversations have used goes back to the system."""

import ctypes
import sys


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
