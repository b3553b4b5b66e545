"""A mind whose answers are spoken: words and nothing else."""

import asyncio
from dataclasses import dataclass
from typing import Any

from pipecat.frames.frames import Frame, LLMFullResponseEndFrame, LLMFullResponseStartFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings

from pipelines.persona import Persona

from .answer import Answer, whole


@dataclass
class Habit:
    """How a model answers, as far as it is known by now; its conversations share it.

    `begins_with_thought` is whether it is likely to begin with a thought that nothing marks.
    """

    begins_with_thought: bool = False


class SpokenMind(LLMService[Any]):
    """What comes before a vendor's service among the base classes of a mind.

    The words are made on the way out of the mind, so that voice, captions, transcript and memory
    have the same ones, as has the voice that prepares the answer to a turn that is still open.
    """

    def __init__(self, *, persona: Persona, habit: Habit | None = None, **more: Any) -> None:
        """`habit` is the model's, and learns of its answers."""
        super().__init__(**more)
        self._persona = persona
        self._habit = habit or Habit()
        self._answer = self._new_answer()
        self._limit: asyncio.Timeout | None = None

    async def _process_context(self, context: LLMContext) -> None:
        """Answer, until told to give up, of which whoever told it knows."""
        limit = self._limit = asyncio.timeout(None)
        try:
            async with limit:
                await super()._process_context(context)  # type: ignore[misc]
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            self._limit = None

    async def instruct(self, prompt: str) -> None:
        """Be this from the next question on."""
        await self._update_settings(LLMSettings(system_instruction=prompt))

    def give_up(self) -> None:
        """Let go of the answer; it ends where it is."""
        if self._limit:
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def push_frame(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> None:
        """Push a frame; the end of an answer after the rest of its words."""
        if isinstance(frame, LLMFullResponseStartFrame):
            self._answer = self._new_answer()
        elif isinstance(frame, LLMFullResponseEndFrame) and not _is_cut_off():
            await self._conclude()
        await super().push_frame(frame, direction)

    def _new_answer(self) -> Answer:
        begun = self._habit.begins_with_thought
        return Answer(self._persona.language, begun_thought=begun)

    async def _push_llm_text(self, text: str) -> None:
        if words := self._answer.hear(text):
            await super()._push_llm_text(words)

    async def _conclude(self) -> None:
        """Say the rest."""
        rest = self._answer.end()
        self._habit.begins_with_thought = self._answer.begun_thought
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
