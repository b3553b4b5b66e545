"""The folder for what is fetched or built once: voices, the LiveKit server."""

from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The application's cache folder, as the system has it; it may not exist yet.

    `scripts/livekit-server` builds into the same one. Whoever has no home has it where it works.
    """
    try:
        folder = platformdirs.user_cache_path("avatar")
    except RuntimeError:  # no home
        folder = Path(".cache", "avatar")
    return folder.absolute()
