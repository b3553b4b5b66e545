"""What a client of OpenAI's protocol asks the mind, read from its request."""

import json
from dataclasses import dataclass
from typing import Any, cast

from pipecat.processors.aggregators.llm_context import LLMContextMessage

from pipelines.text import clean

TOLD, SAID = ("system", "developer"), ("user", "assistant")
ONLY = {
    "n": (1, "This mind gives one answer: leave out n."),
    "logprobs": (False, "This mind tells no probabilities: leave out logprobs."),
}
NO_TOOLS = "This mind calls no tools: let tool_choice be auto or none."
TEXT_ONLY = "This mind answers in spoken words: leave out response_format."


class BadQuestion(Exception):
    """A request that is not understood, or wants what the mind cannot do.

    Attributes:
        field: which part of it.
    """

    def __init__(self, problem: str, field: str | None = None) -> None:
        super().__init__(problem)
        self.field = field


@dataclass(frozen=True)
class Question:
    """A question, and how the answer is wanted.

    Attributes:
        model: who is asked.
        context: what the caller tells the mind of itself.
        messages: what was said, the last of it unanswered.
        stream: whether the answer comes in pieces.
        counted: whether a stream ends with its tokens.
    """

    model: str
    context: str
    messages: list[LLMContextMessage]
    stream: bool
    counted: bool


def read(body: bytes) -> Question:
    """A question from the body of a request. Raises: BadQuestion."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise BadQuestion("The body is no JSON.") from None
    if not isinstance(asked, dict):
        raise BadQuestion("The body is no JSON object.")
    _check(asked)
    told, said = _parted(asked.get("messages"))
    options = asked.get("stream_options") or {}
    return Question(
        _text(asked.get("model"), "model"),
        "\n\n".join(told),
        said,
        _flag(asked, "stream"),
        isinstance(options, dict) and _flag(options, "include_usage"),
    )


def _check(asked: dict[str, Any]) -> None:
    """Refuse what would be ignored, where the caller could not do without."""
    for field, (only, why) in ONLY.items():
        if asked.get(field) not in (None, only):
            raise BadQuestion(why, field)
    if asked.get("tool_choice") not in (None, "auto", "none"):
        raise BadQuestion(NO_TOOLS, "tool_choice")
    form = asked.get("response_format") or {"type": "text"}
    if form != {"type": "text"}:
        raise BadQuestion(TEXT_ONLY, "response_format")


def _parted(messages: Any) -> tuple[list[str], list[LLMContextMessage]]:
    """What the mind is told, and what was said."""
    if not isinstance(messages, list) or not messages:
        raise BadQuestion("messages is to be a list of messages.", "messages")
    told: list[str] = []
    said: list[LLMContextMessage] = []
    for at, message in enumerate(messages):
        role, text = _message(message, f"messages[{at}]")
        if role in TOLD:
            told.append(text)
        elif text:
            said.append(cast(LLMContextMessage, {"role": role, "content": text}))
    if not any(message["role"] == "user" for message in said):  # type: ignore[index]
        raise BadQuestion(
            "messages has no word of a user, so there is nothing to answer.", "messages"
        )
    return [text for text in told if text], said


def _message(message: Any, where: str) -> tuple[str, str]:
    if not isinstance(message, dict):
        raise BadQuestion(f"{where} is no object.", where)
    role = message.get("role")
    if role not in (*TOLD, *SAID):
        known = ", ".join((*TOLD, *SAID))
        raise BadQuestion(
            f"{where}.role is none of {known}: this mind has no tools.", f"{where}.role"
        )
    return role, _content(message.get("content"), f"{where}.content").strip()


def _content(content: Any, where: str) -> str:
    """The text of a message: one, or several parts, or none."""
    if content is None:
        return ""
    if isinstance(content, str):
        return clean(content)
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    known = [clean(text) for text in texts if isinstance(text, str)]
    if len(known) != len(parts):
        raise BadQuestion(f"{where} is neither a text nor a list of parts with texts.", where)
    return "\n".join(known)


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadQuestion(f"{field} is to be a text.", field)
    return value


def _flag(asked: dict[str, Any], field: str) -> bool:
    value = asked.get(field)
    if value not in (None, True, False):
        raise BadQuestion(f"{field} is to be true or false.", field)
    return bool(value)
