"""The agent's place in the room: it hears every microphone, and talks over the data channel."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from livekit import rtc

from liveavatar.channel import CONTROL, RESPONSE
from liveavatar.wire import AVATAR_IDENTITY
from pipelines.joining import join
from pipelines.microphone import is_off
from sandbox.agent.mixer import PIECE_MS, RATE, Mixer
from sandbox.room import JOIN_TIMEOUT_S, LEAVE_TIMEOUT_S

Microphone = tuple[rtc.AudioStream, "asyncio.Task[None]"]


class Seat:
    """A participant that listens; built, joined once, left once.

    Attributes:
        company: set once somebody is there beside the avatar.
        deaf: whether nothing is told and nothing is heard over the data channel.
        there: set while somebody is there.
        left: set while nobody is there any more.
    """

    def __init__(
        self,
        heard: Callable[[bytes], Awaitable[None]],
        ordered: Callable[[bytes], None],
        watch: Callable[["asyncio.Task[None]"], None],
    ) -> None:
        """`heard` is given s16le mono 16 kHz, `ordered` commands, `watch` tasks that are done."""
        self._heard, self._ordered, self._watch = heard, ordered, watch
        self._room = rtc.Room()
        self._mixer = Mixer()
        self._microphones: dict[str, Microphone] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.company, self.there, self.left = (asyncio.Event() for _ in range(3))
        self.deaf = self._leaves = False
        self._room.on("participant_connected", self._met)
        self._room.on("participant_disconnected", self._parted)
        self._room.on("track_published", self._published)
        self._room.on("track_subscribed", self._subscribed)
        self._room.on("track_unsubscribed", self._unsubscribed)
        self._room.on("data_received", self._received)
        self._room.on("disconnected", self._lost)

    async def join(self, url: str, token: str) -> None:
        """Join. Raises: rtc.ConnectError, TimeoutError when it did not work."""
        async with asyncio.timeout(JOIN_TIMEOUT_S):
            options = rtc.RoomOptions(auto_subscribe=False)
            await join(self._room.connect(url, token, options), lambda: self._room)
        for participant in self._room.remote_participants.values():
            self._met(participant)
            for publication in participant.track_publications.values():
                self._published(publication, participant)

    @property
    def reaches(self) -> bool:
        """Whether what it tells arrives."""
        return self._room.isconnected() and not self.deaf

    async def tell(self, packet: bytes) -> None:
        """Send everybody an event; who is in no room any more tells nobody."""
        if self.reaches:
            with contextlib.suppress(rtc.participant.PublishDataError):
                await self._room.local_participant.publish_data(packet, topic=RESPONSE)

    def is_muted(self) -> bool:
        """Whether every microphone is off, and there is one."""
        return is_off(self._room, AVATAR_IDENTITY)

    async def leave(self) -> None:
        """Leave the room, and listen no more."""
        self._leaves = True
        for sid in list(self._microphones):
            await self._close(sid)
        # A server that does not answer a goodbye in time is left without one.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                if self._room.isconnected():
                    await self._room.disconnect()

    def _met(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != AVATAR_IDENTITY:
            self.company.set()
            self.there.set()
            self.left.clear()

    def _parted(self, participant: rtc.RemoteParticipant) -> None:
        # Who comes back has the same name.
        left = [
            each for each in self._room.remote_participants.values() if each.sid != participant.sid
        ]
        if all(each.identity == AVATAR_IDENTITY for each in left):
            self._is_empty()

    def _lost(self, *_: object) -> None:
        """The room is gone: nobody can be met in it any more."""
        if not self._leaves:
            self._is_empty()

    def _is_empty(self) -> None:
        self.there.clear()
        self.left.set()

    def _published(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        sounds = publication.kind == rtc.TrackKind.KIND_AUDIO
        if sounds and participant.identity != AVATAR_IDENTITY:
            publication.set_subscribed(True)

    def _subscribed(self, track: rtc.Track, *_: object) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=PIECE_MS)
        listening = asyncio.create_task(self._listen(track.sid, stream))
        listening.add_done_callback(self._watch)
        self._microphones[track.sid] = stream, listening

    def _unsubscribed(self, track: rtc.Track, *_: object) -> None:
        if track.sid in self._microphones:
            closing = asyncio.create_task(self._close(track.sid))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            closing.add_done_callback(self._watch)

    async def _listen(self, sid: str, stream: rtc.AudioStream) -> None:
        async for event in stream:
            pcm = self._mixer.hear(sid, bytes(event.frame.data))
            if pcm:
                await self._heard(pcm)

    async def _close(self, sid: str) -> None:
        if sid not in self._microphones:
            return
        stream, listening = self._microphones.pop(sid)
        self._mixer.forget(sid)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await stream.aclose()

    def _received(self, packet: rtc.DataPacket) -> None:
        if packet.topic == CONTROL and not self.deaf:
            self._ordered(packet.data)
