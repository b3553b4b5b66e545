"""Ollama, or any other endpoint that speaks OpenAI's protocol."""

import asyncio
from typing import Any

import aiohttp
from pipecat.services.llm_service import LLMService
from pipecat.services.ollama.llm import OLLamaLLMService

from pipelines.errors import UserError
from pipelines.parts import first_model, why_no_ollama
from pipelines.persona import Persona
from pipelines.settings import Settings


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> LLMService[Any]:
    """The service, with the persona's prompt as its instruction.

    Raises:
        MissingSetting: no model is set and the endpoint names none.
    """
    return OLLamaLLMService(
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
