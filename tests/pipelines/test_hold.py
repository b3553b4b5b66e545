"""Who drops and comes back, on a real pipeline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pipecat.frames.frames import (
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    EagerEndOfTurnCancelFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMTextFrame,
    TTSSpeakFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection

from pipelines.hold import Hold
from tests.standins.stage import Probe, Stage, running
from tests.talk.app import until

EVENTS = ("on_user_gone", "on_user_back", "on_user_left")
BACK = "We were cut off."


@dataclass
class Line:
    """A hold between the stage's probes, and one probe of what comes through."""

    hold: Hold
    stage: Stage
    told: list[str] = field(default_factory=list)
    through: list[Any] = field(default_factory=list)

    async def settled(self) -> None:
        """Wait until everything has passed that is under way."""
        await self.stage.worker.flush_pipeline()

    async def bot_says(self, *, all_of_it: bool) -> None:
        """The avatar begins to speak, and may come to the end."""
        frames = [BotStartedSpeakingFrame()] + all_of_it * [BotStoppedSpeakingFrame()]
        for frame in frames:
            await self.stage.worker.queue_frame(frame, FrameDirection.UPSTREAM)
        await self.settled()

    def came(self, kind: type) -> list[Any]:
        """What of a kind came through."""
        return [frame for frame in self.through if isinstance(frame, kind)]

    async def until(self, *told: str) -> None:
        """Wait until exactly this was told."""
        await until(lambda: self.told == list(told), 10)


@asynccontextmanager
async def line(limit_s: float = 60, *, promised: bool = True) -> AsyncIterator[Line]:
    """Somebody talks with an avatar."""
    hold, through = Hold(limit_s, BACK, period_s=0.01), []
    mind = Probe(through, asyncio.Condition())
    hold.follow([mind])
    async with running(hold, mind) as stage:
        made = Line(hold, stage, through=through)
        for event in EVENTS:
            hold.add_event_handler(event, lambda _, event=event: made.told.append(event))
        if promised:
            hold.may_return()
        await made.settled()
        yield made


def question() -> LLMContextFrame:
    return LLMContextFrame(LLMContext([{"role": "user", "content": "Who are you?"}]))


def guess() -> LLMContextFrame:
    return replace(question(), speculation=True)


@pytest.mark.parametrize(("limit_s", "promised"), [(60, False), (0, True)])
async def test_who_cannot_come_back_is_let_go_at_once(limit_s, promised):
    async with line(limit_s, promised=promised) as call:
        await call.hold.drop()
        await call.until("on_user_left")
        assert not call.hold.away and not call.came(InterruptionFrame)


async def test_who_drops_is_waited_for_and_then_given_up():
    async with line(limit_s=0.05) as call:
        await call.hold.drop()
        await call.hold.drop()
        assert call.hold.away
        await call.until("on_user_gone", "on_user_left")


async def test_who_says_goodbye_is_not_waited_for():
    async with line() as call:
        call.hold.leave()
        await call.hold.drop()
        await call.until("on_user_left")
        assert not call.hold.away


async def test_the_avatar_falls_silent_and_says_so_when_they_are_back():
    async with line() as call:
        await call.bot_says(all_of_it=False)
        await call.hold.drop()
        await call.settled()
        assert call.came(InterruptionFrame)
        await call.stage.play(TTSSpeakFrame("Are you still there?"))
        await call.settled()
        await call.hold.meet()
        await call.hold.resume()
        await call.hold.resume()
        await call.until("on_user_gone", "on_user_back")
        await call.settled()
        assert [frame.text for frame in call.came(TTSSpeakFrame)] == [BACK]


async def test_who_lost_nothing_is_told_nothing():
    async with line() as call:
        await call.stage.play(question(), LLMTextFrame("I am Mira."))
        await call.settled()
        await call.bot_says(all_of_it=True)
        await call.hold.drop()
        await call.hold.meet()
        await call.hold.resume()
        await call.settled()
        assert not call.came(TTSSpeakFrame) and len(call.came(LLMContextFrame)) == 1


@pytest.mark.parametrize("when", ["before", "while away"])
async def test_a_question_that_was_not_answered_is_answered_on_return(when):
    async with line() as call:
        asked = question()
        if when == "before":
            await call.stage.play(asked)
            await call.settled()
        await call.hold.drop()
        if when == "while away":
            await call.stage.play(asked, LLMContextFrame(LLMContext(), speculation=True))
            await call.settled()
            assert not call.came(LLMContextFrame)
        call.through.clear()
        await call.hold.meet()
        await call.hold.resume(anew=True)
        await call.settled()
        assert call.came(LLMContextFrame) == [asked] and not call.came(TTSSpeakFrame)


