"""What was probably said is asked ahead of the end; of all that was asked, one is answered."""

import asyncio

import pytest
from pipecat.frames.frames import (
    EagerEndOfTurnCancelFrame,
    EagerTranscriptionFrame,
    Frame,
    LLMRunFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
)

from tests.pipelines.turns.room import QUESTION, SHORT, open_room

pytestmark = pytest.mark.patient

BEGUN = "What can you"


def guess(text: str) -> Frame:
    return EagerTranscriptionFrame(text, "", "")


def ended(text: str) -> list[Frame]:
    return [TranscriptionFrame(text, "", "", finalized=True), ProposedUserStoppedSpeakingFrame()]


@pytest.mark.parametrize("thinks_s", [0.0, 0.3])
@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([guess(BEGUN), EagerEndOfTurnCancelFrame(), guess(QUESTION)], id="withdrawn"),
        pytest.param([guess(BEGUN), guess(QUESTION)], id="replaced"),
        pytest.param([guess(BEGUN)], id="never said"),
        pytest.param([guess(QUESTION), EagerEndOfTurnCancelFrame(), guess(QUESTION)], id="again"),
    ],
)
async def test_all_that_is_asked_at_once_has_one_answer(room, frames, thinks_s):
    room.mind.thinks_s = thinks_s
    await room.worker.queue_frames([ProposedUserStartedSpeakingFrame(), *frames, *ended(QUESTION)])
    await room.answer(room.now_s)
    await room.quiet()
    assert room.agreed() == [("user", QUESTION), ("avatar", SHORT)]
    assert room.played == SHORT.split()


async def test_a_guess_at_which_a_slow_mind_is_gives_way_to_the_newer_one(room):
    room.mind.thinks_s = 0.5
    await room.worker.queue_frames([ProposedUserStartedSpeakingFrame(), guess(BEGUN)])
    await room.wait(0.1)
    newer_s = room.now_s
    await room.worker.queue_frames([guess(QUESTION), *ended(QUESTION)])
    assert await room.answer(newer_s) - newer_s < 0.9
    await room.quiet()
    assert room.mind.asked == [BEGUN, QUESTION]
    assert room.played == SHORT.split()


async def test_what_is_asked_during_an_answer_does_not_cut_it_short(room):
    room.mind.thinks_s = 0.2
    await room.worker.queue_frames(
        [ProposedUserStartedSpeakingFrame(), guess(QUESTION), *ended(QUESTION)]
    )
    await room.wait(0.1)
    await room.worker.queue_frame(LLMRunFrame())
    await room.answer(room.now_s)
    await room.quiet()
    assert room.played == SHORT.split() * 2


async def test_no_clock_of_a_guess_is_left_when_there_is_a_newer_one_or_none(room_time, tmp_path):
    def clocks() -> int:
        return sum("_speculation_timeout" in task.get_name() for task in asyncio.all_tasks())

    async with open_room(tmp_path) as room:
        await room.worker.queue_frames(
            [ProposedUserStartedSpeakingFrame(), guess(BEGUN), guess(QUESTION)]
        )
        await room.wait(0.1)
        assert clocks() == 1
    assert not clocks()
