"""LiveAvatar's avatars in the user's own LiveKit room: let in, looked for, and shown out."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import aiohttp
from livekit import api, rtc
from loguru import logger
from pipecat.frames.frames import AudioRawFrame
from pipecat.services.heygen.api_liveavatar import CustomSDKLiveKitConfig

from pipelines.settings import Settings

# So long after its session was asked for, an avatar may enter. Who is in the room stays.
ENTRY_S = 600.0
# Who is in the room hears and sees a new track after so long.
SUBSCRIBED_S = 0.5
# What LiveKit's own agents tell by, so that any page knows whom an avatar speaks for.
ON_BEHALF = "lk.publish_on_behalf"
REMOVAL_S = 3.0
OPENING_S = 10.0
NEEDED = {rtc.TrackKind.KIND_AUDIO, rtc.TrackKind.KIND_VIDEO}
# How an avatar is listened to: enough for telling its words apart, in few pieces.
HEARD_HZ, PIECE_MS = 16_000, 40
T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A room on a LiveKit server; `bot` is the identity of this process in it."""

    url: str
    room: str
    bot: str


@dataclass(frozen=True)
class Pass:
    """What lets one avatar in."""

    identity: str
    token: str = field(repr=False)


def entry(settings: Settings, place: Place) -> Pass:
    """A pass for one avatar more: each has an identity of its own, for one may follow another.

    It may publish, and send data, without which LiveAvatar does not start (liveavatar-protocol: 7);
    it hears nobody.
    """
    identity = f"avatar-{uuid.uuid4().hex[:8]}"
    grants = api.VideoGrants(
        room_join=True,
        room=place.room,
        can_publish=True,
        can_publish_data=True,
        can_subscribe=False,
        can_update_own_metadata=False,
    )
    token = api.AccessToken(*_keys(settings)).with_identity(identity).with_kind("agent")
    token = token.with_grants(grants).with_attributes({ON_BEHALF: place.bot})
    return Pass(identity, token.with_ttl(timedelta(seconds=ENTRY_S)).to_jwt())


def _keys(settings: Settings) -> tuple[str, str]:
    secrets = (settings.livekit_api_key, settings.livekit_api_secret)
    key, secret = (each.get_secret_value() for each in secrets)
    return key, secret


def is_sent(participant: rtc.RemoteParticipant | None) -> bool:
    """Whether a participant was let in as the avatar of another one, be it by a former process."""
    agent = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    return bool(participant and participant.kind == agent and ON_BEHALF in participant.attributes)


class Avatars:
    """Lets avatars of this conversation into its room, and knows what they do there."""

    def __init__(
        self,
        settings: Settings,
        place: Place,
        room: Callable[[], rtc.Room | None],
        http: aiohttp.ClientSession,
    ) -> None:
        """`room` is the room as this process has joined it."""
        self._settings = settings
        self._place = place
        self._room = room
        self._http = http
        self._changed = asyncio.Event()

    @property
    def reachable(self) -> bool:
        """Whether this process is in the room."""
        room = self._room()
        return room is not None and room.isconnected()

    def invite(self) -> Pass:
        """Let another avatar in."""
        return entry(self._settings, self._place)

    def invitation(self, invited: Pass) -> CustomSDKLiveKitConfig:
        """What LiveAvatar is told of the room."""
        return CustomSDKLiveKitConfig(
            livekit_url=self._place.url,
            livekit_room=self._place.room,
            livekit_client_token=invited.token,
        )

    def changed(self) -> None:
        """This process has joined the room, or what avatars publish there is another thing."""
        self._changed.set()

    async def opened(self) -> None:
        """Wait until this process is in the room, for as long as that takes at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OPENING_S):
                await self._until(lambda: self.reachable)

    async def _until(self, look: Callable[[], T | None]) -> T:
        """Wait until something is found in the room."""
        while not (found := look()):
            self._changed.clear()
            await self._changed.wait()
        return found

    def shows(self, identity: str) -> bool:
        """Whether an avatar publishes a voice and a picture."""
        return {each.kind for each in self._tracks(identity) if not each.muted} >= NEEDED

    def _tracks(self, identity: str) -> list[rtc.RemoteTrackPublication]:
        room = self._room()
        avatar = room.remote_participants.get(identity) if room else None
        return list(avatar.track_publications.values()) if avatar else []

    async def appeared(self, identity: str) -> None:
        """Wait until an avatar is heard and seen by who is in the room, however long it takes.

        Somebody has to listen to it meanwhile.
        """
        await self._until(lambda: self.shows(identity) and self._voice(identity))
        await asyncio.sleep(SUBSCRIBED_S)

    def _voice(self, identity: str) -> rtc.Track | None:
        """The voice of an avatar, once it is received, which is asked for.

        One that follows another is there before that is gone.
        """
        voices = [each for each in self._tracks(identity) if each.kind == rtc.TrackKind.KIND_AUDIO]
        for each in voices:
            if not each.subscribed:
                each.set_subscribed(True)
        return next((each.track for each in voices if each.track), None)

    async def listen(self, identity: str, hear: Callable[[AudioRawFrame], None]) -> None:
        """Tell what is heard of an avatar in the room, until that is cancelled."""
        while True:
            voice = await self._until(lambda: self._voice(identity))
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(_listen(voice, hear))
                await self._until(lambda of=voice: self._voice(identity) is not of)
                listening.cancel()

    async def show_out(self, identity: str) -> None:
        """Have an avatar leave, which may go on speaking when nobody speaks to it any more."""
        who = api.RoomParticipantIdentity(room=self._place.room, identity=identity)
        keys = _keys(self._settings)
        try:
            async with (
                asyncio.timeout(REMOVAL_S),
                api.LiveKitAPI(self._place.url, *keys, session=self._http) as server,
            ):
                await server.room.remove_participant(who)
        except (api.TwirpError, aiohttp.ClientError, TimeoutError) as error:
            if not (isinstance(error, api.TwirpError) and error.code == "not_found"):
                logger.warning(f"The avatar was not removed from the room: {error!r}")


async def _listen(voice: rtc.Track, hear: Callable[[AudioRawFrame], None]) -> None:
    """Tell what is heard of a voice, as long as it is there."""
    stream = rtc.AudioStream(voice, sample_rate=HEARD_HZ, num_channels=1, frame_size_ms=PIECE_MS)
    try:
        async for heard in stream:
            hear(AudioRawFrame(bytes(heard.frame.data), HEARD_HZ, 1))
    finally:
        await stream.aclose()
