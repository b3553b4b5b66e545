"""Ollama, or any other endpoint that speaks OpenAI's protocol."""

from typing import Any

import aiohttp
from pipecat.services.llm_service import LLMService
from pipecat.services.ollama.llm import OLLamaLLMService

from pipelines.parts import first_model
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
