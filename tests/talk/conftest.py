"""A real LiveKit server for conversations that are held in rooms."""

from tests.sandbox.conftest import livekit, livekit_binary

__all__ = ["livekit", "livekit_binary"]
