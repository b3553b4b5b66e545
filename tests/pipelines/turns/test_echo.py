"""The avatar's own words, heard again."""

import pytest
from pipecat.frames.frames import LLMFullResponseEndFrame, LLMTextFrame, TTSSpeakFrame
from pipecat.observers.base_observer import FramePushed
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.processors.frame_processor import FrameDirection

from pipelines.turns.echo import Said


@pytest.fixture
async def said():
    said, here = Said(), IdentityFilter()
    texts = [LLMTextFrame(word) for word in ("The mountains", " are", " high", " and", " old.")]
    frames = [TTSSpeakFrame("Hello, I am Theo."), *texts, LLMFullResponseEndFrame()]
    for frame in frames:
        await said.on_push_frame(FramePushed(here, here, frame, FrameDirection.DOWNSTREAM, 0))
    return said


@pytest.mark.parametrize(
    ("heard", "rest"),
    [
        ("Mountains are high.", ""),
        ("I am Theo.", ""),
        ("High and old and and and and.", ""),
        ("Are high and stop.", "stop"),
        ("The mountains are. What about the sea then?", "what about the sea then"),
        ("Tell me something else.", "Tell me something else."),
        ("", ""),
    ],
)
async def test_what_is_left_are_the_words_of_the_user(said, heard, rest):
    assert said.without(heard) == rest
