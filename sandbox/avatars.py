"""The avatars one can have: the puppet's packs under LiveAvatar's ids."""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from liveavatar.wire import SANDBOX_AVATARS
from puppet import load_pack, pack_names

STAND_INS = dict(zip(SANDBOX_AVATARS, ("theo", "mira"), strict=True))
DEFAULT_PACK = "mira"
VOICE_LANGUAGE = "en"


def avatar_ids() -> dict[str, str]:
    """Pack by avatar id: one id of its own for each, then LiveAvatar's sandbox avatars."""
    return {_id(name): name for name in pack_names()} | STAND_INS


def pack_of(avatar_id: UUID) -> str:
    """The pack that stands in for an avatar."""
    return avatar_ids().get(str(avatar_id), DEFAULT_PACK)


def voice_ids() -> dict[str, str]:
    """Name by voice id: each pack has a voice of its name."""
    return {_id(f"voice/{name}"): load_pack(name).title for name in pack_names()}


def pack_of_voice(voice_id: str) -> str | None:
    """The pack whose voice a voice id means; None for one that was brought along."""
    return next((name for name in pack_names() if _id(f"voice/{name}") == voice_id), None)


def avatar(avatar_id: str, since: str) -> dict[str, Any]:
    """An avatar as the API shows it; `since` is a time in ISO 8601."""
    pack = load_pack(avatar_ids()[avatar_id])
    return {
        "id": avatar_id,
        "space_id": None,
        "type": "VIDEO",
        "status": "ACTIVE",
        "name": pack.title,
        "preview_url": None,
        "is_expired": False,
        "default_voice": {"id": _id(f"voice/{pack.name}"), "name": pack.title},
        "is_1080p": True,
        "created_at": since,
        "updated_at": since,
        "error_message": None,
    }


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"puppet/{name}"))
