"""Words on their way in, from a page and from the ears."""

import asyncio

import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputTransportMessageFrame,
    LLMMessagesAppendFrame,
    OutputTransportMessageUrgentFrame,
    TranscriptionFrame,
)
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.processors.frameworks.rtvi import models as RTVI
from pipecat.processors.frameworks.rtvi.frames import RTVISendTextFrame, RTVIServerMessageFrame

from pipelines.entry import LONGEST_TEXT, NOT_OPENED, CleanEars, Entry
from pipelines.redaction import redact
from pipelines.settings import load_settings
from tests.standins.stage import Probe, Stage, running

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
    async with running(Entry(IdentityFilter())) as stage:
        await stage.play(sent(text))
        assert await taken(stage) == words
        assert not stage.all(RTVIServerMessageFrame)


async def test_a_text_that_is_too_long_is_taken_in_part_which_is_said():
    async with running(Entry(IdentityFilter())) as stage:
        await stage.play(sent("word " * 400_000))  # 2 MB
        assert len(await taken(stage)) == LONGEST_TEXT - 1
        (notice,) = stage.all(RTVIServerMessageFrame)
    assert notice.data["type"] == "notice" and "its first 2,000 characters" in notice.data["text"]


async def test_what_is_heard_is_text():
    async with running(CleanEars()) as stage:
        await stage.play(TranscriptionFrame(HALF, "", ""))
        await stage.first(TranscriptionFrame, lambda frame: frame.text == "hi \ufffd there")


async def test_a_message_to_a_page_that_is_there_passes_no_other_part():
    between: list[Frame] = []
    output = IdentityFilter()
    entry = Entry(output)
    async with running(entry, Probe(between, asyncio.Condition()), output) as stage:
        await entry.push_transport_message(RTVI.BotStartedSpeakingMessage())
        await stage.first(OutputTransportMessageUrgentFrame)
        passed = [each for each in between if isinstance(each, OutputTransportMessageUrgentFrame)]
        assert len(passed) == 1  # nobody knows yet whether the transport can send
        await entry.set_client_ready()
        await entry.push_transport_message(RTVI.BotStoppedSpeakingMessage())
        await stage.first(
            OutputTransportMessageUrgentFrame,
            lambda frame: frame.message["type"] == "bot-stopped-speaking",
        )
    assert [each for each in between if isinstance(each, type(passed[0]))] == passed


async def test_an_error_reaches_the_page_without_a_key():
    redact(load_settings(deepgram_api_key="fake-deepgram-key"))
    async with running(Entry(IdentityFilter())) as stage:
        await stage.play(ErrorFrame("refused: fake-deepgram-key"))
        shown = await stage.first(OutputTransportMessageUrgentFrame)
    assert shown.message["data"]["error"] == "refused: •••"


@pytest.mark.parametrize("url", ["https://host.example/a.png", "http://10.0.0.1/", "file:///etc/a"])
async def test_no_address_that_a_page_sends_is_opened(url: str):
    data = {"file": {"format": "image/png", "source": {"type": "url", "url": url}}, "content": "x"}
    message = {"label": "rtvi-ai", "type": "send-file", "id": "1", "data": data}
    async with running(Entry(IdentityFilter())) as stage:
        await stage.play(InputTransportMessageFrame(message=message))
        told = await stage.first(OutputTransportMessageUrgentFrame)
    assert told.message["data"]["error"] == NOT_OPENED
    assert not stage.all(LLMMessagesAppendFrame)
