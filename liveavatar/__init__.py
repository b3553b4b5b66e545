"""LiveAvatar as we know it: its messages, its REST API, and a session that it runs.

What is named here is imported when it is named: whoever has no LiveAvatar waits for no message of
its.
"""

import importlib
from typing import TYPE_CHECKING, Any

from liveavatar.errors import LiveAvatarError, NoAnswer

if TYPE_CHECKING:
    from liveavatar.client import LiveAvatar
    from liveavatar.full import FullSession

_HOMES = {"FullSession": "liveavatar.full", "LiveAvatar": "liveavatar.client"}

__all__ = ["FullSession", "LiveAvatar", "LiveAvatarError", "NoAnswer"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
