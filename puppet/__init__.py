"""The CPU face: speech in, video frames and the matching audio out.

>>> player = Player(load_pack("mira"), size=(1280, 720))
>>> player.speak(pcm)  # s16le mono, 24 kHz
>>> player.end()
>>> frame = player.tick()  # every 40 ms: an I420 image and, while speaking, 960 samples

Whoever only asks which packs there are waits for no numpy: what draws is imported when it is named.
"""

import importlib
from typing import TYPE_CHECKING, Any

from puppet.errors import PackError, PuppetError, SizeError
from puppet.pack import Pack, describe_pack, load_pack, pack_names

if TYPE_CHECKING:
    from puppet.phones import Phone
    from puppet.player import FPS, Frame, Player
    from puppet.speech import SAMPLE_RATE, SAMPLES_PER_FRAME

_HOMES = {
    "FPS": "puppet.player",
    "Frame": "puppet.player",
    "Phone": "puppet.phones",
    "Player": "puppet.player",
    "SAMPLES_PER_FRAME": "puppet.speech",
    "SAMPLE_RATE": "puppet.speech",
}

__all__ = [
    "FPS",
    "SAMPLES_PER_FRAME",
    "SAMPLE_RATE",
    "Frame",
    "Pack",
    "PackError",
    "Phone",
    "Player",
    "PuppetError",
    "SizeError",
    "describe_pack",
    "load_pack",
    "pack_names",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
