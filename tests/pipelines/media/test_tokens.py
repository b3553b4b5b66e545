"""The memory of libvpx's tokens, which no picture fills."""

import ctypes
import subprocess
import sys

import pytest

from bots.memory import return_large
from pipelines.media import encoder, tokens
from tests.pipelines.media.test_encoder import frame

SIZE = (1280, 720)
TOKENS_KB = 20_000
HOLDS = """
import resource
from bots.memory import return_large
from pipelines.media.encoder import SteadyVp8Encoder
from tests.pipelines.media.test_encoder import frame

def resident_kb():
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * resource.getpagesize() // 1024

return_large()
pictures = [frame(place, (1280, 720)) for place in range(2)]
encoders = [SteadyVp8Encoder() for _ in range(3)]
encoders[0].encode(pictures[0])
before = resident_kb()
for encoder in encoders[1:]:
    encoder.encode(pictures[0])
    encoder.encode(pictures[1])
print((resident_kb() - before) // 2)
"""
glibc = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="Only glibc can be told to."
)


@glibc
def test_an_encoder_of_720p_holds_less_than_libvpx_reserves_for_tokens_alone():
    ran = subprocess.run([sys.executable, "-c", HOLDS], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < TOKENS_KB, "memory that is as large is found no more"


@glibc
def test_an_encoder_whose_tokens_were_given_back_encodes_the_same():
    return_large()
    spared, whole = (encoder._libvpx(*SIZE, encoder.FULL) for _ in range(2))
    before = list(tokens._writable(tokens.PROCESS))
    spared.open(strict=False)
    assert tokens._give_back(before, *SIZE)
    for place in range(3):
        packets, others = (codec.encode(frame(place, SIZE)) for codec in (spared, whole))
        assert list(map(bytes, packets)) == list(map(bytes, others)) != []


@pytest.mark.parametrize("told", [(), ("maps",)])
def test_where_memory_cannot_be_looked_at_it_is_kept(tmp_path, told):
    for name in told:
        (tmp_path / name).write_text("")
    opened = tokens.opened(encoder._libvpx(*SIZE, encoder.FULL), tmp_path)
    assert opened.is_open and opened.encode(frame(0, SIZE))
