"""LiveAvatar as we know it: its messages, its REST API, and a session that it runs."""

from liveavatar.client import LiveAvatar
from liveavatar.errors import LiveAvatarError, NoAnswer
from liveavatar.full import FullSession

__all__ = ["FullSession", "LiveAvatar", "LiveAvatarError", "NoAnswer"]
