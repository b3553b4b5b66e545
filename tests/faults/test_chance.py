"""Whatever fails, and whenever: who asks is answered, or told why not."""

import asyncio
import gc
import os
import secrets

import pytest
from loguru import logger

from tests.faults.chance import hold_many
from tests.talk.app import until

TALKS = 4


@pytest.fixture
def quiet():
    """Without the log of what fails on purpose."""
    logger.disable("pipecat")
    logger.disable("pipelines")
    yield
    logger.enable("pipecat")
    logger.enable("pipelines")


def held() -> tuple[int, int]:
    """How many tasks and files are open."""
    gc.collect()
    return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))


async def settled() -> tuple[int, int]:
    """The same, once what was over is closed."""
    count = held()
    for _ in range(20):
        await asyncio.sleep(0.1)
        count, before = held(), count
        if count == before:
            break
    return count


async def test_no_question_is_met_with_silence_and_nothing_stays_open(quiet):
    seed = secrets.randbelow(1_000_000)
    print(f"seed {seed}")
    first = await hold_many([seed], 1, questions=2)
    before = await settled()
    talks = first + await hold_many(range(seed + 1, seed + TALKS), TALKS, questions=2)
    assert not [talk.stuck for talk in talks if talk.stuck]
    assert not [fault for talk in talks for fault in talk.silent], f"seed {seed}"
    assert not [talk for talk in talks if talk.lost or talk.doubled], f"seed {seed}"
    # What was still closing when it was counted before may be gone by now.
    fewer = lambda: all(now <= then for now, then in zip(held(), before, strict=True))  # noqa: E731
    assert await until(fewer, 10), f"seed {seed}"
