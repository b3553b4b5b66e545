"""The face dies while it speaks: all is heard, and nothing else is written down or remembered."""

import asyncio

import pytest
from loguru import logger

from pipelines.joining import all_left
from tests.faults.deaths import WORDS, Death, die

pytestmark = pytest.mark.realtime
# Twenty points, and how long it takes, are benchmarks.faults.
DEATHS = [
    Death(0.6, freezes=True, interrupts=True),
    Death(1.3, freezes=False, interrupts=False),
]


async def test_the_model_remembers_what_was_heard_and_nothing_else(livekit):
    logger.disable("pipecat")
    try:
        remains = await asyncio.gather(*(die(livekit, death) for death in DEATHS))
    finally:
        logger.enable("pipecat")
        await all_left()
    interrupted, whole = remains
    assert whole.heard == whole.written == whole.remembered == list(WORDS)
    said = interrupted.written
    assert interrupted.remembered == said == list(WORDS[: len(said)])
    # The last word counts from its beginning on.
    assert interrupted.heard in (said, said[:-1])
    assert 1 < len(said) < len(WORDS)
