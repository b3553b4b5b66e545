"""Works ahead of the end of a turn: speaks the first sentence before it may be heard.

While a turn is open, Pipecat's gate in the mind holds back the answer to what is probably said. The
voice would begin with it only when the turn has ended, and be heard later by as long as it takes.
"""

from typing import Any, Protocol, runtime_checkable

from pipecat.frames.frames import (
    EagerEndOfTurnCancelFrame,
    Frame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.turns.speculation_gate import GatedFrame, SpeculationGate, SpeculationState
from pipecat.utils.string import match_endofsentence


@runtime_checkable
class PreparingVoice(Protocol):
    """A voice that can make speech ahead."""

    def prepare(self, text: str) -> None:
        """Begin to make the speech of a text that is likely to be asked for next."""
        ...

    def withdraw(self) -> None:
        """Forget what was prepared."""
        ...


def prepare_ahead(llm: LLMService[Any], tts: object) -> None:
    """Let a voice that can do so prepare what the mind says too early."""
    if isinstance(tts, PreparingVoice):
        llm._speculation_gate = WorkingAhead(tts, name=f"{llm}::WorkingAhead")


class WorkingAhead(SpeculationGate):
    """A gate that shows the voice the first sentence of what it holds."""

    def __init__(self, voice: PreparingVoice, *, name: str) -> None:
        super().__init__(name=name)
        self._voice = voice
        self._text: str | None = None

    def process(self, frame: Frame, direction: FrameDirection) -> list[GatedFrame]:
        """Decide what a frame releases, as ever, and look at what is held."""
        emitted = super().process(frame, direction)
        if isinstance(frame, EagerEndOfTurnCancelFrame):
            self._voice.withdraw()
        elif self.state is SpeculationState.HOLDING and direction == FrameDirection.DOWNSTREAM:
            self._look(frame)
        return emitted

    def _look(self, frame: Frame) -> None:
        if isinstance(frame, LLMFullResponseStartFrame):
            self._text = ""
        elif self._text is None:
            return
        elif isinstance(frame, LLMTextFrame):
            self._text += frame.text
            self._prepare(first_sentence(self._text))
        elif isinstance(frame, LLMFullResponseEndFrame):
            self._prepare(first_sentence(f"{self._text} And") or self._text)

    def _prepare(self, sentence: str) -> None:
        if sentence.strip():
            self._voice.prepare(sentence.strip())
            self._text = None


def first_sentence(text: str) -> str:
    """The first sentence of a text, once more has come after it; "" before."""
    end = match_endofsentence(text)
    return text[:end] if 0 < end < len(text.rstrip()) else ""
