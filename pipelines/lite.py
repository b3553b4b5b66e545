"""What LiveAvatar is asked for in a LITE session, and whether it came."""

import aiohttp
from pipecat.services.heygen.api_liveavatar import (
    AvatarPersona,
    LiveAvatarApiError,
    LiveAvatarNewSessionRequest,
    VideoEncoding,
    VideoQuality,
    VideoSettings,
)

from liveavatar.rest import LiveAvatarError, check_key
from sessions.ledger import NOT_KEPT, LedgerError

from .errors import PartFailed
from .heygen import LiteClient, cause
from .likeness import avatar_id, longest_s
from .meeting import Invitation
from .persona import Persona
from .redaction import redacted
from .settings import Settings
from .trouble import SLOW


def session_request(settings: Settings, persona: Persona) -> LiveAvatarNewSessionRequest:
    """A LITE session as the settings describe it."""
    return LiveAvatarNewSessionRequest(
        mode="LITE",
        avatar_id=avatar_id(settings, persona),
        is_sandbox=settings.liveavatar_sandbox,
        avatar_persona=_persona(settings),
        max_session_duration=longest_s(settings),
        video_settings=VideoSettings(
            encoding=VideoEncoding(settings.liveavatar_codec),
            quality=VideoQuality(settings.liveavatar_quality),
        ),
    )


def _persona(settings: Settings) -> AvatarPersona | None:
    """LITE needs no persona, so one is sent only for a language that was asked for."""
    return AvatarPersona(language=language) if (language := settings.avatar_language) else None


async def joined_room(
    client: LiteClient, settings: Settings, http: aiohttp.ClientSession
) -> Invitation:
    """The room a connected client is in, with the token of its user.

    Raises:
        PartFailed: the client did not connect; says why.
    """
    await client.greeted()
    if isinstance(client.failure, LedgerError):
        raise PartFailed(f"No session at LiveAvatar is begun, for {NOT_KEPT}.")
    if not client.usable:
        raise PartFailed(await why_not_connected(client.failure, settings, http))
    assert client._heyGen_session
    return Invitation(client._heyGen_session.livekit_url, client._heyGen_session.access_token)


async def why_not_connected(
    failure: Exception | None, settings: Settings, http: aiohttp.ClientSession
) -> str:
    """The cause of a client without session, if it is not known found by asking the server."""
    url = settings.liveavatar_base_url
    if isinstance(failure, TimeoutError):
        return f"LiveAvatar at {url} {SLOW}."
    if isinstance(failure, LiveAvatarApiError) and _tells(failure.status):
        return f"LiveAvatar {cause(failure.status)}."
    try:
        await check_key(http, url, settings.liveavatar_api_key.get_secret_value())
    except LiveAvatarError as error:
        return redacted(f"LiveAvatar refused the session: {error}")
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"LiveAvatar at {url} cannot be reached ({type(error).__name__})."
    return (
        f"LiveAvatar at {url} accepts the key but gave no session: check LIVEAVATAR_AVATAR_ID, "
        "your credits and how many sessions run."
    )


def _tells(status: int) -> bool:
    """Whether a status says all there is to know."""
    return status in (402, 429) or status >= 500
