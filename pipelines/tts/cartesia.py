"""Cartesia: streaming text to speech with word times."""

import aiohttp
from pipecat.services.cartesia.tts import CartesiaTTSService
from pipecat.services.tts_service import TTSService

from pipelines.persona import Persona
from pipelines.settings import Settings

DEFAULT_VOICE = "71a7ad14-091c-4e8e-a314-022ece01c121"


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> TTSService:
    """The service, with the voice set, else the persona's."""
    root = settings.cartesia_base_url.rstrip("/").replace("http", "ws", 1)
    voice = settings.cartesia_voice_id or persona.voice.get("cartesia") or DEFAULT_VOICE
    return CartesiaTTSService(
        api_key=settings.cartesia_api_key.get_secret_value(),
        url=f"{root}/tts/websocket",
        settings=CartesiaTTSService.Settings(
            model=settings.cartesia_model, voice=voice, language=persona.language.partition("-")[0]
        ),
    )
