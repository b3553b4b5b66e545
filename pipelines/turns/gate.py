"""One answer to a turn, however often the mind was asked what it might be.

The mind may be asked again before it has come to an earlier question: the frame that withdraws one
is a system frame and can overtake it (pipecat/frames/frames.py:1422 and :636). The end of the turn
overtakes both, and Pipecat's gate would let out the answers to both. This one knows which question
is the newest.
"""

from collections.abc import Sequence
from typing import Any

from pipecat.frames.frames import (
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.turns.speculation_gate import GatedFrame, SpeculationGate

ANSWER = (LLMFullResponseStartFrame, LLMTextFrame, LLMFullResponseEndFrame)


class OneAnswer(SpeculationGate):
    """A gate that lets out no answer to a guess when something newer has been asked."""

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)
        self._asked: LLMContextFrame | None = None
        # What the mind is at while it is not known whether it was said.
        self._guess: LLMContextFrame | None = None

    def watch(self, turns: LLMContextAggregatorPair, minds: Sequence[LLMService[Any]]) -> None:
        """Stand at the minds' exit, and know what they are asked and what they begin with."""
        turns.user().add_event_handler("on_before_push_frame", self._on_asked)
        for mind in minds:
            mind._speculation_gate = self
            mind.add_event_handler("on_before_process_frame", self._on_begun)

    def process(self, frame: Frame, direction: FrameDirection) -> list[GatedFrame]:
        """Decide what a frame releases."""
        if direction != FrameDirection.DOWNSTREAM:
            return super().process(frame, direction)
        if self._is_void and isinstance(frame, ANSWER):
            return []
        kept = self._end_turn() if isinstance(frame, UserStoppedSpeakingFrame) else []
        return kept + super().process(frame, direction)

    @property
    def _is_void(self) -> bool:
        """Whether the mind is at a guess while something newer waits for it."""
        return self._guess is not None and self._guess is not self._asked

    def _end_turn(self) -> list[GatedFrame]:
        """Forget what is held if it is void; otherwise it is no guess any more."""
        if self._is_void:
            return self._discard()
        self._guess = None
        return []

    def _on_asked(self, _turns: FrameProcessor, frame: Frame) -> None:
        if isinstance(frame, LLMContextFrame):
            self._asked = frame

    def _on_begun(self, _llm: FrameProcessor, frame: Frame) -> None:
        if isinstance(frame, LLMContextFrame):
            sure = not frame.speculation or (self._turn_ended and frame is self._asked)
            self._guess = None if sure else frame
