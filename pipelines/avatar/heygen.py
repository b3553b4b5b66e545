"""HeyGen LiveAvatar in LITE mode, through Pipecat's HeyGenVideoService."""

import aiohttp
from pipecat.frames.frames import Frame, TTSAudioRawFrame, TTSStartedFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessorSetup
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.services.heygen.client import ServiceType
from pipecat.services.heygen.video import HeyGenVideoService

from pipelines.heygen import connected, redirect, session_request, why_not_connected
from pipelines.persona import Persona
from pipelines.settings import Settings

GONE = "The face is gone; the voice goes on."


class LiveAvatarVideoService(HeyGenVideoService):
    """HeyGenVideoService that lets the voice pass when there is no face to speak it."""

    def __init__(self, settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> None:
        super().__init__(
            api_key=settings.liveavatar_api_key.get_secret_value(),
            session=http,
            session_request=session_request(settings, persona),
            service_type=ServiceType.LIVE_AVATAR,
        )
        self._app_settings = settings
        self._told = False

    @property
    def shows_face(self) -> bool:
        """Whether there is a face to wait for."""
        return connected(self._client)

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Open the session; one that came up half would only cost money."""
        await super().setup(setup)
        if self._client and not self.shows_face:
            await self._client.stop()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Give the voice to the face, or straight to the user when there is none."""
        if isinstance(frame, TTSAudioRawFrame) and not self.shows_face:
            await super(HeyGenVideoService, self).process_frame(frame, direction)
            await self._tell()
            await self.push_frame(frame, direction)
            return
        await super().process_frame(frame, direction)
        # HeyGenVideoService keeps this frame, without which a greeting is no turn of the avatar.
        if isinstance(frame, TTSStartedFrame):
            await self.push_frame(frame, direction)

    async def _tell(self) -> None:
        if self._told:
            return
        self._told = True
        why = await why_not_connected(self._app_settings, self._session)
        await self.push_error(f"{GONE} {why}")
        await self.push_frame(RTVIServerMessageFrame({"type": "notice", "text": GONE}))


def build(
    settings: Settings, persona: Persona, http: aiohttp.ClientSession
) -> LiveAvatarVideoService:
    """The service."""
    redirect(settings)
    return LiveAvatarVideoService(settings, persona, http)
