"""Tests of a pipeline may have a time of their own."""

import asyncio

import pytest

from tests.pipelines.turns.clock import RoomLoop


def pytest_asyncio_loop_factories(config, item):
    """The room's event loop for whoever asks for its time."""
    in_room = "room_time" in item.fixturenames
    return {"room": RoomLoop} if in_room else {"real": asyncio.new_event_loop}


@pytest.fixture
def room_time():
    """Time stands still until the test moves it on."""
