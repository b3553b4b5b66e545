"""A Daily room: whether it is there, and what everybody in it is told."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from pipecat.frames.frames import CancelFrame
from pipecat.runner.types import DailyRunnerArguments
from pipecat.transports.daily.transport import DailyTransport

from pipelines.host import Host
from pipelines.meeting import Meeting
from pipelines.persona import Persona
from pipelines.pulse import BEAT
from pipelines.settings import load_settings
from pipelines.transport import daily
from tests.standins.daily_call import DailyCall
from tests.standins.stage import running
from tests.talk.app import until

ROOM = "https://stand-in.daily.invalid/room"


@pytest.fixture
async def meeting() -> AsyncIterator[Meeting]:
    """The bot's side of a room."""
    async with aiohttp.ClientSession() as http:
        yield daily.build(load_settings(), http, DailyRunnerArguments(ROOM), (320, 180))


async def test_a_call_that_daily_ends_ends_the_conversation(meeting):
    transport = meeting.transport
    assert isinstance(transport, DailyTransport) and meeting.alive
    assert not meeting.alive()
    call = DailyCall(transport)
    async with running(transport.input(), transport.output()) as stage:
        await asyncio.wait_for(call.joined.wait(), 20)
        await until(meeting.alive)
        host = Host(stage.worker, Persona(), max_duration_s=60, idle_s=30)
        host.watch(meeting.alive)
        await call.end()
        assert "the room is gone" in str((await stage.first(CancelFrame)).reason)
        await host.close()


async def test_everybody_in_the_room_is_told_that_the_bot_lives(meeting):
    transport = meeting.transport
    assert isinstance(transport, DailyTransport) and meeting.tell and meeting.alive
    call = DailyCall(transport)
    async with running(transport.input(), transport.output()):
        await until(meeting.alive)
        await meeting.tell(BEAT)
        assert await asyncio.wait_for(call.sent.get(), 5) == BEAT
