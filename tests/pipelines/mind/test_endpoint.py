"""Which model of an endpoint is talked to."""

import asyncio

import pytest

from pipelines.errors import MissingSetting
from pipelines.mind.endpoint import OTHERS, Found, first_model, look
from pipelines.settings import load_settings
from tests.standins.ollama import Ollama


async def looked(server: Ollama, **settings: str) -> Found:
    """What is found at an endpoint."""
    return await asyncio.to_thread(
        look, load_settings(ollama_base_url=server.openai_url, **settings)
    )


async def test_a_model_that_only_embeds_is_passed_over():
    async with Ollama(models=("nomic-embed-text:latest", "llama3.2:latest")) as server:
        assert await looked(server) == Found("llama3.2:latest")


async def test_a_model_is_passed_over_that_cannot_talk_whatever_its_name():
    models = ("my-embedder", "bge-m3", "qwen3:4b")
    async with Ollama(models=models) as server:
        assert await looked(server) == Found("qwen3:4b")
        shown = [request.body for request in server.requests if request.path == "/api/show"]
    assert shown == [{"model": "qwen3:4b"}]


async def test_an_endpoint_that_says_nothing_of_its_models_is_believed():
    async with Ollama(models=("gpt-x",)) as server:
        server.fail("/api/show", 404)
        assert await looked(server) == Found("gpt-x")


async def test_without_one_that_can_talk_there_is_none():
    async with Ollama(models=("all-minilm", "nomic-embed-text")) as server:
        assert "no model that can talk" in (await looked(server)).problem
        settings = load_settings(ollama_base_url=server.openai_url)
        with pytest.raises(MissingSetting, match="OLLAMA_MODEL"):
            await asyncio.to_thread(first_model, settings)


async def test_the_model_that_is_set_is_the_one():
    async with Ollama(models=("llama3.2:latest",)) as server:
        assert await looked(server, ollama_model="mine") == Found("mine")


@pytest.mark.parametrize("url", ["{}", "{}/", "{}/v1", "{}/v1/"])
async def test_the_endpoint_is_found_with_and_without_its_path(url):
    async with Ollama() as server:
        for address in (server.url, server.url.removeprefix("http://")):
            settings = load_settings(ollama_base_url=url.format(address))
            assert (await asyncio.to_thread(look, settings)).model == "llama3.2:latest"


def test_an_endpoint_may_have_another_path():
    url = "https://models.example/api/openai"
    assert load_settings(ollama_base_url=url).ollama_base_url == url


def test_what_talks_is_told_from_what_does_something_else():
    others = (
        "nomic-embed-text mxbai-embed-large bge-m3 all-minilm snowflake-arctic-embed e5-large"
        " embeddinggemma text-embedding-3-small whisper-1 tts-1 dall-e-3 gpt-image-1"
        " omni-moderation-latest llama-guard3 jina-reranker-v2 paraphrase-multilingual"
    )
    talking = "llama3.2 qwen3:4b gemma3 mistral gpt-4o-mini deepseek-r1 phi4 SmolLM2 command-r"
    assert all(OTHERS.search(name) for name in others.split())
    assert not any(OTHERS.search(name) for name in talking.split())
