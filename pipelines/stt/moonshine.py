"""Moonshine on the CPU: the tiny English model that comes with its package."""

import contextlib
import ctypes
import queue
import threading
from pathlib import Path

import aiohttp
import numpy as np
from pipecat.services.stt_service import STTService
from pipecat.transcriptions.language import Language

from pipelines.errors import PartFailed
from pipelines.language import check_language, multilingual_whisper
from pipelines.media.sentence import spoken
from pipelines.once import once
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.turns import rules
from pipelines.turns.ears import TurnEars
from pipelines.turns.judge import complete, smart_turn
from pipelines.turns.voice import RATE, Sound, samples, silero
from pipelines.unused import without

# It brings requests and what that needs, for models that do not come with the package.
with without("moonshine_voice.download"):
    import moonshine_voice
    from moonshine_voice.moonshine_api import ModelArch, TranscriptC
    from moonshine_voice.transcriber import Transcriber

LANGUAGES = ("en",)
FOLDER = Path(moonshine_voice.__file__).parent / "assets" / "tiny-en"
# A model writes one sound down at a time, and its answer is overwritten by the next: with one more
# than this no user would be faster, as every one of them uses two cores.
MODELS = 2
# What it writes when there is no word at all.
INVENTED = "you"
# What is shorter holds no word: the model fails at it, or invents one.
SHORTEST = RATE // 10
# Its own voice detector is off: it invents a "You" at the beginning.
OPTIONS = {"vad_threshold": "0.0"}


class Moonshine:
    """The model, shared by all conversations; sounds are written down in any thread.

    It is loaded once at first, and again when two sounds come at once, beside the first one's work.
    """

    def __init__(self) -> None:
        self._idle: queue.SimpleQueue[Transcriber] = queue.SimpleQueue()
        self._asked = threading.Lock()
        self._more = [threading.Thread(target=self._load, daemon=True) for _ in range(MODELS - 1)]
        self._load()

    def transcribe(self, sound: Sound) -> str:
        """The words in a sound; "" if there are none."""
        if len(sound) < SHORTEST:
            return ""
        model = self._free()
        try:
            return _written(model, np.ascontiguousarray(sound))
        finally:
            self._idle.put(model)

    def _free(self) -> Transcriber:
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        with self._asked:
            if self._more:
                self._more.pop().start()
        return self._idle.get()

    def _load(self) -> None:
        self._idle.put(Transcriber(FOLDER, ModelArch.TINY, options=OPTIONS))


def _written(model: Transcriber, sound: Sound) -> str:
    """As Transcriber.transcribe_without_streaming, which copies the sound number by number."""
    assert model._lib
    answer = ctypes.POINTER(TranscriptC)()
    error = model._lib.moonshine_transcribe_without_streaming(
        model._handle,
        sound.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
        len(sound),
        RATE,
        0,
        ctypes.byref(answer),
    )
    if error:
        raise PartFailed("Moonshine could not write down what it heard", f"error {error}")
    lines = model._parse_transcript(answer).lines
    text = " ".join(line.text.strip() for line in lines).strip()
    return "" if text.strip(".,!?").lower() == INVENTED else text


@once
def model() -> Moonshine:
    """The loaded model."""
    return Moonshine()


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> STTService:
    """The service.

    Raises:
        BadSetting: the conversation is not in English.
    """
    _check_language(persona)
    patience = rules.PATIENCE[rules.chosen(settings.avatar_patience, persona.patience)]
    return TurnEars(
        model().transcribe,
        patience,
        Language.EN,
        "moonshine-tiny",
        speculates=settings.avatar_speculation,
    )


def warm_up(settings: Settings, persona: Persona) -> None:
    """Load the models before the first conversation.

    Raises:
        BadSetting: the conversation is not in English.
    """
    _check_language(persona)
    model()
    smart_turn()


def rehearse() -> None:
    """Hear a second of silence, for what the models only do when they hear for the first time."""
    second = np.zeros(RATE, np.float32)
    model().transcribe(second)
    complete(second)
    silero()


def exercise(settings: Settings, persona: Persona) -> float:
    """Hear a sentence and the pause after it; returns how many seconds it lasts."""
    sound = samples(spoken(RATE))
    model().transcribe(sound)
    for _ in rules.LOOKS_S:
        complete(sound)
    return len(sound) / RATE


def _check_language(persona: Persona) -> None:
    fix = f"set STT=whisper, and {multilingual_whisper()}"
    check_language(persona, LANGUAGES, "Moonshine, which hears English only", fix)
