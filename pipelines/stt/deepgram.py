"""Deepgram: streaming speech to text."""

import aiohttp
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.stt_service import STTService

from pipelines.key import check_key
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


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    url = f"{settings.deepgram_base_url.rstrip('/')}/v1/projects"
    token = settings.deepgram_api_key.get_secret_value()
    await check_key(http, url, {"Authorization": f"Token {token}"}, "DEEPGRAM_API_KEY")
