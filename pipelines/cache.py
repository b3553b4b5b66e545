"""The folders for what is fetched or built once (voices, the LiveKit server) and what must last."""

from collections.abc import Callable
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The application's cache folder, as the system has it; it may not exist yet.

    `scripts/livekit-server` builds into the same one. Whoever has no home has it where it works.
    """
    return _folder(platformdirs.user_cache_path, ".cache")


def state_folder() -> Path:
    """The folder for what outlives a process, in the same way: links that have been used."""
    return _folder(platformdirs.user_state_path, ".state")


def _folder(of_user: Callable[[str], Path], otherwise: str) -> Path:
    try:
        folder = of_user("avatar")
    except RuntimeError:  # no home
        folder = Path(otherwise, "avatar")
    return folder.absolute()
