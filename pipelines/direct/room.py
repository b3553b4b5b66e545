"""The user's own LiveKit room when LiveAvatar's avatar is in it: voices are received, and nothing
else; the bot speaks and shows a picture only while there is no avatar.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from livekit import rtc
from pipecat.frames.frames import Frame, OutputAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessorSetup
from pipecat.transports.livekit.transport import (
    LiveKitOutputTransport,
    LiveKitParams,
    LiveKitTransport,
    LiveKitTransportClient,
)

from pipelines.guard.seat import ElsewhereFrame
from pipelines.media.publisher import Publisher
from pipelines.media.video import ToRoom

from .avatars import Avatars, is_sent
from .face import SaidVoiceFrame

Connect = Callable[..., Awaitable[None]]


class Microphones(LiveKitTransportClient):
    """Listens to users' microphones alone, and takes no avatar for a user.

    Its base receives, and so decodes, every track there is (livekit/transport.py:353).

    Attributes:
        avatars: told when what one publishes, or what is received of it, is another thing.
    """

    avatars: Avatars

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Make the room, unless it is made."""
        if self._room:
            return
        await super().setup(setup)
        self.room.on("track_published", self._choose)
        self.room.on("track_unpublished", lambda _, participant: self._look(participant))
        for event in ("track_muted", "track_unmuted"):
            self.room.on(event, lambda participant, _: self._look(participant))
        self.room.connect = self._connecting(self.room.connect)  # type: ignore[method-assign]

    def _connecting(self, connect: Connect) -> Connect:
        """Joins the room without subscribing to everything."""

        async def joined(url: str, token: str, options: rtc.RoomOptions) -> None:
            await connect(url, token, replace(options, auto_subscribe=False))
            for participant in self.room.remote_participants.values():
                for publication in participant.track_publications.values():
                    self._choose(publication, participant)
            self.avatars.changed()

        return joined

    def _choose(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        """Listen to a user's microphone."""
        if is_sent(participant):
            self.avatars.changed()
        elif publication.kind == rtc.TrackKind.KIND_AUDIO:
            publication.set_subscribed(True)

    def _look(self, participant: rtc.Participant) -> None:
        """What an avatar publishes is another thing."""
        if isinstance(participant, rtc.RemoteParticipant) and is_sent(participant):
            self.avatars.changed()

    async def _async_on_track_subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if is_sent(participant):
            self.avatars.changed()
        else:
            await super()._async_on_track_subscribed(track, publication, participant)

    async def _async_on_track_unsubscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if is_sent(participant):
            self.avatars.changed()
        else:
            await super()._async_on_track_unsubscribed(track, publication, participant)

    async def _participant_connected(self, participant_id: str) -> None:
        if not is_sent(self.room.remote_participants.get(participant_id)):
            await super()._participant_connected(participant_id)

    async def _async_on_participant_disconnected(self, participant: rtc.RemoteParticipant) -> None:
        if not is_sent(participant):
            await super()._async_on_participant_disconnected(participant)

    def get_participants(self) -> list[str]:
        """The identities of everybody else but avatars."""
        everybody = self.room.remote_participants.items()
        return [identity for identity, participant in everybody if not is_sent(participant)]


class DirectOutput(LiveKitOutputTransport):
    """LiveKitOutputTransport that leaves to the avatar what the avatar says."""

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Let the room hear any other voice."""
        return isinstance(frame, SaidVoiceFrame) or await super().write_audio_frame(frame)


class DirectTransport(LiveKitTransport):
    """LiveKitTransport with that output, and ears for users alone."""

    _client: Microphones

    def __init__(self, url: str, token: str, room: str, params: LiveKitParams) -> None:
        super().__init__(url, token, room, params)
        callbacks = self._client._callbacks
        self._client = Microphones(url, token, room, params, callbacks, self.name)

    def follow(self, avatars: Avatars) -> None:
        """Tell when an avatar publishes something."""
        self._client.avatars = avatars

    @property
    def room(self) -> rtc.Room | None:
        """The room, once it is made."""
        return self._client._room

    def output(self) -> LiveKitOutputTransport:
        """The output transport."""
        if not self._output:
            self._output = DirectOutput(self, self._client, self._params, name=self._output_name)
        return self._output


class Camera(ToRoom):
    """Shows pictures in the room, as long as there is no avatar that does so itself."""

    def __init__(self, publisher: Publisher, size: tuple[int, int]) -> None:
        super().__init__(publisher.show, size)
        self._publisher = publisher

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take the bot's own picture away when users see the avatar."""
        if isinstance(frame, ElsewhereFrame):
            self.newest.forget()
            self.newest.shown.set()
            self.create_task(self._publisher.hide())
        await super().process_frame(frame, direction)

    async def cleanup(self) -> None:
        """Give back what is held."""
        await super().cleanup()
        await self._publisher.aclose()
