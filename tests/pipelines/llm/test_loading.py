"""Ollama, with its model loaded before the first question."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from pipecat.frames.frames import ErrorFrame, LLMContextFrame, LLMFullResponseEndFrame, LLMTextFrame
from pipecat.processors.aggregators.llm_context import LLMContext

from pipelines.llm.ollama import build
from pipelines.persona import Persona
from pipelines.settings import load_settings
from tests.standins.ollama import COMPLETIONS, Ollama
from tests.standins.stage import Stage, running


@asynccontextmanager
async def asking(ollama: Ollama) -> AsyncIterator[Stage]:
    settings = load_settings(ollama_base_url=ollama.openai_url, ollama_model=ollama.models[0])
    async with aiohttp.ClientSession() as http:
        async with running(build(settings, Persona(), http)) as stage:
            yield stage


QUESTION = LLMContextFrame(LLMContext([{"role": "user", "content": "Who are you?"}]))


async def test_the_model_is_loaded_and_the_connection_open_before_the_first_question():
    async with Ollama(replies=["Yes."]) as ollama, asking(ollama) as stage:
        await ollama.until(lambda: ollama.state.loaded == ["llama3.2:latest"])
        assert not ollama.state.prompts
        await stage.play(QUESTION)
        await stage.first(LLMFullResponseEndFrame)
        by_path = {request.path: request.connection for request in ollama.requests}
        assert by_path[COMPLETIONS] == by_path["/v1/models"]


@pytest.mark.parametrize("path", ["/api/generate", "/v1/models"])
async def test_an_endpoint_that_cannot_be_warmed_up_answers_all_the_same(path):
    async with Ollama(replies=["Yes."]) as ollama:
        ollama.fail(path, 404)
        async with asking(ollama) as stage:
            await ollama.until(lambda: any(request.path == path for request in ollama.requests))
            await stage.play(QUESTION)
            assert (await stage.first(LLMTextFrame)).text == "Yes."
            assert not stage.all(ErrorFrame)
