"""The rooms that are made for visitors, and the keys to them."""

import time

import pytest

from bots.server.rooms import ROOM_S, daily_room
from pipelines.errors import PartFailed
from pipelines.settings import load_settings
from tests.standins.daily import Daily


def settings_for(vendor):
    return load_settings(daily_api_key=vendor.key, daily_base_url=vendor.api_url)


async def test_a_daily_room_ends_by_itself_whatever_else_is_asked_of_it():
    async with Daily() as vendor:
        asked = {"dailyRoomProperties": {"start_video_off": True}}
        async with daily_room(settings_for(vendor), asked):
            (room,) = vendor.state.rooms.values()
    properties = room["config"]
    assert properties["start_video_off"] and properties["eject_at_room_exp"]
    assert 0 < properties["exp"] - time.time() <= ROOM_S


async def test_the_user_of_a_daily_room_does_not_own_it():
    async with Daily() as vendor, daily_room(settings_for(vendor), {}) as room:
        owns = {token: wish["is_owner"] for token, wish in vendor.state.tokens.items()}
    assert owns == {room.token: True, room.user_token: False}
    assert room.token not in repr(room) and room.user_token not in repr(room)


async def test_a_daily_room_to_which_there_is_no_key_is_deleted_again():
    async with Daily() as vendor:
        vendor.fail("/v1/meeting-tokens", 500)
        with pytest.raises(PartFailed, match="Daily: it has a failure of its own"):
            async with daily_room(settings_for(vendor), {}):
                pytest.fail("there is no room")
        assert vendor.state.deleted and not vendor.state.rooms
        vendor.assert_all_used()
