"""Tests of turns may run in a room with a time of its own."""

import pytest

pytest.register_assert_rewrite("tests.pipelines.turns.room")

from tests.pipelines.turns.room import open_room  # noqa: E402


@pytest.fixture
async def room(room_time, tmp_path):
    """A conversation that has just begun."""
    async with open_room(tmp_path) as room:
        yield room
