"""Works ahead of the end of a turn: speaks the first sentence before it may be heard.

While a turn is open, Pipecat's gate in the mind holds back the answer to what is probably said. The
voice would begin with it only when the turn has ended, and be heard later by as long as it takes.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from pipecat.frames.frames import (
    EagerEndOfTurnCancelFrame,
    Frame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
)
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.services.tts_service import TTSService
from pipecat.turns.speculation_gate import GatedFrame, SpeculationState
from pipecat.utils.string import match_endofsentence

from .clauses import SLOW_S, Beginnings, first_clause
from .gate import OneAnswer


@runtime_checkable
class PreparingVoice(Protocol):
    """A voice that can make speech ahead."""

    def prepare(self, text: str) -> None:
        """Begin to make the speech of a text that is likely to be asked for next."""
        ...

    def withdraw(self) -> None:
        """Forget what was prepared."""
        ...


def prepare_ahead(
    turns: LLMContextAggregatorPair, minds: Sequence[LLMService[Any]], voices: Sequence[TTSService]
) -> None:
    """Speak an answer's beginning early, and let a first voice that can do so make it ahead."""
    for voice in voices:
        voice._text_aggregator = Beginnings(
            aggregation_type=voice._text_aggregation_mode, language=voice.text_aggregation_language
        )
    name = f"{minds[0]}::SpeculationGate"
    first, beginnings = voices[0], voices[0]._text_aggregator
    gate = OneAnswer(name=name)
    if isinstance(first, PreparingVoice) and isinstance(beginnings, Beginnings):
        gate = WorkingAhead(first, beginnings, name=name)
    gate.watch(turns, minds)


class WorkingAhead(OneAnswer):
    """A gate that shows the voice the beginning of what it holds."""

    def __init__(
        self,
        voice: PreparingVoice,
        beginnings: Beginnings,
        *,
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`beginnings` cuts the answer up for that voice; `clock` tells seconds."""
        super().__init__(name=name)
        self._voice = voice
        self._beginnings = beginnings
        self._clock = clock
        self._text: str | None = None
        self._begun_s = 0.0

    def process(self, frame: Frame, direction: FrameDirection) -> list[GatedFrame]:
        """Decide what a frame releases, as ever, and look at what is held."""
        emitted = super().process(frame, direction)
        if isinstance(frame, EagerEndOfTurnCancelFrame):
            self._voice.withdraw()
            self._beginnings.prepared = ""
        elif self._shows and direction == FrameDirection.DOWNSTREAM:
            self._look(frame)
        return emitted

    @property
    def _shows(self) -> bool:
        return self.state is SpeculationState.HOLDING and not self._is_void

    def _look(self, frame: Frame) -> None:
        if isinstance(frame, LLMFullResponseStartFrame):
            self._text = self._beginnings.prepared = ""
        elif self._text is None:
            return
        elif isinstance(frame, LLMTextFrame):
            self._begun_s = self._begun_s if self._text else self._clock()
            self._text += frame.text
            slow = self._clock() - self._begun_s > SLOW_S
            self._prepare(first_sentence(self._text) or (first_clause(self._text) if slow else ""))
        elif isinstance(frame, LLMFullResponseEndFrame):
            self._prepare(first_sentence(f"{self._text} And") or self._text)

    def _prepare(self, beginning: str) -> None:
        if beginning := beginning.strip():
            self._beginnings.prepared = beginning
            self._voice.prepare(beginning)
            self._text = None


def first_sentence(text: str) -> str:
    """The first sentence of a text, once more has come after it; "" before."""
    end = match_endofsentence(text)
    return text[:end] if 0 < end < len(text.rstrip()) else ""
