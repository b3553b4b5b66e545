"""What Pipecat's HeyGen classes leave open: the server's address, and whether they connected.

HeyGenClient swallows every error of its set-up and goes on without a session, so it has to be
asked; its address is a constant of a class. Both are reached here and nowhere else.
"""

import aiohttp
from pipecat.services.heygen.api_liveavatar import (
    AvatarPersona,
    LiveAvatarApi,
    LiveAvatarNewSessionRequest,
    VideoEncoding,
    VideoQuality,
    VideoSettings,
)
from pipecat.services.heygen.client import HeyGenClient

from liveavatar.rest import LiveAvatarError, check_key
from liveavatar.wire import SANDBOX_AVATARS

from .errors import PartFailed, UserError
from .meeting import Invitation
from .persona import Persona
from .settings import Settings

DEFAULT_AVATAR = "1c690fe7-23e0-49f9-bfba-14344450285b"


def redirect(settings: Settings) -> None:
    """Point every LiveAvatarApi of this process at the server the settings name."""
    url = f"{settings.liveavatar_base_url.rstrip('/')}/v1"
    LiveAvatarApi.BASE_URL = url  # pyright: ignore[reportAttributeAccessIssue]


def avatar_id(settings: Settings, persona: Persona) -> str:
    """The avatar to ask for: the one set, else the persona's, else a public one."""
    fallback = SANDBOX_AVATARS[0] if settings.liveavatar_sandbox else DEFAULT_AVATAR
    return settings.liveavatar_avatar_id or persona.avatar.get("heygen") or fallback


def session_request(settings: Settings, persona: Persona) -> LiveAvatarNewSessionRequest:
    """A LITE session as the settings describe it."""
    return LiveAvatarNewSessionRequest(
        mode="LITE",
        avatar_id=avatar_id(settings, persona),
        is_sandbox=settings.liveavatar_sandbox,
        avatar_persona=_persona(settings),
        max_session_duration=settings.liveavatar_max_duration_s,
        video_settings=VideoSettings(
            encoding=VideoEncoding(settings.liveavatar_codec),
            quality=VideoQuality(settings.liveavatar_quality),
        ),
    )


def _persona(settings: Settings) -> AvatarPersona | None:
    """LITE needs no persona, so one is sent only for a language that was asked for."""
    return AvatarPersona(language=language) if (language := settings.avatar_language) else None


async def check_account(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: LiveAvatar cannot be reached.
    """
    key = settings.liveavatar_api_key.get_secret_value()
    try:
        await check_key(http, settings.liveavatar_base_url, key)
    except LiveAvatarError as error:
        raise UserError(error.problem, "check LIVEAVATAR_API_KEY") from None


def connected(client: HeyGenClient | None) -> bool:
    """Whether the client has a session, and its WebSocket and its room are still open."""
    if client is None or client._livekit_room is None:
        return False
    in_room = client._livekit_room.isconnected()
    return bool(client._heyGen_session and client._connected and in_room)


async def joined_room(
    client: HeyGenClient | None, settings: Settings, http: aiohttp.ClientSession
) -> Invitation:
    """The room a connected client is in, with the token of its user.

    Raises:
        PartFailed: the client did not connect; says why.
    """
    if not connected(client):
        raise PartFailed(await why_not_connected(settings, http))
    assert client and client._heyGen_session
    return Invitation(client._heyGen_session.livekit_url, client._heyGen_session.access_token)


async def why_not_connected(settings: Settings, http: aiohttp.ClientSession) -> str:
    """The likely cause of a client without session, found by asking the server."""
    url = settings.liveavatar_base_url
    try:
        await check_key(http, url, settings.liveavatar_api_key.get_secret_value())
    except LiveAvatarError as error:
        return f"LiveAvatar refused the session: {error}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"LiveAvatar at {url} cannot be reached ({type(error).__name__})."
    return (
        f"LiveAvatar at {url} accepts the key but gave no session: check LIVEAVATAR_AVATAR_ID, "
        "your credits and how many sessions run."
    )
