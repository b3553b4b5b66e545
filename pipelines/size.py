"""How large pictures are."""

from .settings import Settings


def picture_size(settings: Settings, face: str) -> tuple[int, int]:
    """(width, height) in pixels of the pictures a face sends."""
    if face not in ("heygen", "liveavatar"):
        return settings.avatar_size
    from liveavatar.wire import Quality  # whose package brings a client, which only these need

    return Quality(settings.liveavatar_quality).size
