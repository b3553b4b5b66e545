"""Hibari on the CPU: the packaged voice, a woman's, or a man's made from it."""

import functools
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from hibari import SAMPLE_RATE
from hibari import Hibari as Model
from pipecat.services.tts_service import TTSService

from pipelines.errors import BadSetting
from pipelines.language import check_language
from pipelines.media import phonemes, sentence
from pipelines.media.timbre import Timbre
from pipelines.media.voice import Voice
from pipelines.once import once
from pipelines.persona import Persona
from pipelines.settings import Settings

DEFAULT_VOICE = "heart"
# The lower one has a man's median pitch, and resonances that go with it.
VOICES = {DEFAULT_VOICE: Timbre(), "low": Timbre(pitch=0.58, resonance=0.86)}
# A sentence takes a hundredth of its length, so one thread serves many conversations, and it gives
# way to nobody: the user is waiting for the first sound.
SYNTHESIS = ThreadPoolExecutor(1, "hibari")


class Hibari(Voice):
    """A voice of the Hibari model."""

    def __init__(self, model: Model, name: str) -> None:
        speak = functools.partial(phonemes.speak, model, VOICES[name])
        super().__init__(speak, SAMPLE_RATE, SYNTHESIS, name)


@once
def model() -> Model:
    """The loaded model, shared by all conversations and voices."""
    return phonemes.load()


def voice_name(settings: Settings, persona: Persona) -> str:
    """The voice to use: the one set, else the persona's, else the woman's.

    Raises:
        BadSetting: there is no such voice, or it does not speak the language.
    """
    name = settings.hibari_voice or persona.voice_with("hibari") or DEFAULT_VOICE
    if name not in VOICES:
        raise BadSetting(f"HIBARI_VOICE={name}", "is not known", f"use {' or '.join(VOICES)}")
    check_language(
        persona,
        ["en"],
        "Hibari, whose language is English",
        "set TTS=cartesia, or TTS=piper with a PIPER_VOICE of that language",
    )
    return name


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> TTSService:
    """The service.

    Raises:
        BadSetting: there is no such voice, or it does not speak the language.
    """
    return Hibari(model(), voice_name(settings, persona))


def warm_up(settings: Settings, persona: Persona) -> None:
    """Load the model before the first conversation.

    Raises:
        BadSetting: there is no such voice, or it does not speak the language.
    """
    voice_name(settings, persona)
    model()


def rehearse() -> None:
    """Say a word, for what the model only does when it speaks for the first time."""
    list(phonemes.speak(model(), VOICES[DEFAULT_VOICE], "Hello."))


def exercise(settings: Settings, persona: Persona) -> float:
    """Say a sentence; returns how many seconds it lasts."""
    timbre = VOICES[voice_name(settings, persona)]
    return sum(each.duration_s for each in phonemes.speak(model(), timbre, sentence.TEXT))
