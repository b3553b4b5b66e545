"""Which of LiveAvatar's avatars is asked for, and for how long."""

import math

from liveavatar.wire import SANDBOX_AVATARS

from .persona import Persona
from .settings import Settings

# A session outlives the longest conversation by so much, which is time for a goodbye.
GOODBYE_S = 60
DEFAULT_AVATAR = "1c690fe7-23e0-49f9-bfba-14344450285b"


def avatar_id(settings: Settings, persona: Persona) -> str:
    """The avatar to ask for: the one set, else the persona's, else a public one."""
    fallback = SANDBOX_AVATARS[0] if settings.liveavatar_sandbox else DEFAULT_AVATAR
    return settings.liveavatar_avatar_id or persona.avatar.get("heygen") or fallback


def longest_s(settings: Settings) -> int:
    """After how many seconds LiveAvatar ends a session, whatever has become of this process."""
    asked_s = settings.liveavatar_max_duration_s
    return asked_s or math.ceil(settings.avatar_max_duration_s) + GOODBYE_S
