"""The caller's voice and the listener's ears for spoken scenarios: Piper and Whisper, no hub.

Named in a scenario as `{factory: evals.voices.piper}` and `{factory: evals.voices.whisper}`.
"""

from typing import Any

from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.services.whisper.stt import WhisperSTTService

from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.stt.whisper import Whisper, model_name
from pipelines.tts.piper import Piper, voice


def piper(config: dict[str, Any]) -> TTSService:
    """The caller's voice; `voice` names another than the packaged one."""
    from pipelines.tts.piper import voice_name

    name = config.get("voice") or voice_name(load_settings(), Persona())
    return Piper(voice(name), "caller")


def whisper(config: dict[str, Any]) -> STTService:
    """What writes down the avatar's voice; `model` names another than the packaged one."""
    name = config.get("model") or model_name(load_settings(), Persona())
    return Whisper(settings=WhisperSTTService.Settings(model=name, language="en"))
