"""Memory that is not needed any more goes back to the system."""

import ctypes
import subprocess
import sys

import pytest

# What is kept holds up all that was freed below it.
GROWS = """
import resource
from bots.memory import give_back

def resident_kb():
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * resource.getpagesize() // 1024

pieces = [b"x" * 100_000 for _ in range(1000)]
kept = pieces[-1]
del pieces
before = resident_kb()
give_back()
print(before - resident_kb())
"""

# By itself glibc keeps as much as was once mapped and freed. What is kept is above all that is
# freed, as far as that is not mapped by itself.
RETURNS = """
import resource
from bots.memory import return_large

def resident_kb():
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * resource.getpagesize() // 1024

return_large()
large = b"x" * 28_000_000
del large
pieces = [b"x" * 10_000_000 for _ in range(10)]
kept = [b"x" * 100_000 for _ in range(10)]
before = resident_kb()
del pieces
print(before - resident_kb())
"""
glibc = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="Only glibc can be told to."
)


@glibc
def test_what_is_large_is_returned_as_soon_as_it_is_freed():
    ran = subprocess.run(
        [sys.executable, "-c", RETURNS], capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) > 80_000


@glibc
def test_freed_memory_is_given_back():
    ran = subprocess.run([sys.executable, "-c", GROWS], capture_output=True, text=True, check=True)
    assert int(ran.stdout) > 80_000