@pytest.mark.parametrize("ends", ["before", "while away"])
async def test_a_spoken_question_that_was_guessed_is_answered_on_return(ends):
    async with line() as call:
        await call.stage.play(guess())
        await call.settled()
        if ends == "before":
            await call.stage.play(UserStoppedSpeakingFrame())
        await call.settled()
        await call.hold.drop()
        if ends == "while away":
            await call.stage.play(UserStoppedSpeakingFrame())
        await call.settled()
        call.through.clear()
        await call.hold.meet()
        await call.hold.resume()
        await call.settled()
        (asked,) = call.came(LLMContextFrame)
        assert not asked.speculation and asked.context.messages[-1]["content"] == "Who are you?"


async def test_a_guess_that_was_wrong_is_not_answered_on_return():
    async with line() as call:
        for frame in (guess(), EagerEndOfTurnCancelFrame(), UserStoppedSpeakingFrame()):
            await call.stage.play(frame)
            await call.settled()
        call.through.clear()
        await call.hold.drop()
        await call.hold.meet()
        await call.hold.resume()
        await call.settled()
        assert not call.came(LLMContextFrame)


@pytest.mark.parametrize("all_of_it", [True, False])
async def test_a_word_of_patience_is_no_answer(all_of_it):
    async with line() as call:
        await call.stage.play(question())
        await call.settled()
        await call.bot_says(all_of_it=all_of_it)
        await call.hold.drop()
        call.through.clear()
        await call.hold.meet()
        await call.hold.resume()
        await call.settled()
        assert len(call.came(LLMContextFrame)) == 1 and not call.came(TTSSpeakFrame)


async def test_an_answer_that_follows_a_word_of_patience_without_a_break_is_one():
    async with line() as call:
        await call.stage.play(question())
        await call.settled()
        await call.bot_says(all_of_it=False)
        await call.stage.play(LLMTextFrame("I am Mira."))
        await call.settled()
        await call.stage.worker.queue_frame(BotSpeakingFrame(), FrameDirection.UPSTREAM)
        await call.bot_says(all_of_it=True)
        call.through.clear()
        await call.hold.drop()
        await call.hold.meet()
        await call.hold.resume()
        await call.settled()
        assert not call.came(LLMContextFrame)


async def test_who_drops_again_before_the_answer_gets_it_when_they_are_back_again():
    async with line() as call:
        await call.stage.play(question())
        await call.settled()
        for asked in (1, 2, 3):
            assert len(call.came(LLMContextFrame)) == asked
            await call.hold.drop()
            await call.hold.meet()
            await call.hold.resume()
            await call.settled()


async def test_who_drops_before_the_greeting_is_greeted_on_return():
    async with line() as call:
        await call.hold.drop()
        await call.stage.play(TTSSpeakFrame("Hello."))
        await call.settled()
        assert not call.came(TTSSpeakFrame)
        await call.hold.meet()
        await call.hold.resume(anew=True)
        await call.settled()
        assert [frame.text for frame in call.came(TTSSpeakFrame)] == ["Hello."]


async def test_a_page_that_was_loaded_anew_is_told_that_it_goes_on():
    async with line() as call:
        await call.bot_says(all_of_it=True)
        await call.hold.drop()
        await call.hold.meet()
        await call.hold.resume(anew=True)
        await call.settled()
        assert [frame.text for frame in call.came(TTSSpeakFrame)] == [BACK]


@pytest.mark.parametrize("heard_out", [False, True])
async def test_who_was_told_while_the_page_was_still_loading_is_not_told_again(heard_out):
    async with line() as call:
        await call.bot_says(all_of_it=False)
        await call.hold.drop()
        await call.hold.meet()
        await call.hold.resume()
        await call.settled()
        await call.bot_says(all_of_it=heard_out)
        await call.hold.meet()
        await call.hold.resume(anew=True)
        await call.settled()
        told = [BACK, BACK] if heard_out else [BACK]
        assert [frame.text for frame in call.came(TTSSpeakFrame)] == told


@pytest.mark.parametrize("promised", [True, False])
async def test_who_comes_again_is_back_before_they_were_missed_if_they_said_they_would(promised):
    async with line(promised=promised) as call:
        await call.hold.meet()
        assert not call.hold.is_back
        await call.hold.meet()
        assert call.hold.is_back is promised
        await call.hold.resume(anew=True)
        assert not call.hold.is_back


async def test_what_was_said_before_they_were_missed_is_said_to_be_cut_off():
    async with line() as call:
        call.hold.watch(lambda: bool(call.told))
        await call.bot_says(all_of_it=True)
        await call.until("on_user_gone", "on_user_back")
        await call.settled()
        assert [frame.text for frame in call.came(TTSSpeakFrame)] == [BACK]


async def test_who_is_not_reached_any_more_is_missed_before_the_transport_says_so():
    async with line() as call:
        await call.bot_says(all_of_it=False)
        reached = True
        call.hold.watch(lambda: reached)
        reached = False
        await call.until("on_user_gone")
        reached = True
        await call.until("on_user_gone", "on_user_back")
        await call.settled()
        assert [frame.text for frame in call.came(TTSSpeakFrame)] == [BACK]
