"""A conversation's history as endpoints of OpenAI's protocol take it, and no longer than they read.

Templates of many open models refuse all but one system message first and then user and assistant
in turns, and some refuse a system message, too. What is longer than the model's window is cut from
the front by Ollama, without a word: it forgets who it is.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from openai.types.chat import ChatCompletionMessageParam
from pipecat.adapters.llm.services.open_ai_adapter import (
    OpenAILLMAdapter,
    OpenAILLMInvocationParams,
)
from pipecat.processors.aggregators.llm_context import LLMContext

Message = dict[str, Any]
GREETED = "You have begun the conversation with these words: "
IN_TURNS = ("user", "assistant")
# A token is four characters of English, and fewer bytes of anything else.
BYTES_PER_TOKEN = 3
TOKENS_PER_MESSAGE, TOKENS_PER_FILE = 8, 1000


class History(OpenAILLMAdapter):
    """The adapter.

    Attributes:
        window: how many tokens history, prompt and answer may have together; None for any number.
        system: whether the endpoint takes a system message.
    """

    window: int | None = None
    system = True

    async def get_llm_invocation_params(
        self,
        context: LLMContext,
        *,
        system_instruction: str | None = None,
        convert_developer_to_user: bool,
    ) -> OpenAILLMInvocationParams:
        """What to ask with."""
        params = await super().get_llm_invocation_params(
            context,
            system_instruction=system_instruction,
            convert_developer_to_user=convert_developer_to_user,
        )
        messages = acceptable(cast(list[Message], params["messages"]))
        if self.window:
            messages = newest(messages, history_tokens(self.window))
        if not self.system:
            messages = without_system(messages)
        params["messages"] = cast(list[ChatCompletionMessageParam], messages)
        return params


def history_tokens(window: int) -> int:
    """How much of a window is for prompt and history; the rest is for the answer."""
    return window * 3 // 4


def acceptable(messages: Iterable[Message]) -> list[Message]:
    """One system message first, then user and assistant in turns, beginning with the user.

    What the assistant said before the user's first word goes to the system message.
    """
    messages = [m for m in messages if m.get("content") or m.get("tool_calls")]
    prompts = [_text(message["content"]) for message in messages if message["role"] == "system"]
    turns = _joined(message for message in messages if message["role"] != "system")
    if turns and turns[0]["role"] == "assistant" and isinstance(turns[0].get("content"), str):
        prompts.append(GREETED + turns.pop(0)["content"])
    prompt = "\n\n".join(prompts)
    return [{"role": "system", "content": prompt}, *turns] if prompt else turns


def without_system(messages: Sequence[Message]) -> list[Message]:
    """The same with the prompt as the beginning of what the user says first."""
    if not messages or messages[0]["role"] != "system":
        return list(messages)
    return _joined([{**messages[0], "role": "user"}, *messages[1:]])


def newest(messages: Sequence[Message], most_tokens: int) -> list[Message]:
    """The prompt and as many of the newest turns as fit; the last one in any case.

    They begin with the user.
    """
    prompt = [message for message in messages[:1] if message["role"] == "system"]
    turns = list(messages[len(prompt) :])
    left = most_tokens - sum(map(tokens, messages))
    while len(turns) > 1 and (left < 0 or turns[0]["role"] != "user"):
        left += tokens(turns.pop(0))
    return [*prompt, *turns]


def tokens(message: Message) -> int:
    """About how many tokens a message is, rather too many than too few."""
    parts = _parts(message.get("content"))
    files = sum("text" not in part for part in parts)
    size = len(_text(parts).encode(errors="replace"))
    return TOKENS_PER_MESSAGE + size // BYTES_PER_TOKEN + files * TOKENS_PER_FILE


def _joined(messages: Iterable[Message]) -> list[Message]:
    """The messages, neighbours of one role as one."""
    joined: list[Message] = []
    for message in messages:
        before = joined[-1] if joined else {}
        if message["role"] in IN_TURNS and message["role"] == before.get("role"):
            content = _both(before.get("content"), message.get("content"))
            joined[-1] = {**before, **message, "content": content}
        else:
            joined.append(message)
    return joined


def _both(before: Any, after: Any) -> Any:
    """Two contents in one: a text, or a list of parts where one is such a list."""
    if isinstance(before, str) and isinstance(after, str):
        return f"{before}\n{after}"
    return [*_parts(before), *_parts(after)]


def _text(content: Any) -> str:
    return "\n".join(part["text"] for part in _parts(content) if "text" in part)


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or [])
