"""A LiveAvatar you can run on a laptop.

>>> async with livekit_server() as livekit, sandbox(livekit) as address:
...     print(address.url, address.key)
"""

from sandbox.account import Limits
from sandbox.errors import SandboxError
from sandbox.livekit_server import NoLiveKit, livekit_server
from sandbox.server import Address, sandbox
from sandbox.tokens import LiveKit

__all__ = [
    "Address",
    "Limits",
    "LiveKit",
    "NoLiveKit",
    "SandboxError",
    "livekit_server",
    "sandbox",
]
