"""LiveAvatar's face in the user's own room: it is sent the voice, and seen and heard without us.

What it is heard to say is given out here as it is heard, as a voice that the bot need not speak:
turns, captions and history follow it like any other.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial

import aiohttp
from pipecat.frames.frames import EndFrame, Frame, StartFrame, TTSAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.processors.frame_processor import FrameDirection

from pipelines.avatar.heygen import LiveAvatarVideoService
from pipelines.guard.rules import ANSWER_S
from pipelines.guard.seat import FIRST_PICTURE_S, ElsewhereFrame
from pipelines.lite import session_request
from pipelines.media.pace import VoiceOnly
from pipelines.persona import Persona
from pipelines.settings import Settings
from sessions.spend import Stay

from .avatars import Avatars
from .client import DirectClient
from .playout import Playout

# An avatar that is not in the room by then does not come: a little less than it is waited for.
ARRIVAL_S = FIRST_PICTURE_S - 1


@dataclass
class SentVoiceFrame(TTSAudioRawFrame):
    """Voice that LiveAvatar is given; its end is at `until_s` of all it was given."""

    until_s: float = 0.0


@dataclass
class SaidVoiceFrame(TTSAudioRawFrame):
    """Voice that users hear from the avatar itself."""


class DirectVideoService(LiveAvatarVideoService):
    """Sends the voice to LiveAvatar, and passes it on with its place."""

    _lite: DirectClient

    def __init__(
        self,
        settings: Settings,
        persona: Persona,
        http: aiohttp.ClientSession,
        avatars: Avatars,
        playout: Playout,
    ) -> None:
        invited = avatars.invite()
        request = session_request(settings, persona)
        request.livekit_config = avatars.invitation(invited)
        client = partial(DirectClient, avatars=avatars, invited=invited, playout=playout)
        super().__init__(settings, http, request, client)
        self._progress = playout
        self._avatars = avatars
        self._identity = invited.identity
        self._playout = playout
        self._tasks: list[asyncio.Task[None]] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Send what is to be said, and say where it is."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            given = SentVoiceFrame(
                frame.audio, frame.sample_rate, frame.num_channels, frame.context_id
            )
            given.until_s = self._playout.given_s
            given.transport_destination = frame.transport_destination
            await self.push_frame(given, direction)
        elif isinstance(frame, StartFrame):
            listening = self._avatars.listen(self._identity, self._playout.hear)
            self._tasks = [self.create_task(listening), self.create_task(self._appear())]

    async def stop(self, frame: EndFrame) -> None:
        """Let the avatar finish first, if it is there."""
        if self.shows_face:
            left_s = self._playout.given_s - self._playout.at_s
            done = self._playout.reach(self._playout.given_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done, left_s + ANSWER_S)
        await super().stop(frame)

    @property
    def kept_out(self) -> bool:
        """Whether LiveAvatar may have failed to join the room."""
        return self._lite.kept_out

    async def _appear(self) -> None:
        coming = asyncio.ensure_future(self._avatars.appeared(self._identity))
        try:
            await asyncio.wait([coming], timeout=ARRIVAL_S)
            self._lite.late = self.shows_face and not coming.done()
            await coming
        finally:
            coming.cancel()
        await self.push_frame(ElsewhereFrame())

    async def _teardown(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            await self.cancel_task(task)
        await super()._teardown()


class Heard(VoiceOnly):
    """Hands the voice on when the avatar is heard to say it; what comes after it waits."""

    piece = SaidVoiceFrame

    def __init__(self, playout: Playout) -> None:
        super().__init__()
        self._playout = playout
        self._at_s = 0.0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Keep the voice until it is heard."""
        if isinstance(frame, SentVoiceFrame):
            self._at_s = frame.until_s - _length_s(frame)
            self._at_s -= _length_s(self._begun) if self._begun else 0.0
        await super().process_frame(frame, direction)

    async def _hand_over(self, piece: TTSAudioRawFrame, direction: FrameDirection) -> None:
        self._at_s += _length_s(piece)
        if await self._playout.reach(self._at_s):
            await self.push_frame(piece, direction)


def _length_s(voice: TTSAudioRawFrame) -> float:
    return voice.num_frames / voice.sample_rate


class DirectFace(Pipeline):
    """The face: there once its avatar publishes a voice and a picture in the room."""

    def __init__(
        self, settings: Settings, persona: Persona, http: aiohttp.ClientSession, avatars: Avatars
    ) -> None:
        self._playout = Playout()
        self._service = DirectVideoService(settings, persona, http, avatars, self._playout)
        super().__init__([self._service, Heard(self._playout)])

    @property
    def stay(self) -> Stay:
        """For how long there is a session."""
        return self._service.stay

    @property
    def shows_face(self) -> bool:
        """Whether there is a face to wait for."""
        return self._service.shows_face

    @property
    def said_s(self) -> float:
        """How much of the voice the avatar has said, in seconds."""
        return self._playout.at_s

    @property
    def refused(self) -> bool:
        """Whether LiveAvatar would refuse the next session as well."""
        return self._service.refused

    @property
    def why(self) -> str:
        """Why there is none, if that is known."""
        return self._service.why

    @property
    def ends_at_s(self) -> float | None:
        """When LiveAvatar ends the session, by the event loop's clock."""
        return self._service.ends_at_s

    @property
    def kept_out(self) -> bool:
        """Whether LiveAvatar may have failed to join the room."""
        return self._service.kept_out
