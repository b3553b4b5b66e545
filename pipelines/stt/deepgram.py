"""Deepgram: streaming speech to text."""

import aiohttp
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.stt_service import STTService

from pipelines.persona import Persona
from pipelines.settings import Settings


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> STTService:
    """The service, for the persona's language."""
    return DeepgramSTTService(
        api_key=settings.deepgram_api_key.get_secret_value(),
        base_url=settings.deepgram_base_url,
        settings=DeepgramSTTService.Settings(
            model=settings.deepgram_model, language=persona.language
        ),
    )
