"""Gemini without thinking time, and with a connection that is there before the first question."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from pipecat.frames.frames import ErrorFrame, LLMContextFrame, LLMFullResponseEndFrame, LLMTextFrame
from pipecat.processors.aggregators.llm_context import LLMContext

from pipelines.llm import gemini as part
from pipelines.persona import Persona
from pipelines.settings import load_settings
from tests.standins.gemini import Gemini, thinking_config
from tests.standins.stage import Stage, running


@asynccontextmanager
async def asking(gemini: Gemini, key: str = "") -> AsyncIterator[Stage]:
    """A mind that has warmed up, if it can."""
    settings = load_settings(
        google_api_key=key or gemini.key,
        google_base_url=gemini.url,
        google_model=gemini.models[0],
    )
    async with aiohttp.ClientSession() as http:
        mind = part.build(settings, Persona(), http)
        assert isinstance(mind, part.Gemini)
        async with running(mind) as stage:
            await gemini.until(lambda: bool(gemini.requests))
            assert mind._warming
            await asyncio.wait_for(mind._warming, 10)
            yield stage


def question(text: str = "Who are you?") -> LLMContextFrame:
    return LLMContextFrame(LLMContext([{"role": "user", "content": text}]))


@pytest.mark.parametrize(
    ("model", "refused", "sent"),
    [
        pytest.param("gemini-2.5-flash", (), {"thinking_budget": 0}, id="off"),
        pytest.param("gemini-2.5-flash-preview-09-2025", (), {"thinking_budget": 0}, id="preview"),
        pytest.param("gemini-2.5-pro-preview", (), {"thinking_budget": 128}, id="its least"),
        pytest.param("gemini-3.6-flash", (), {"thinking_level": "MINIMAL"}, id="level"),
        pytest.param("gemini-3.9-flash", (), {"thinking_level": "MINIMAL"}, id="of tomorrow"),
        pytest.param("gemini-3.9-flash", ("MINIMAL",), {"thinking_level": "LOW"}, id="refused"),
        pytest.param("gemini-flash-latest", ("MINIMAL", "LOW"), {}, id="refused altogether"),
        pytest.param("gemini-2.0-flash", (), {}, id="cannot think"),
    ],
)
async def test_a_model_thinks_as_little_as_it_can_and_answers_in_any_case(model, refused, sent):
    async with Gemini(models=[model], replies=["I."] * 2, refused_levels=refused) as gemini:
        async with asking(gemini) as stage:
            await stage.play(question())
            await stage.first(LLMTextFrame)
            await stage.play(question("And you?"))
            await gemini.until(lambda: len(gemini.state.prompts) == 2)
        assert [thinking_config(body) for body in gemini.state.prompts] == [sent, sent]
        asked = [request for request in gemini.requests if request.method == "POST"]
        assert len(asked) == 2 + len(refused), "what was refused is not asked again"
        assert not stage.all(ErrorFrame)


async def test_a_wrong_key_is_not_taken_for_a_wrong_wish():
    async with Gemini() as gemini, asking(gemini, "fake-wrong-key") as stage:
        await stage.play(question())
        error = await stage.first(ErrorFrame)
        assert "API key not valid" in error.error
        assert len([request for request in gemini.requests if request.method == "POST"]) == 1


async def test_the_first_question_finds_the_connection_open():
    async with Gemini(replies=["Yes."]) as gemini, asking(gemini) as stage:
        await stage.play(question())
        await stage.first(LLMFullResponseEndFrame)
        warming, asking_ = gemini.requests
        assert (warming.method, warming.path) == ("GET", f"/v1beta/models/{gemini.models[0]}")
        assert asking_.connection == warming.connection


async def test_a_warming_that_fails_changes_nothing():
    async with Gemini(replies=["Yes."]) as gemini:
        gemini.fail("/v1beta/models/*", 500)
        async with asking(gemini) as stage:
            await stage.play(question())
            await stage.first(LLMFullResponseEndFrame)
            assert not stage.all(ErrorFrame)
