"""The guard's tests have a time of their own."""

import asyncio

import pytest

from tests.pipelines.guard.house import House, open_house
from tests.pipelines.turns.clock import RoomLoop


def pytest_asyncio_loop_factories(config, item):
    """A loop whose time the test moves on, for whoever asks for the house."""
    in_house = {"house", "open_house"} & set(item.fixturenames)
    return {"house": RoomLoop} if in_house else {"real": asyncio.new_event_loop}


@pytest.fixture
async def house():
    """A guarded face that is there, and two that can stand in for it."""
    async with open_house() as house:
        await house.until(lambda: house.shown == "face", "the face")
        yield house


@pytest.fixture(name="open_house")
def opening():
    """Opens a house otherwise."""
    return open_house


__all__ = ["House"]
