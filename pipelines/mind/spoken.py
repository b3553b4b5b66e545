"""A mind whose answers are spoken: words and nothing else, and never nothing at all."""

import asyncio
from typing import Any

from pipecat.frames.frames import Frame, LLMFullResponseEndFrame, LLMFullResponseStartFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService

from pipelines.persona import Persona

from .answer import Answer, whole


class SpokenMind(LLMService[Any]):
    """What comes before a vendor's service among the base classes of a mind.

    The words are made on the way out of the mind, so that voice, captions, transcript and memory
    have the same ones, as has the voice that prepares the answer to a turn that is still open.
    """

    def __init__(self, *, persona: Persona, begins_with_thought: bool = False, **more: Any) -> None:
        """`begins_with_thought` is whether the model is likely to begin with a thought."""
        super().__init__(**more)
        self._persona = persona
        self._answer = Answer(persona.language, begun_thought=begins_with_thought)

    async def push_frame(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> None:
        """Push a frame; the end of an answer after the rest of its words."""
        if isinstance(frame, LLMFullResponseStartFrame):
            begun = self._answer.begun_thought
            self._answer = Answer(self._persona.language, begun_thought=begun)
        elif isinstance(frame, LLMFullResponseEndFrame) and not _is_cut_off():
            await self._conclude()
        await super().push_frame(frame, direction)

    async def _push_llm_text(self, text: str) -> None:
        if words := self._answer.hear(text):
            await super()._push_llm_text(words)

    async def _conclude(self) -> None:
        """Say the rest; who has said nothing says so, unless it is for good."""
        rest = self._answer.end()
        if not self._answer.says_something and self.is_usable:
            rest = self._persona.lost
        if rest:
            await super()._push_llm_text(rest)

    async def run_inference(self, context: LLMContext, *args: Any, **more: Any) -> str | None:
        """What the mind answers aside, as a summary, in words."""
        answer = await super().run_inference(context, *args, **more)
        return answer and whole(answer, self._persona.language)


def _is_cut_off() -> bool:
    """Whether what runs was cancelled, as an answer is that the user interrupts."""
    task = asyncio.current_task()
    return bool(task and task.cancelling())
