"""Ollama, or any other endpoint that speaks OpenAI's protocol."""

import asyncio
from typing import Any

import aiohttp
from loguru import logger
from openai import OpenAIError
from pipecat.services.llm_service import LLMService
from pipecat.services.ollama.llm import OLLamaLLMService

from pipelines.errors import UserError
from pipelines.parts import first_model, why_no_ollama
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.warming import Warming


class Ollama(Warming, OLLamaLLMService):
    """Has its model loaded when the conversation begins, which can take many seconds."""

    def __init__(self, *, http: aiohttp.ClientSession, base_url: str, **kwargs: Any) -> None:
        super().__init__(base_url=base_url, **kwargs)
        self._http = http
        # Ollama's own API is beside the one that speaks OpenAI's protocol.
        self._root = base_url.rstrip("/").removesuffix("/v1")

    async def _warm(self) -> None:
        """Open the connection, and load the model by a request without a prompt."""
        try:
            await self._client.models.list()
            body = {"model": self._settings.model}
            async with self._http.post(f"{self._root}/api/generate", json=body) as answer:
                logger.debug(f"{self._settings.model} is loaded: {answer.status}")
        except (OpenAIError, aiohttp.ClientError, TimeoutError, OSError) as error:
            logger.debug(f"{self._root} could not be warmed up: {error!r}")

    async def cleanup(self) -> None:
        """Close the connections."""
        await super().cleanup()
        await self._client.close()


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> LLMService[Any]:
    """The service, with the persona's prompt as its instruction.

    Raises:
        MissingSetting: no model is set and the endpoint names none.
    """
    return Ollama(
        http=http,
        base_url=settings.ollama_base_url,
        api_key=settings.ollama_api_key.get_secret_value() or "none",
        settings=OLLamaLLMService.Settings(
            model=first_model(settings), system_instruction=persona.prompt
        ),
    )


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the endpoint answers and has a model.

    Raises:
        UserError: it does not.
    """
    problem = await asyncio.to_thread(why_no_ollama, settings)
    if problem:
        raise UserError(problem, "start it, or set OLLAMA_BASE_URL")
