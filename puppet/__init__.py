"""The CPU face: speech in, video frames and the matching audio out.

>>> player = Player(load_pack("mira"), size=(1280, 720))
>>> player.speak(pcm)  # s16le mono, 24 kHz
>>> player.end()
>>> frame = player.tick()  # every 40 ms: an I420 image and, while speaking, 960 samples
"""

from puppet.errors import PackError, PuppetError, SizeError
from puppet.pack import Pack, load_pack, pack_names
from puppet.phones import Phone
from puppet.player import FPS, Frame, Player
from puppet.speech import SAMPLE_RATE, SAMPLES_PER_FRAME

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
    "load_pack",
    "pack_names",
]
