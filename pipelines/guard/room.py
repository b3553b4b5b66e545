"""LiveAvatar in its own room, where users hear and see it without this process.

What is given out here is what the avatar is to say, seconds ahead; what was heard is told by its
sound, to which the bot listens like any user.
"""

from dataclasses import dataclass

from pipecat.frames.frames import AudioRawFrame, Frame, InterruptionFrame, TTSAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessorSetup

from pipelines.heygen import LiteClient
from pipelines.media.follower import Follower
from pipelines.media.pace import VoiceOnly

from .seat import HeardFrame


@dataclass
class AvatarVoiceFrame(TTSAudioRawFrame):
    """Voice that LiveAvatar is to speak; no other voice of the conversation goes to it."""


class RoomFace(VoiceOnly):
    """Hands the voice on as `AvatarVoiceFrame`s, and tells what is heard of it.

    A face that is lost does not come back: its room has no other avatar.
    """

    piece = AvatarVoiceFrame
    # As much as Pipecat's client sends at once.
    lead_s = 3.0
    tells_heard = True

    def __init__(self, client: LiteClient) -> None:
        super().__init__()
        self._client = client
        self._follower = Follower()
        self._said_s = 0.0
        self.refused = client.avatar_lost

    @property
    def said_s(self) -> float:
        """How much of the voice the avatar has said, in seconds."""
        return self._said_s

    @property
    def shows_face(self) -> bool:
        """Whether the avatar is there."""
        return self._client.usable

    @property
    def why(self) -> str:
        """Why it is not, if that is known."""
        return self._client.why

    @property
    def ends_at_s(self) -> float | None:
        """When LiveAvatar ends the session, by the event loop's clock."""
        return self._client.ends_at_s

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Listen to the avatar; the transport lets it in."""
        await super().setup(setup)
        self._client.on_avatar_sound = self._hear
        await self._client.greeted()

    async def cleanup(self) -> None:
        """Have nothing more to do with it; one that wakes must not say what is said without it."""
        self._client.on_avatar_sound = None
        self._client.avatar_lost = True
        await self._client.interrupt(None)
        await super().cleanup()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Note what the avatar is given to say."""
        if isinstance(frame, TTSAudioRawFrame):
            self._follower.give(frame)
        elif isinstance(frame, InterruptionFrame):
            self._follower.interrupt()
        await super().process_frame(frame, direction)

    async def _hear(self, sound: AudioRawFrame) -> None:
        self._said_s = self._follower.hear(sound)
        await self.push_frame(HeardFrame(sound.audio))
