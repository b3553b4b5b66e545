"""Cartesia: streaming text to speech with word times."""

import aiohttp
from pipecat.services.cartesia.tts import CartesiaTTSService
from pipecat.services.tts_service import TTSService

from pipelines.key import check_key
from pipelines.persona import Persona
from pipelines.settings import Settings

API_VERSION = "2025-04-16"
DEFAULT_VOICE = "71a7ad14-091c-4e8e-a314-022ece01c121"


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> TTSService:
    """The service, with the voice set, else the persona's."""
    root = settings.cartesia_base_url.rstrip("/").replace("http", "ws", 1)
    voice = settings.cartesia_voice_id or persona.voice_with("cartesia") or DEFAULT_VOICE
    return CartesiaTTSService(
        api_key=settings.cartesia_api_key.get_secret_value(),
        url=f"{root}/tts/websocket",
        settings=CartesiaTTSService.Settings(
            model=settings.cartesia_model, voice=voice, language=persona.language.partition("-")[0]
        ),
    )


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    url = f"{settings.cartesia_base_url.rstrip('/')}/voices?limit=1"
    key = settings.cartesia_api_key.get_secret_value()
    headers = {"X-API-Key": key, "Cartesia-Version": API_VERSION}
    await check_key(http, url, headers, "CARTESIA_API_KEY")
