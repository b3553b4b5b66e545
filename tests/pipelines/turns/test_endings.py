"""A conversation that is to end, whatever is stuck in it."""

import asyncio

from pipecat.frames.frames import CancelFrame, Frame, TTSSpeakFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from pipelines.host import ENDING_TIMEOUT_S, GOODBYE_TIMEOUT_S, Host
from pipelines.persona import Persona
from tests.pipelines.turns.clock import room_loop
from tests.pipelines.turns.test_recovery import pass_time
from tests.standins.stage import running

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
