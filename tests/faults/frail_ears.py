"""Local ears with a fault, which the setting of Whisper's model names."""

import threading

import aiohttp
from pipecat.transcriptions.language import Language

from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.stt import moonshine
from pipelines.turns import rules
from pipelines.turns.ears import TurnEars
from pipelines.turns.voice import Sound

SLOW_S = {"slow 2x": 0.2, "slow 10x": 1.5}
# Of a model that hangs; set when the tests are over.
RELEASED = threading.Event()


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> TurnEars:
    """Moonshine with that fault."""
    fault = settings.whisper_model

    def transcribe(sound: Sound) -> str:
        if fault == "closes in mid-stream":
            raise RuntimeError("the model is broken")
        if fault == "hangs in mid-stream":
            RELEASED.wait()
        if fault == "garbage":
            return "\x00\ufffd %%% \u202e"
        if fault == "empty answer":
            return ""
        RELEASED.wait(SLOW_S.get(fault, 0.0))
        return moonshine.model().transcribe(sound)

    return TurnEars(transcribe, rules.PATIENCE["balanced"], Language.EN, "frail")
