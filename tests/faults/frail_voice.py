"""A local voice with a fault, which the setting of Piper's voice names."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from hibari import SAMPLE_RATE

from pipelines.media import phonemes
from pipelines.media.speech import Speech
from pipelines.media.voice import Voice
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.tts import hibari
from tests.faults.frail_ears import RELEASED

SLOW_S = {"slow 2x": 0.2, "slow 10x": 2.0}
THREADS = ThreadPoolExecutor(8, "frail")


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> Voice:
    """Hibari with that fault."""
    fault = settings.piper_voice

    def speak(text: str) -> Iterator[Speech]:
        if fault == "hangs in mid-stream":
            RELEASED.wait()
        RELEASED.wait(SLOW_S.get(fault, 0.0))
        yield from phonemes.speak(hibari.model(), hibari.VOICES["heart"], text)
        if fault == "closes in mid-stream":
            raise RuntimeError("the model is broken")

    return Voice(speak, SAMPLE_RATE, THREADS, "frail")
