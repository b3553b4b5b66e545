"""LiveAvatar's own LiveKit room: the bot and the user join it, the face is there already."""

import aiohttp
from pipecat.services.heygen.client import ServiceType
from pipecat.transports.heygen.transport import HeyGenParams, HeyGenTransport

from pipelines.lite import check_account, connected, joined_room, redirect, session_request
from pipelines.meeting import HeyGenRunnerArguments, Invitation, Meeting
from pipelines.persona import Persona
from pipelines.settings import Settings


def build(
    settings: Settings,
    http: aiohttp.ClientSession,
    arguments: HeyGenRunnerArguments,
    size: tuple[int, int],
    persona: Persona,
) -> Meeting:
    """The transport, whose session is opened when the conversation starts."""
    redirect(settings)
    transport = HeyGenTransport(
        session=http,
        api_key=settings.liveavatar_api_key.get_secret_value(),
        params=HeyGenParams(audio_in_enabled=True, audio_out_enabled=True),
        session_request=session_request(settings, persona),
        service_type=ServiceType.LIVE_AVATAR,
    )

    async def room() -> Invitation:
        return await joined_room(transport._client, settings, http)

    return Meeting(
        transport, brings_face=True, room=room, alive=lambda: connected(transport._client)
    )


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    await check_account(settings, http)
