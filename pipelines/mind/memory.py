"""How a long conversation stays within what its mind can read: what is old becomes a summary."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from pipecat.processors.aggregators.llm_response_universal import LLMAssistantAggregatorParams
from pipecat.services.llm_service import LLMService
from pipecat.utils.context.llm_context_summarization import (
    LLMAutoContextSummarizationConfig,
    LLMContextSummaryConfig,
)

NEWEST = 6
LONGEST_S = 60.0


@runtime_checkable
class Forgetful(Protocol):
    """A mind that reads no more than so many tokens."""

    @property
    def window(self) -> int:
        """How many tokens prompt, history and answer may have together."""
        ...


def memory_of(minds: Sequence[LLMService[Any]]) -> LLMAssistantAggregatorParams:
    """What Pipecat is to do about the history of minds, of which the most forgetful sums it up.

    The mind is asked aside, not by a frame: a summary that fails is no failure of the conversation,
    whose oldest turns are left out then.
    """
    forgetful = [mind for mind in minds if isinstance(mind, Forgetful)]
    if not forgetful:
        return LLMAssistantAggregatorParams()
    llm = min(forgetful, key=lambda mind: mind.window)
    return LLMAssistantAggregatorParams(
        enable_auto_context_summarization=True,
        auto_context_summarization_config=LLMAutoContextSummarizationConfig(
            max_context_tokens=llm.window * 2 // 5,
            max_unsummarized_messages=None,
            summary_config=LLMContextSummaryConfig(
                target_context_tokens=llm.window // 8,
                min_messages_after_summary=NEWEST,
                llm=llm,
                summarization_timeout=LONGEST_S,
            ),
        ),
    )
