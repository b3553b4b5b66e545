"""Words on their way in, from a page and from the ears."""

import pytest
from pipecat.frames.frames import (
    InputTransportMessageFrame,
    LLMMessagesAppendFrame,
    TranscriptionFrame,
)
from pipecat.processors.frameworks.rtvi.frames import RTVISendTextFrame, RTVIServerMessageFrame

from pipelines.entry import LONGEST_TEXT, CleanEars, Entry
from tests.standins.stage import Stage, running

HALF = "hi \ud83d there"
NO_TEXT = "a\x00b\u2028c\u202ed"


def sent(text: str) -> InputTransportMessageFrame:
    """A text that was typed, as it comes from a transport."""
    data = {"content": text, "options": {"run_immediately": False}}
    message = {"label": "rtvi-ai", "type": "send-text", "id": "1", "data": data}
    return InputTransportMessageFrame(message=message)


async def taken(stage: Stage) -> str:
    """What the mind gets, which is what the page is told."""
    told = await stage.first(RTVISendTextFrame)
    asked = await stage.first(LLMMessagesAppendFrame)
    assert asked.messages == [{"role": "user", "content": told.text}]
    return told.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(HALF, "hi \ufffd there", id="half an emoji"),
        pytest.param("\ud83d\ude00", "\U0001f600", id="both halves"),
        pytest.param(NO_TEXT, "ab\ncd", id="no text"),
        pytest.param("क्\u200dष 👨\u200d👩", "क्\u200dष 👨\u200d👩", id="joiners"),
    ],
)  # fmt: skip
async def test_what_is_typed_is_text(text: str, words: str):
    async with running(Entry()) as stage:
        await stage.play(sent(text))
        assert await taken(stage) == words
        assert not stage.all(RTVIServerMessageFrame)


async def test_a_text_that_is_too_long_is_taken_in_part_which_is_said():
    async with running(Entry()) as stage:
        await stage.play(sent("word " * 400_000))  # 2 MB
        assert len(await taken(stage)) == LONGEST_TEXT - 1
        (notice,) = stage.all(RTVIServerMessageFrame)
    assert notice.data["type"] == "notice" and "its first 2,000 characters" in notice.data["text"]


async def test_what_is_heard_is_text():
    async with running(CleanEars()) as stage:
        await stage.play(TranscriptionFrame(HALF, "", ""))
        await stage.first(TranscriptionFrame, lambda frame: frame.text == "hi \ufffd there")
