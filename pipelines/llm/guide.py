"""The guide: a scripted mind that needs no model, no key and no network."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pipecat.adapters.llm.base_llm_adapter import BaseLLMAdapter
from pipecat.frames.frames import (
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
)
from pipecat.processors.aggregators.llm_context import (
    LLMContext,
    LLMContextMessage,
    LLMSpecificMessage,
    standard_message_text,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings
from pipecat.turns.empty_user_turn import EmptyUserTurnConfig
from pipecat.utils.tracing.service_decorators import traced_llm

from guide import KNOWLEDGE, GuideError, Matcher, Memory, Script, load_knowledge
from pipelines.errors import BadSetting
from pipelines.language import check_language
from pipelines.once import once

if TYPE_CHECKING:
    import aiohttp
    from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema

    from pipelines.persona import Persona
    from pipelines.settings import Settings

LANGUAGES = ("en",)
WORD_DELAY_S = 0.015
# Questions that it had no part in and knows of all the same; each takes some milliseconds.
RECALLED = 8
# What Pipecat puts last when the avatar was cut off and no word followed.
CUT_OFF = EmptyUserTurnConfig().interrupted_prompt


class GuideAdapter(BaseLLMAdapter[dict[str, Any]]):
    """A context as it is logged and traced; a script has no tools.

    Pipecat's own adapter would import OpenAI's client with the first conversation.
    """

    @property
    def id_for_llm_specific_messages(self) -> str:
        """Whose messages are left to it among those for one model alone."""
        return "guide"

    async def get_llm_invocation_params(self, context: LLMContext, **_: Any) -> dict[str, Any]:
        """The messages as they are."""
        return {"messages": self.get_messages(context)}

    def to_provider_tools_format(self, tools_schema: "ToolsSchema") -> list[Any]:
        """A script calls no tools."""
        return []

    def get_messages_for_logging(self, context: LLMContext) -> list[dict[str, Any]]:
        """The messages, without what is no text."""
        messages = self.get_messages(context, truncate_large_values=True)
        return cast("list[dict[str, Any]]", messages)


class GuideLLMService(LLMService):
    """Streams a script's answers as a model streams its own, one word per frame."""

    adapter_class = GuideAdapter

    def __init__(self, script: Script, *, word_delay_s: float = WORD_DELAY_S) -> None:
        """`word_delay_s` (seconds) passes before each word that follows the first sentence."""
        super().__init__(settings=_no_model())
        self._script = script
        self._word_delay_s = word_delay_s
        # What the script remembered before it answered the turn of that number.
        self._before: dict[int, Memory] = {}

    def can_generate_metrics(self) -> bool:
        """Time to first byte and processing time are measured, as for a model."""
        return True

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Answer the context of an LLMContextFrame; pass every other frame on."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        await self.start_processing_metrics()
        try:
            await self._process_context(frame.context)
        finally:
            await self.stop_processing_metrics()
            await self.push_frame(LLMFullResponseEndFrame())

    @traced_llm
    async def _process_context(self, context: LLMContext) -> None:
        await self._answer(context.get_messages())

    async def _answer(self, messages: Sequence[LLMContextMessage]) -> None:
        """Stream the answer to what the user said last, or to a noise that cut the last one off.

        Other instructions are not answered.
        """
        said = _last_words(messages, "user")
        if not said:
            if _last_words(messages, "developer")[-1:] == [CUT_OFF]:
                await self._stream(self._script.cut_off().split())
            return
        earlier = messages[: -len(said)]
        if not self._before:
            await asyncio.to_thread(self._recall, earlier)
        self._return_to(_turns(messages))
        self._script.greeted(" ".join(_last_words(earlier, "assistant")))
        await self.start_ttfb_metrics()
        topic = await asyncio.to_thread(self._script.topic, said[-1], " ".join(said))
        await self._stream(self._script.reply(topic).split())

    def forget(self) -> None:
        """The next question begins another conversation."""
        self._script.forget()
        self._before = {}

    def _recall(self, messages: Sequence[LLMContextMessage]) -> None:
        """Know what was asked in a conversation that somebody else has led until now."""
        said = [m for m in messages if not isinstance(m, LLMSpecificMessage)]
        asked = [standard_message_text(m) for m in said if m["role"] == "user"]
        self._script.recall(asked[-RECALLED:], " ".join(_last_words(messages, "assistant")))

    def _return_to(self, turn: int) -> None:
        """Forget the answer to a turn that is asked for again: the one before was not heard."""
        self._script.memory = self._before.setdefault(turn, self._script.memory)
        self._before = {turn: self._before[turn]}

    async def _stream(self, words: Sequence[str]) -> None:
        await self.stop_ttfb_metrics()
        within_first_sentence = True
        for at, word in enumerate(words):
            if not within_first_sentence:
                await asyncio.sleep(self._word_delay_s)
            await self._push_llm_text(word if at == 0 else f" {word}")
            within_first_sentence &= not word.endswith((".", "!", "?"))


def build(settings: "Settings", persona: "Persona", http: "aiohttp.ClientSession") -> LLMService:
    """The service; one for each conversation, as it remembers what it said.

    Raises:
        BadSetting: guide.md cannot be understood; names the line. Or the language is not English.
    """
    return GuideLLMService(Script(_matcher_for(persona), persona.name))


def _matcher_for(persona: "Persona") -> Matcher:
    fix = "set LLM=ollama, or GOOGLE_API_KEY"
    check_language(persona, LANGUAGES, "the guide, which answers in English", fix)
    return _matcher(KNOWLEDGE)


@once
def _matcher(path: Path) -> Matcher:
    """Preparing takes a tenth of a second of CPU, so conversations share the matcher."""
    try:
        return Matcher(load_knowledge(path))
    except GuideError as error:
        raise BadSetting(error.where, error.problem, error.fix) from None


def warm_up(settings: "Settings", persona: "Persona") -> None:
    """Prepare the matcher before the first conversation.

    Raises:
        BadSetting: as build() would.
    """
    _matcher_for(persona)


def _last_words(messages: Sequence[LLMContextMessage], role: str) -> list[str]:
    """The texts of the messages at the end that are of one role, the oldest first."""
    texts: list[str] = []
    for message in reversed(messages):
        if isinstance(message, LLMSpecificMessage) or message["role"] != role:
            break
        texts.insert(0, standard_message_text(message))
    return texts


def _turns(messages: Sequence[LLMContextMessage]) -> int:
    """How many turns the user has had."""
    texts = (m for m in messages if not isinstance(m, LLMSpecificMessage))
    return sum(message["role"] == "user" for message in texts)


def _no_model() -> LLMSettings:
    return LLMSettings(
        model="guide",
        system_instruction=None,
        temperature=None,
        max_tokens=None,
        top_p=None,
        top_k=None,
        frequency_penalty=None,
        presence_penalty=None,
        seed=None,
        filter_incomplete_user_turns=False,
        user_turn_completion_config=None,
        use_provider_thinking_default=False,
    )
