"""Google Gemini."""

from typing import Any

import aiohttp
from google.genai.types import HttpOptions
from pipecat.services.google.llm import GoogleLLMService
from pipecat.services.llm_service import LLMService

from pipelines.key import check_key
from pipelines.mind.spoken import SpokenMind
from pipelines.persona import Persona
from pipelines.settings import Settings


class Gemini(SpokenMind, GoogleLLMService):
    """Pipecat's service, whose answers are spoken."""


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> LLMService[Any]:
    """The service, with the persona's prompt as its instruction."""
    return Gemini(
        persona=persona,
        api_key=settings.google_api_key.get_secret_value(),
        http_options=HttpOptions(base_url=settings.google_base_url),
        settings=GoogleLLMService.Settings(
            model=settings.google_model, system_instruction=persona.prompt
        ),
    )


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    url = f"{settings.google_base_url.rstrip('/')}/v1beta/models?pageSize=1"
    key = settings.google_api_key.get_secret_value()
    await check_key(http, url, {"x-goog-api-key": key}, "GOOGLE_API_KEY")
