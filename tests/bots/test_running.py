"""How conversations end with their process."""

import asyncio
import signal

import pytest
from pipecat.frames.frames import CancelFrame

from bots.running import Running, Stop
from tests.standins.stage import Stage, running


async def ended(signals: list[signal.Signals]) -> tuple[Stage, list[str]]:
    """A conversation whose process gets signals, and whose farewell takes for ever."""
    held, stop, said = Running(), Stop(), []

    async def farewell() -> None:
        said.append("Goodbye.")
        if len(signals) > 1:
            stop.ask(signals[1])
        await asyncio.Event().wait()

    async with running() as stage:
        await stage.worker.flush_pipeline()

        async def converse() -> None:
            with held.holding(stage.worker, farewell):
                await stage.first(CancelFrame)

        conversation = asyncio.create_task(converse())
        await asyncio.sleep(0)
        assert len(held) == 1
        stop.ask(signals[0])
        await asyncio.wait_for(held.end_all(stop), 5)
        await conversation
    return stage, said


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_users_are_told_of_an_update_unless_it_hurries(second):
    stage, said = await ended([signal.SIGTERM, second])
    assert said == ["Goodbye."] and stage.all(CancelFrame)


async def test_ctrl_c_waits_for_nobody():
    stage, said = await ended([signal.SIGINT])
    assert not said and stage.all(CancelFrame)


async def test_who_has_heard_the_farewell_is_not_waited_for():
    held, stop = Running(), Stop()
    async with running() as stage:
        over = asyncio.Event()

        async def converse() -> None:
            async def farewell() -> None:
                over.set()

            with held.holding(stage.worker, farewell):
                await over.wait()

        conversation = asyncio.create_task(converse())
        await asyncio.sleep(0)
        stop.ask(signal.SIGTERM)
        await asyncio.wait_for(held.end_all(stop), 5)
        await conversation
        assert not stage.all(CancelFrame) and len(held) == 0
