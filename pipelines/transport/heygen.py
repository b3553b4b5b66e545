"""LiveAvatar's own LiveKit room: the bot and the user join it, the face is there already.

The user hears LiveAvatar there, which is sent what to say seconds before and has no volume: an
avatar that is interrupted is not lowered first, it falls silent when the turn is the user's. When
LiveAvatar is lost, the bot speaks in the room itself, shows what stands in, and tells the page.
"""

import asyncio
from typing import Any

import aiohttp
from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputTransportMessageFrame,
    OutputTransportMessageUrgentFrame,
    SpeechOutputAudioRawFrame,
    StartFrame,
    TTSAudioRawFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.heygen.client import HeyGenCallbacks, ServiceType
from pipecat.transports.heygen.transport import (
    HeyGenOutputTransport,
    HeyGenParams,
    HeyGenTransport,
)

from pipelines.account import check_account
from pipelines.guard.room import AvatarVoiceFrame, RoomFace
from pipelines.heygen import AVATAR, LiteClient
from pipelines.lite import joined_room, session_request
from pipelines.media.publisher import Publisher
from pipelines.media.video import ToRoom
from pipelines.meeting import HeyGenRunnerArguments, Invitation, Meeting
from pipelines.microphone import is_off
from pipelines.occupancy import is_occupied
from pipelines.persona import Persona
from pipelines.settings import Settings

# Somebody waits for the room, and is told within 10 s that there is none.
SESSION_LIMIT_S = 8.0
# Of what a page is told, what stands for itself: it has no captions in this room.
TOLD = ("face-lost", "face-back", "notice", "unheard", "over", "failed")


class LiveAvatarOutput(HeyGenOutputTransport):
    """HeyGenOutputTransport whose interruptions reach LiveAvatar, and which can speak itself.

    Its base tells the end of the speech first and then has nothing left to interrupt, although
    LiveAvatar has seconds of it still to say (pipecat/transports/heygen/transport.py:232).
    """

    _client: LiteClient

    def __init__(self, client: LiteClient, params: HeyGenParams, publisher: Publisher) -> None:
        super().__init__(client=client, params=params)
        self._publisher = publisher
        self._opening: asyncio.Task[Any] | None = None

    async def start(self, frame: StartFrame) -> None:
        """Open the bot's own voice, which may be needed at once."""
        await super().start(frame)
        self._opening = self.create_task(self._publisher.open_voice(self.sample_rate))

    async def cleanup(self) -> None:
        """Close the bot's own tracks."""
        if self._opening:
            await self.cancel_task(self._opening)
        await super().cleanup()
        await self._publisher.aclose()

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Let LiveAvatar say what is its to say, and the room hear any other voice."""
        if isinstance(frame, AvatarVoiceFrame) and self._client.avatar_lost:
            return False  # the bot says it
        voice = isinstance(frame, TTSAudioRawFrame | SpeechOutputAudioRawFrame)
        if voice and not isinstance(frame, AvatarVoiceFrame):
            return await self._publisher.speak(frame)
        return await super().write_audio_frame(frame)

    async def send_message(
        self, frame: OutputTransportMessageFrame | OutputTransportMessageUrgentFrame
    ) -> None:
        """Tell the page what it shows as a sentence; its base tells nothing at all."""
        message = frame.message
        if message.get("type") == "server-message" and message["data"].get("type") in TOLD:
            await self._publisher.tell(message)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Silence the avatar, then do as ever."""
        if not isinstance(frame, InterruptionFrame):
            await super().process_frame(frame, direction)
            return
        self._publisher.hush()
        event_id, self._event_id = self._event_id, None
        await self._client.interrupt(event_id)
        await super(HeyGenOutputTransport, self).process_frame(frame, direction)


class LiveAvatarTransport(HeyGenTransport):
    """HeyGenTransport with that output, and a client that says what became of it."""

    _client: LiteClient

    def __init__(
        self,
        settings: Settings,
        persona: Persona,
        http: aiohttp.ClientSession,
        size: tuple[int, int],
    ) -> None:
        params = HeyGenParams(audio_in_enabled=True, audio_out_enabled=True)
        request = session_request(settings, persona)
        super().__init__(
            session=http,
            api_key=settings.liveavatar_api_key.get_secret_value(),
            params=params,
            session_request=request,
            service_type=ServiceType.LIVE_AVATAR,
        )
        callbacks = HeyGenCallbacks(
            on_connected=self._on_connected,
            on_participant_connected=self._on_participant_connected,
            on_participant_disconnected=self._on_participant_disconnected,
        )
        self._client = LiteClient(
            settings, http, request, params, callbacks, limit_s=SESSION_LIMIT_S
        )
        self.publisher = Publisher(lambda: self._client._livekit_room, size)

    def output(self) -> FrameProcessor:
        """The output transport."""
        if not self._output:
            params = HeyGenParams(audio_in_enabled=True, audio_out_enabled=True)
            self._output = LiveAvatarOutput(self._client, params, self.publisher)
        return self._output

    async def _on_participant_connected(self, participant_id: str) -> None:
        if participant_id == AVATAR:
            self._client.avatar_left = False
        await super()._on_participant_connected(participant_id)

    async def _on_participant_disconnected(self, participant_id: str) -> None:
        if participant_id == AVATAR:
            self._client.avatar_left = True
        await super()._on_participant_disconnected(participant_id)


def build(
    settings: Settings,
    http: aiohttp.ClientSession,
    arguments: HeyGenRunnerArguments,
    size: tuple[int, int],
    persona: Persona,
) -> Meeting:
    """The transport, whose session is opened when the conversation starts."""
    transport = LiveAvatarTransport(settings, persona, http, size)

    async def room() -> Invitation:
        return await joined_room(transport._client, settings, http)

    return Meeting(
        transport,
        pictures=(ToRoom(transport.publisher.show, size),),
        face=lambda: RoomFace(transport._client),
        room=room,
        alive=lambda: transport._client.in_room,
        muted=lambda: is_off(transport._client._livekit_room, AVATAR),
        occupied=lambda _gone: is_occupied(transport._client._livekit_room, AVATAR),
        tell=transport._client.tell,
        stay=transport._client.stay,
    )


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    await check_account(settings, http)
