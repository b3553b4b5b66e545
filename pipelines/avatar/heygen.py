"""HeyGen LiveAvatar in LITE mode, through Pipecat's HeyGenVideoService."""

import asyncio
import math
from collections.abc import Iterable

import aiohttp
from pipecat.frames.frames import (
    AudioRawFrame,
    Frame,
    InterruptionFrame,
    SpeechOutputAudioRawFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessorSetup
from pipecat.services.heygen.client import HEY_GEN_SAMPLE_RATE, ServiceType
from pipecat.services.heygen.video import HeyGenVideoService

from pipelines.lite import (
    check_account,
    connected,
    redirect,
    session_request,
    why_not_connected,
)
from pipelines.media.follower import Follower
from pipelines.media.words import Words, is_timed
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.trouble import FACE_GONE, face_lost

# Seconds of voice in a message. LiveAvatar takes pieces of any size, as small as the 20 ms that its
# own SDK began with, and advises a second.
FIRST_PIECE_S, LONGEST_PIECE_S = 0.02, 1.0
# So much of what was given so far waits for more at most: a face that waits for a whole second of
# voice, when it was given little before, stands still meanwhile.
WAITING_SHARE = 0.5


class LiveAvatarVideoService(HeyGenVideoService):
    """HeyGenVideoService that lets the voice pass when there is no face to speak it.

    Its words wait until the avatar's own voice is heard: how long the avatar takes is not known.
    The first piece of an utterance is the smallest; each is longer than the one before.
    """

    def __init__(self, settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> None:
        super().__init__(
            api_key=settings.liveavatar_api_key.get_secret_value(),
            session=http,
            session_request=session_request(settings, persona),
            service_type=ServiceType.LIVE_AVATAR,
        )
        self._app_settings = settings
        self._leaving: asyncio.Task[None] | None = None
        self._words = Words()
        self._follower = Follower()
        self._user_speaks = False
        # Seconds of the utterance given so far.
        self._uttered_s = 0.0

    @property
    def shows_face(self) -> bool:
        """Whether there is a face to wait for."""
        return connected(self._client)

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Open the session; one that came up half would only cost money."""
        await super().setup(setup)
        self._first_chunk_size = piece_bytes(0)
        if self._client and not self.shows_face:
            await self._client.stop()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Give the voice to the face, or straight to the user when there is none."""
        if isinstance(frame, TTSAudioRawFrame) and not self.shows_face:
            await super(HeyGenVideoService, self).process_frame(frame, direction)
            await self._miss_face()
            await self.push_frame(frame, direction)
            return
        await self._follow(frame)
        await super().process_frame(frame, direction)
        # HeyGenVideoService keeps this frame, without which a greeting is no turn of the avatar.
        if isinstance(frame, TTSStartedFrame):
            await self.push_frame(frame, direction)

    async def push_frame(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> None:
        """Push a frame; one that belongs to a moment of the voice waits for the avatar's."""
        if isinstance(frame, TTSStoppedFrame):
            self._words.end()
        elif is_timed(frame, direction) and self.shows_face:
            self._words.hold(frame, self.get_clock().get_time())
            return
        await super().push_frame(frame, direction)
        if isinstance(frame, SpeechOutputAudioRawFrame):
            await self._push_words(self._words.until(self._follower.hear(frame)))

    async def _push_words(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            await super().push_frame(frame)

    async def _follow(self, frame: Frame) -> None:
        match frame:
            case TTSAudioRawFrame():
                self._lengthen_pieces(frame)
                self._words.give(frame, self.get_clock().get_time())
                self._follower.give(frame)
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
        await self._push_words(self._words.interrupt())
        self._follower.interrupt()
        if self._client and self.shows_face and not self._user_speaks:
            await self._handle_user_started_speaking()
            await self._client.stop_agent_listening()

    async def cleanup(self) -> None:
        """Leave nothing behind that still wonders why there is no face."""
        if self._leaving:
            await self.cancel_task(self._leaving)
        await super().cleanup()

    async def _on_participant_audio_data(self, audio_frame: AudioRawFrame) -> None:
        """Push the avatar's sound; once it speaks no more, its silence would cut up the voice."""
        if self.shows_face:
            await super()._on_participant_audio_data(audio_frame)

    async def _miss_face(self) -> None:
        """Go on without a face; the voice waits for nothing of what that takes."""
        if not self._leaving:
            await self._push_words(self._words.until(math.inf))
            self._leaving = self.create_task(self._leave())

    async def _leave(self) -> None:
        """End what is left of the session, which costs money, and say what happened."""
        if self._client:
            await self._client.stop()
        why = await why_not_connected(self._app_settings, self._session)
        await self.push_error(f"{FACE_GONE} {why}")
        await self.push_frame(face_lost())


def piece_bytes(uttered_s: float) -> int:
    """How much voice to send next, when so much of the utterance is given: bytes of s16le mono."""
    piece_s = min(LONGEST_PIECE_S, max(FIRST_PIECE_S, uttered_s * WAITING_SHARE))
    return 2 * round(piece_s * HEY_GEN_SAMPLE_RATE)


def build(
    settings: Settings, persona: Persona, http: aiohttp.ClientSession
) -> LiveAvatarVideoService:
    """The service."""
    redirect(settings)
    return LiveAvatarVideoService(settings, persona, http)


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    await check_account(settings, http)
