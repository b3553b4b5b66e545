"""Whatever fails, and whenever: who asks is answered, or told why not."""

import asyncio
import os
import secrets

import pytest
from loguru import logger

from tests.faults.chance import hold_many

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
    return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))


async def test_no_question_is_met_with_silence_and_nothing_stays_open(quiet):
    seed = secrets.randbelow(1_000_000)
    print(f"seed {seed}")
    first = await hold_many([seed], 1, questions=2)
    before = held()
    talks = first + await hold_many(range(seed + 1, seed + TALKS), TALKS, questions=2)
    assert not [fault for talk in talks for fault in talk.silent], f"seed {seed}"
    assert not [talk for talk in talks if talk.lost or talk.doubled], f"seed {seed}"
    assert held() == before, f"seed {seed}"
