"""Tests of turns run in a room with a time of its own."""

import pytest

pytest.register_assert_rewrite("tests.pipelines.turns.room")

from tests.pipelines.turns.clock import RoomLoop  # noqa: E402
from tests.pipelines.turns.room import open_room  # noqa: E402


def pytest_asyncio_loop_factories(config, item):
    """The room's event loop."""
    return {"room": RoomLoop}


@pytest.fixture
async def room(tmp_path):
    """A conversation that has just begun."""
    async with open_room(tmp_path) as room:
        yield room
