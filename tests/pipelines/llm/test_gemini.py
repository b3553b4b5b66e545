"""Gemini in a pipeline: what of its answers is said."""

import aiohttp
import pytest
from pipecat.frames.frames import ErrorFrame, LLMContextFrame, LLMFullResponseEndFrame, LLMTextFrame
from pipecat.processors.aggregators.llm_context import LLMContext

from pipelines.guard.mind import MindGuard
from pipelines.guard.news import News
from pipelines.guard.order import InOrder
from pipelines.llm import gemini
from pipelines.parts import part
from pipelines.persona import Persona
from pipelines.settings import load_settings
from sessions.transcript import Transcript
from tests.standins.gemini import Gemini
from tests.standins.replies import Reply
from tests.standins.stage import running


@pytest.mark.parametrize(
    ("answer", "words"),
    [("**Hello**\n\n- one 👍\n- two", "Hello. one. two"), ("…", "Say that again?")],
)
async def test_its_words_are_said_and_never_nothing(answer: str, words: str):
    async with (
        Gemini(replies=[Reply(answer, letters=4)]) as vendor,
        aiohttp.ClientSession() as http,
    ):
        settings = load_settings(
            google_api_key=vendor.key, google_base_url=vendor.url, google_model=vendor.models[0]
        )
        persona = Persona(lost="Say that again?")
        mind = gemini.build(settings, persona, http)
        news = News(Transcript(), {mind: part("llm", "gemini")})
        MindGuard([mind], InOrder([mind]), news, persona, 8.0)
        async with running(mind) as stage:
            context = LLMContext([{"role": "user", "content": "Hello"}])
            await stage.play(LLMContextFrame(context))
            await stage.first(LLMFullResponseEndFrame)
            assert "".join(frame.text for frame in stage.all(LLMTextFrame)) == words
            assert not stage.all(ErrorFrame)
