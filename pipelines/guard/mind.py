"""Every question is answered: by the next mind if one fails, or by a sentence that says so.

A question is open from when a mind begins with it until its answer has ended. Its clock runs while
the user waits: not while the turn may still go on, in which the mind works ahead.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from pipecat.frames.frames import (
    EagerEndOfTurnCancelFrame,
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.llm_switcher import LLMSwitcher
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.turns.speculation_gate import GatedFrame, SpeculationGate, SpeculationState
from pipecat.utils.errors import ErrorCategory

from pipelines.persona import Persona
from pipelines.text import has_sound
from pipelines.trouble import EMPTY, SLOW, STOPPED

from .news import News
from .order import Chain, InOrder
from .work import Work

# A mind that has said no word for so long is taking very long, which is told; and one that stops
# in the middle of an answer for so long will not go on.
NOTICE_S, STALL_S = 2.5, 3.0
# A failure that may pass is no failure of the last mind before it has been asked once more.
AGAIN_S = 0.5
PASSING = (ErrorCategory.RATE_LIMIT, ErrorCategory.SERVER, ErrorCategory.CONNECTIVITY)
Minds = Sequence[LLMService[Any]]


@runtime_checkable
class Stoppable(Protocol):
    """A mind that can be told to stop what it is at."""

    def give_up(self) -> None:
        """Let go of the answer; it ends where it is."""
        ...


class MindChain(Chain, LLMSwitcher[InOrder]):
    """Minds, of which the first that is well is asked."""

    def begins(self, frame: Frame) -> bool:
        """A question may be put to another mind than the one before."""
        return isinstance(frame, LLMContextFrame)


@dataclass
class Question:
    """A question that has no whole answer yet.

    Attributes:
        frame: the question.
        mind: who is to answer it.
        begun: who is at it.
        open: whether the beginning of the answer was let out.
        words: whether some of it was.
        tries: how often it was put to the same mind.
        again: whether it is put to that mind once more, when it has let go.
        waited: whether the user was told that it takes long.
        given_up: whether nobody else is asked.
    """

    frame: LLMContextFrame
    mind: LLMService[Any]
    begun: LLMService[Any] | None = None
    open: bool = False
    words: bool = False
    tries: int = 1
    again: bool = False
    waited: bool = False
    given_up: bool = False


class MindGuard:
    """Watches minds; the answers leave by an exit of each, one answer to each question."""

    def __init__(
        self, minds: Minds, order: InOrder, news: News, persona: Persona, thinking_s: float
    ) -> None:
        """`thinking_s` is how long a mind may be without a word."""
        self._order, self._news, self._persona = order, news, persona
        self._thinking_s = thinking_s
        self._question: Question | None = None
        # Told that a question has no answer, and that nobody says so.
        self.on_unanswered: Callable[[], Coroutine[Any, Any, None]] | None = None
        self._work = Work()
        for mind in minds:
            mind._speculation_gate = Exit(self, mind, mind._speculation_gate)
            mind.add_event_handler("on_before_process_frame", self._on_frame)
            mind.add_event_handler("on_error", self._on_error)

    async def close(self) -> None:
        """Watch nothing any more."""
        await self._work.close()

    async def _on_frame(self, mind: FrameProcessor, frame: Frame) -> None:
        match frame:
            case LLMContextFrame():
                assert isinstance(mind, LLMService)
                self._begin(mind, frame)
            case UserStoppedSpeakingFrame() if mind is self._order.active_service:
                self._start_clock()
            case InterruptionFrame() | EagerEndOfTurnCancelFrame():
                if mind is self._order.active_service:
                    assert isinstance(mind, LLMService)
                    self._withdraw(mind, frame)
            case _:
                pass

    def _begin(self, mind: LLMService[Any], frame: LLMContextFrame) -> None:
        """A mind begins with a question, or with one that was asked before."""
        if mind is not self._order.active_service:
            self._pass_on(frame)
            return
        question = self._question
        if not question or question.frame is not frame:
            self._work.stop_clock()
            question = self._question = Question(frame, mind)
        question.mind = question.begun = mind
        gate = mind._speculation_gate
        if not frame.speculation or (isinstance(gate, Exit) and gate.turn_ended):
            self._start_clock()

    def _pass_on(self, frame: LLMContextFrame) -> None:
        """A question that had waited for a mind which failed meanwhile."""
        successor = self._order.active_service
        assert isinstance(successor, LLMService)
        self._question = Question(frame, successor)
        self._work.do(successor.queue_frame(frame))

    def _withdraw(self, mind: LLMService[Any], frame: Frame) -> None:
        """A question is void; a guess only until the turn ends: after that the mind goes on."""
        question = self._question
        if question and (
            isinstance(frame, InterruptionFrame)
            or (question.frame.speculation and not self._stays(question, mind))
        ):
            self._question = None
            self._work.stop_clock()

    def _stays(self, question: Question, mind: LLMService[Any]) -> bool:
        """Whether a mind is at a guess, and does not let go of it when that is withdrawn."""
        return question.begun is mind and not mind._speculation_gate.is_speculating

    def _start_clock(self) -> None:
        question = self._question
        if question and not question.words:
            self._work.start_clock(self._wait_for_words(question))

    async def _wait_for_words(self, question: Question) -> None:
        """Say that it takes long, and after a while that it has failed."""
        limit_s = self._thinking_s
        if len(self._order.services) > 1 and self._order.has_failed_lately(question.mind):
            limit_s = min(NOTICE_S, limit_s)
        if limit_s > NOTICE_S:
            await asyncio.sleep(NOTICE_S)
            await self._say_that_it_takes_long(question)
            limit_s -= NOTICE_S
        await asyncio.sleep(limit_s)
        self._work.do(self._fail(question, SLOW))

    async def _say_that_it_takes_long(self, question: Question) -> None:
        await self._news.late(question.mind)
        if has_sound(self._persona.waiting) and not question.waited:
            question.waited = True
            waiting = TTSSpeakFrame(self._persona.waiting, append_to_context=False)
            await question.mind.push_frame(waiting)

    async def _wait_for_more(self, question: Question) -> None:
        await asyncio.sleep(STALL_S)
        self._work.do(self._fail(question, STOPPED))

    async def _on_error(self, mind: FrameProcessor, error: ErrorFrame) -> None:
        question = self._question
        if question and question.mind is mind:
            await self._fail(question, error)
        elif mind is self._order.active_service and error.category is not ErrorCategory.APPLICATION:
            await self._news.failed(mind, error, await self._order.fail(mind))

    async def _fail(self, question: Question, why: ErrorFrame | str) -> None:
        """A mind has failed at a question, which the next is asked, unless some was answered."""
        if question is not self._question or question.given_up or question.again:
            return
        self._work.stop_clock()
        mind = question.mind
        await self._take_back(question)
        if self._may_pass(question, why):
            self._ask_again(question)
            return
        successor = await self._order.fail(mind)
        question.given_up = question.words or successor is None
        if not question.given_up:
            assert isinstance(successor, LLMService)
            question.mind, question.tries = successor, 1
        told = await self._news.failed(mind, why, successor)
        if isinstance(why, str) and why != EMPTY and isinstance(mind, Stoppable):
            mind.give_up()
        if question is not self._question:
            return  # withdrawn meanwhile
        if not question.given_up:
            await question.mind.queue_frame(question.frame)
        elif not mind.is_usable and successor is None:
            self._news.end(told)

    async def _take_back(self, question: Question) -> None:
        """Forget what was answered and is held, of which nobody has heard."""
        gate = question.mind._speculation_gate
        if isinstance(gate, Exit) and gate.state is SpeculationState.HOLDING:
            question.open = question.words = False
            for frame, direction in gate.forget():
                await question.mind.push_frame(frame, direction)

    def _may_pass(self, question: Question, why: ErrorFrame | str) -> bool:
        alone = all(
            each is question.mind or self._order.is_ill(each) for each in self._order.services
        )
        passing = isinstance(why, ErrorFrame) and why.category in PASSING
        return alone and passing and not question.words and question.tries == 1

    def _ask_again(self, question: Question) -> None:
        question.again, question.tries = True, 2

        async def ask() -> None:
            await asyncio.sleep(AGAIN_S)
            if question is self._question:
                question.again = False
                await question.mind.queue_frame(question.frame)

        self._work.do(ask())

    # What the exits ask.

    def let_out(self, mind: LLMService[Any], frame: Frame) -> list[Frame]:
        """What of an answer is let out for a frame of it."""
        question = self._question
        if mind is not (question.mind if question else self._order.active_service):
            return []
        if question is None:
            return [frame]
        if isinstance(frame, LLMFullResponseStartFrame):
            begun, question.open = question.open, True
            return [] if begun else [frame]
        if isinstance(frame, LLMTextFrame):
            return self._word(question, frame)
        return self._end(question, frame)

    def _word(self, question: Question, frame: LLMTextFrame) -> list[Frame]:
        question.words = True
        self._order.prove(question.mind)
        self._work.start_clock(self._wait_for_more(question))
        return [frame]

    def _end(self, question: Question, frame: Frame) -> list[Frame]:
        if question.again:
            return []
        if not question.words and not question.given_up:
            self._work.do(self._nothing(question, frame))
            return []
        self._work.stop_clock()
        self._question = None
        begins = [] if question.open else [LLMFullResponseStartFrame()]
        excuse = self._excuse(question)
        if question.given_up and not excuse and self.on_unanswered:
            self._work.do(self.on_unanswered())
        return [*begins, *excuse, frame]

    async def _nothing(self, question: Question, end: Frame) -> None:
        """A mind has ended without a word, and without an error."""
        await self._fail(question, EMPTY)
        if question is self._question and question.given_up:
            await question.mind.push_frame(end)

    def _excuse(self, question: Question) -> list[Frame]:
        """What is said when nobody can go on with an answer."""
        if not question.given_up:
            return []
        usable = any(service.is_usable for service in self._order.services)
        text = self._persona.lost if usable else ""
        return [LLMTextFrame(f"… {text}" if question.words else text)] if has_sound(text) else []


class Exit(SpeculationGate):
    """A mind's exit, in front of the gate that all minds share."""

    def __init__(self, guard: MindGuard, mind: LLMService[Any], gate: SpeculationGate) -> None:
        super().__init__(name=str(gate))
        self._guard, self._mind, self._gate = guard, mind, gate

    @property
    def turn_ended(self) -> bool:
        """Whether the turn that is answered is over."""
        return self._gate._turn_ended

    @property
    def state(self) -> SpeculationState:
        """What the gate does with the frames that pass."""
        return self._gate.state

    @property
    def is_speculating(self) -> bool:
        """Whether the mind is at a turn that may go on."""
        return self._gate.is_speculating

    def begin_speculation(self, speculation: bool) -> None:
        """A mind begins."""
        self._gate.begin_speculation(speculation)

    def forget(self) -> list[GatedFrame]:
        """Drop what is held of an answer; what has to go out all the same."""
        return self._gate._drop_held("the mind has failed", keep_dropping=False)

    def process(self, frame: Frame, direction: FrameDirection) -> list[GatedFrame]:
        """Let out what answers the question, once, as the gate has it."""
        answers = LLMFullResponseStartFrame | LLMTextFrame | LLMFullResponseEndFrame
        if direction != FrameDirection.DOWNSTREAM or not isinstance(frame, answers):
            return self._gate.process(frame, direction)
        out = self._guard.let_out(self._mind, frame)
        return [each for part in out for each in self._gate.process(part, direction)]
