"""Tests of turns may run in a room with a time of its own."""

import asyncio

import pytest

pytest.register_assert_rewrite("tests.pipelines.turns.room")

from tests.pipelines.turns.clock import RoomLoop  # noqa: E402
from tests.pipelines.turns.room import open_room  # noqa: E402


def pytest_asyncio_loop_factories(config, item):
    """The room's event loop for whoever asks for its time."""
    in_room = "room_time" in item.fixturenames
    return {"room": RoomLoop} if in_room else {"real": asyncio.new_event_loop}


@pytest.fixture
def room_time():
    """Time stands still until the test moves it on."""


@pytest.fixture
async def room(room_time, tmp_path):
    """A conversation that has just begun."""
    async with open_room(tmp_path) as room:
        yield room
