"""What is read from the request of a client of OpenAI's protocol, and what is not."""

import json
from typing import Any

import pytest

from bots.server.question import BadQuestion, read

HI = {"role": "user", "content": "Hi"}
GOOD: dict[str, Any] = {"model": "mira", "messages": [HI], "tools": [{}], "temperature": 2, "n": 1}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": None}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"role": "system", "content": "Be kind."}]}, "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"messages": [HI, {"role": "user", "content": 1}]}, "messages[1].content"),
        ({"messages": [{"role": "user", "content": [{"image_url": {}}]}]}, "messages[0].content"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": 7}}, "include_usage"),
        ({"n": 2}, "n"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
    ],
)
def test_what_cannot_be_done_is_named(change, field):
    with pytest.raises(BadQuestion) as refused:
        read(json.dumps(GOOD | change).encode())
    assert refused.value.field == field


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 200_000])
def test_a_body_that_is_no_question_is_refused(body):
    with pytest.raises(BadQuestion):
        read(body)


def test_what_the_caller_tells_is_kept_apart_from_what_was_said():
    told = {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]}
    asked = GOOD | {"messages": [{"role": "system", "content": "Be Ann."}, HI, told]}
    question = read(json.dumps(asked | {"stream": True}).encode())
    assert question.context == "Be Ann.\n\nBe kind." and question.messages == [HI]
    assert question.stream and not question.counted
