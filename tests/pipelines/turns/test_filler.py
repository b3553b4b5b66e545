"""A few words while the mind lets the user wait."""

from pipecat.frames.frames import (
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
)

from pipelines.turns.filler import Filler
from tests.standins.stage import running

THINKING = "Let me think."


async def test_an_answer_that_takes_long_is_preceded_by_the_filler_which_is_not_remembered():
    async with running(Filler(THINKING, wait_s=0.5)) as stage:
        await stage.play(LLMFullResponseStartFrame())
        said = await stage.first(TTSSpeakFrame)
        assert said.text == THINKING and said.append_to_context is False
        await stage.play(LLMTextFrame("Yes."), LLMFullResponseEndFrame())
        await stage.first(LLMFullResponseEndFrame)
        assert len(stage.all(TTSSpeakFrame)) == 1


async def test_an_answer_that_comes_at_once_or_not_at_all_has_none():
    async with running(Filler(THINKING, wait_s=0.5)) as stage:
        await stage.play(LLMFullResponseStartFrame(), LLMTextFrame("Yes."))
        await stage.first(LLMTextFrame)
        await stage.play(LLMFullResponseEndFrame(), LLMFullResponseStartFrame())
        await stage.play(InterruptionFrame())
        await stage.first(InterruptionFrame)
        # Another answer's filler comes after what an earlier one would have brought.
        await stage.play(LLMFullResponseStartFrame())
        await stage.first(TTSSpeakFrame)
        assert len(stage.all(TTSSpeakFrame)) == 1
