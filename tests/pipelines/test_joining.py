"""A room is joined to its end, also when nobody wants it any more."""

import asyncio
import uuid

import pytest
from livekit import api, rtc

from pipelines.joining import all_left, join
from tests.sandbox.caller import rooms


async def test_a_room_that_nobody_waits_for_any_more_is_joined_and_left(livekit):
    name, room = uuid.uuid4().hex, rtc.Room()
    token = api.AccessToken(livekit.key, livekit.secret).with_identity("somebody")
    token = token.with_grants(api.VideoGrants(room_join=True, room=name)).to_jwt()
    joining = asyncio.create_task(join(room.connect(livekit.url, token), lambda: room))
    await asyncio.sleep(0)
    joining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await joining
    await all_left()
    assert name in await rooms(livekit) and not room.isconnected()
