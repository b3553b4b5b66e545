"""A conversation that is to end, whatever is stuck in it."""

import asyncio

import pytest
from pipecat.frames.frames import CancelFrame, Frame, TTSSpeakFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame

from bots.running import FAREWELL_TIMEOUT_S
from pipelines.host import ENDING_TIMEOUT_S, GOODBYE_TIMEOUT_S, Host
from pipelines.persona import Persona
from tests.pipelines.turns.clock import room_loop
from tests.pipelines.turns.test_recovery import pass_time
from tests.standins.stage import running

pytestmark = pytest.mark.patient

LIMIT_S = 60


class Stuck(FrameProcessor):
    """A mind or a voice that does not come to an end."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSSpeakFrame):
            await asyncio.Event().wait()
        await self.push_frame(frame, direction)


async def test_the_longest_duration_holds_although_a_mind_is_stuck(room_time):
    async with running(Stuck()) as stage:
        loop = room_loop()
        Host(stage.worker, Persona(greeting="Hello."), LIMIT_S, idle_s=30).user_came(None)
        await pass_time(loop, LIMIT_S + GOODBYE_TIMEOUT_S + ENDING_TIMEOUT_S - 1)
        assert not stage.all(CancelFrame), "a goodbye that comes late is waited for"
        await pass_time(loop, 2)
        (over,) = stage.all(CancelFrame)
        assert "duration" in str(over.reason)
        going_on = asyncio.create_task(pass_time(loop, LIMIT_S))
    await going_on


async def test_a_server_that_is_stopped_is_told_of_in_time_although_a_voice_is_stuck(room_time):
    async with running(Stuck()) as stage:
        loop = room_loop()
        host = Host(stage.worker, Persona(updating="I am being updated."), LIMIT_S, idle_s=30)
        updating = asyncio.create_task(host.update())
        await pass_time(loop, FAREWELL_TIMEOUT_S - 0.5)
        (told,) = stage.all(RTVIServerMessageFrame)
        assert told.data == {"type": "over", "reason": "update"}
        assert stage.all(CancelFrame)
        going_on = asyncio.create_task(pass_time(loop, LIMIT_S))
    await going_on
    await updating
