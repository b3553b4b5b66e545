"""HeyGen LiveAvatar in LITE mode, through Pipecat's HeyGenVideoService."""

from collections.abc import Callable
from typing import Protocol

import aiohttp
from pipecat.frames.frames import (
    AudioRawFrame,
    Frame,
    InterruptionFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessorSetup
from pipecat.services.heygen.api_liveavatar import LiveAvatarNewSessionRequest
from pipecat.services.heygen.client import HEY_GEN_SAMPLE_RATE, HeyGenCallbacks, ServiceType
from pipecat.services.heygen.video import HeyGenVideoService
from pipecat.transports.base_transport import TransportParams

from pipelines.account import check_account
from pipelines.guard import cast
from pipelines.heygen import AVATAR, LiteClient
from pipelines.lite import session_request
from pipelines.media.follower import Follower
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.size import picture_size
from sessions.spend import Stay

# Seconds of voice in a message. LiveAvatar takes pieces of any size, as small as the 20 ms that its
# own SDK began with, and advises a second.
FIRST_PIECE_S, LONGEST_PIECE_S = 0.02, 1.0
ROOM_SAMPLE_RATE = 48_000
# So much of what was given so far waits for more at most: a face that waits for a whole second of
# voice, when it was given little before, stands still meanwhile.
WAITING_SHARE = 0.5


class Progress(Protocol):
    """Tells what the avatar was given apart from what it says no more."""

    def give(self, voice: AudioRawFrame) -> None:
        """The face was given more voice."""

    def interrupt(self) -> None:
        """The face says no more of what it was given."""


class LiveAvatarVideoService(HeyGenVideoService):
    """HeyGenVideoService that says whether there is a face, and how far it has come.

    The first piece of an utterance is the smallest; each is longer than the one before.
    """

    def __init__(
        self,
        settings: Settings,
        http: aiohttp.ClientSession,
        request: LiveAvatarNewSessionRequest,
        client: Callable[..., LiteClient] = LiteClient,
    ) -> None:
        """`client` builds the client from the arguments of LiteClient."""
        super().__init__(
            api_key=settings.liveavatar_api_key.get_secret_value(),
            session=http,
            session_request=request,
            service_type=ServiceType.LIVE_AVATAR,
        )
        self._lite = client(
            settings,
            http,
            request,
            TransportParams(
                audio_in_sample_rate=ROOM_SAMPLE_RATE,
                audio_in_enabled=True,
                video_in_enabled=True,
                audio_out_enabled=True,
                audio_out_sample_rate=HEY_GEN_SAMPLE_RATE,
            ),
            HeyGenCallbacks(
                on_connected=self._on_connected,
                on_participant_connected=self._on_participant_connected,
                on_participant_disconnected=self._on_participant_disconnected,
            ),
            connect_as_user=True,
        )
        self._follower = Follower()
        self._progress: Progress = self._follower
        self._user_speaks = False
        # Seconds of the utterance given so far.
        self._uttered_s = 0.0
        self.said_s = 0.0

    @property
    def stay(self) -> Stay:
        """For how long there is a session."""
        return self._lite.stay

    @property
    def shows_face(self) -> bool:
        """Whether there is a face to wait for."""
        return self._lite.usable

    @property
    def refused(self) -> bool:
        """Whether LiveAvatar would refuse the next session as well."""
        return self._lite.refused

    @property
    def why(self) -> str:
        """Why there is none, if that is known."""
        return self._lite.why

    @property
    def ends_at_s(self) -> float | None:
        """When LiveAvatar ends the session, by the event loop's clock."""
        return self._lite.ends_at_s

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Open the session; one that came up half would only cost money."""
        await super(HeyGenVideoService, self).setup(setup)
        self._first_chunk_size = piece_bytes(0)
        self._client = self._lite
        await self._lite.setup(setup)
        await self._lite.greeted()
        if not self.shows_face:
            await self._lite.stop()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Give the voice to the face."""
        await self._follow(frame)
        await super().process_frame(frame, direction)
        # HeyGenVideoService keeps this frame, without which a greeting is no turn of the avatar.
        if isinstance(frame, TTSStartedFrame):
            await self.push_frame(frame, direction)

    async def _follow(self, frame: Frame) -> None:
        match frame:
            case TTSAudioRawFrame():
                self._lengthen_pieces(frame)
                self._progress.give(frame)
            case UserStartedSpeakingFrame():
                self._user_speaks = True
            case UserStoppedSpeakingFrame():
                self._user_speaks = False
            case InterruptionFrame():
                await self._hush()
            case _:
                pass

    def _lengthen_pieces(self, voice: TTSAudioRawFrame) -> None:
        if self._event_id is None and self._queue.empty():  # another utterance begins
            self._uttered_s = 0.0
        self._uttered_s += voice.num_frames / voice.sample_rate
        self._chunk_size = piece_bytes(self._uttered_s)

    async def _hush(self) -> None:
        """Silence the avatar where it is not the user's speech that does."""
        self._progress.interrupt()
        if self.shows_face and not self._user_speaks:
            await self._handle_user_started_speaking()
            await self._lite.stop_agent_listening()

    async def _on_participant_connected(self, participant_id: str) -> None:
        """See and hear the avatar, and nobody else who comes."""
        if participant_id == AVATAR:
            await super()._on_participant_connected(participant_id)

    async def _on_participant_disconnected(self, participant_id: str) -> None:
        if participant_id == AVATAR:
            self._lite.avatar_left = True

    async def _on_participant_audio_data(self, audio_frame: AudioRawFrame) -> None:
        """Push the avatar's sound; how far it has come in the voice is known before."""
        self.said_s = self._follower.hear(audio_frame)
        await super()._on_participant_audio_data(audio_frame)


def piece_bytes(uttered_s: float) -> int:
    """How much voice to send next, when so much of the utterance is given: bytes of s16le mono."""
    piece_s = min(LONGEST_PIECE_S, max(FIRST_PIECE_S, uttered_s * WAITING_SHARE))
    return 2 * round(piece_s * HEY_GEN_SAMPLE_RATE)


def build(
    settings: Settings, persona: Persona, http: aiohttp.ClientSession
) -> LiveAvatarVideoService:
    """The service."""
    return LiveAvatarVideoService(settings, http, session_request(settings, persona))


def warm_up(settings: Settings, persona: Persona) -> None:
    """Prepare what stands in for LiveAvatar, in the size of its pictures.

    Raises:
        BadSetting: it cannot be shown.
    """
    cast.warm_up(settings, persona, picture_size(settings, "heygen"))


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    await check_account(settings, http)
