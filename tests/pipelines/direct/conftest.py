"""A LiveKit room with the bot in it, which LiveAvatar's avatars may join."""

import uuid
from collections.abc import AsyncIterator

import aiohttp
import pytest
from livekit import rtc

from pipelines.direct.avatars import Avatars, Place
from pipelines.direct.room import Camera, DirectTransport
from pipelines.media.publisher import Publisher
from pipelines.settings import load_settings
from pipelines.transport.livekit import params
from sandbox import LiveKit
from tests.standins.stage import Stage, running
from tests.talk.app import until

MINUTE_S, SIZE = 60, (320, 180)


class Hall:
    """A room with the bot in it; `came` are the users it was told of."""

    def __init__(self, livekit: LiveKit, http: aiohttp.ClientSession) -> None:
        keys = {"livekit_api_key": livekit.key, "livekit_api_secret": livekit.secret}
        self.http, self.name = http, f"direct-{uuid.uuid4().hex[:8]}"
        self.settings = load_settings(livekit_url=livekit.url, **keys)
        token = livekit.token(self.name, "bot", MINUTE_S)
        self.transport = DirectTransport(livekit.url, token, self.name, params(SIZE, camera=False))
        place = Place(livekit.url, self.name, "bot")
        self.avatars = Avatars(self.settings, place, lambda: self.transport.room, http)
        self.transport.follow(self.avatars)
        self.camera = Camera(Publisher(lambda: self.transport.room, SIZE), SIZE)
        self.came: list[str] = []
        self.transport.add_event_handler(
            "on_client_connected", lambda _, who: self.came.append(who["id"])
        )

    @property
    def room(self) -> rtc.Room:
        """The room as the bot has joined it."""
        assert self.transport.room
        return self.transport.room

    @property
    def taken(self) -> set[tuple[str, int]]:
        """What the bot is subscribed to: of whom, and of which kind."""
        return {
            (identity, publication.kind)
            for identity, participant in self.room.remote_participants.items()
            for publication in participant.track_publications.values()
            if publication.subscribed
        }


@pytest.fixture
async def hall(livekit: LiveKit) -> AsyncIterator[tuple[Hall, Stage]]:
    async with aiohttp.ClientSession() as http:
        hall = Hall(livekit, http)
        transport = hall.transport
        async with running(transport.input(), hall.camera, transport.output()) as stage:
            await until(lambda: transport.room and transport.room.isconnected())
            yield hall, stage
