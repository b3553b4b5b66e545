"""LiveAvatar's own LiveKit room: the bot and the user join it, the face is there already.

The user hears LiveAvatar there, which is sent what to say seconds before and has no volume: an
avatar that is interrupted is not lowered first, it falls silent when the turn is the user's.
"""

import aiohttp
from pipecat.frames.frames import Frame, InterruptionFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.heygen.client import ServiceType
from pipecat.transports.heygen.transport import (
    HeyGenOutputTransport,
    HeyGenParams,
    HeyGenTransport,
)

from pipelines.lite import check_account, connected, joined_room, redirect, session_request
from pipelines.meeting import HeyGenRunnerArguments, Invitation, Meeting
from pipelines.microphone import is_off
from pipelines.occupancy import is_occupied
from pipelines.persona import Persona
from pipelines.settings import Settings

# LiveAvatar's own identity in the room, by which Pipecat's HeyGenTransport knows it as well.
AVATAR = "heygen"


class LiveAvatarOutput(HeyGenOutputTransport):
    """HeyGenOutputTransport whose interruptions reach LiveAvatar.

    Its base tells the end of the speech first and then has nothing left to interrupt, although
    LiveAvatar has seconds of it still to say (pipecat/transports/heygen/transport.py:232).
    """

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Silence the avatar, then do as ever."""
        if not isinstance(frame, InterruptionFrame):
            await super().process_frame(frame, direction)
            return
        event_id, self._event_id = self._event_id, None
        await self._client.interrupt(event_id)
        await super(HeyGenOutputTransport, self).process_frame(frame, direction)


class LiveAvatarTransport(HeyGenTransport):
    """HeyGenTransport with that output."""

    def output(self) -> FrameProcessor:
        """The output transport."""
        if not self._output:
            self._output = LiveAvatarOutput(client=self._client, params=self._params)
        return self._output


def build(
    settings: Settings,
    http: aiohttp.ClientSession,
    arguments: HeyGenRunnerArguments,
    size: tuple[int, int],
    persona: Persona,
) -> Meeting:
    """The transport, whose session is opened when the conversation starts."""
    redirect(settings)
    transport = LiveAvatarTransport(
        session=http,
        api_key=settings.liveavatar_api_key.get_secret_value(),
        params=HeyGenParams(audio_in_enabled=True, audio_out_enabled=True),
        session_request=session_request(settings, persona),
        service_type=ServiceType.LIVE_AVATAR,
    )

    async def room() -> Invitation:
        return await joined_room(transport._client, settings, http)

    return Meeting(
        transport,
        brings_face=True,
        room=room,
        alive=lambda: connected(transport._client),
        muted=lambda: is_off(transport._client._livekit_room, AVATAR),
        occupied=lambda gone: is_occupied(transport._client._livekit_room, AVATAR, gone),
    )


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    await check_account(settings, http)
