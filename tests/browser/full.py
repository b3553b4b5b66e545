"""A LiveKit room with a seat for one, who is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from livekit import api

from sandbox import LiveKit
from sandbox.livekit_server import http_url
from tests.sandbox.caller import Viewer

NAME = "small"
TOKEN_S = 60
LIMIT_S = 15


@dataclass(frozen=True)
class FullRoom:
    """Who is there, and what the address of a second one, `late`, carries behind its `#`."""

    guest: Viewer
    link: str
    server: api.LiveKitAPI

    async def until_late_is_there(self) -> None:
        """Wait until the second one is the only one."""
        asked = api.ListParticipantsRequest(room=NAME)
        async with asyncio.timeout(LIMIT_S):
            while True:
                there = await self.server.room.list_participants(asked)
                if [each.identity for each in there.participants] == ["late"]:
                    return
                await asyncio.sleep(0.05)


@asynccontextmanager
async def full_room(livekit: LiveKit) -> AsyncIterator[FullRoom]:
    """The room, until everybody has left."""
    async with api.LiveKitAPI(http_url(livekit.url), livekit.key, livekit.secret) as server:
        await server.room.create_room(api.CreateRoomRequest(name=NAME, max_participants=1))
        guest = await Viewer.joining(livekit.url, livekit.token(NAME, "guest", TOKEN_S))
        token = livekit.token(NAME, "late", TOKEN_S)
        try:
            yield FullRoom(guest, f"url={livekit.url}&token={token}", server)
        finally:
            await guest.aclose()
            await server.room.delete_room(api.DeleteRoomRequest(room=NAME))
