"""What is heard in a room: voices, and noises that are none. Samples at 16 kHz, as int16 counts."""

import functools

import numpy as np
import soxr
from hibari import SAMPLE_RATE

from pipelines.media import phonemes
from pipelines.media.speech import Speech
from pipelines.tts import hibari
from tests.speech import say

RATE = 16_000
AUDIBLE = 250
# Piper's man, Hibari's woman, and the same lowered.
VOICES = ("joe", "heart", "low")


@functools.cache
def speeches(text: str, name: str = "heart") -> tuple[Speech, ...]:
    """A text as Hibari says it, sentence by sentence."""
    return tuple(phonemes.speak(hibari.model(), hibari.VOICES[name], text))


@functools.cache
def _spoken(text: str, name: str) -> np.ndarray:
    if name == "joe":
        return np.frombuffer(say(text, RATE), np.int16).astype(float)
    pcm = b"".join(speech.pcm for speech in speeches(text, name))
    return soxr.resample(np.frombuffer(pcm, np.int16).astype(float), SAMPLE_RATE, RATE)


def voice(text: str, name: str = "joe", gain: float = 0.5) -> np.ndarray:
    """Somebody says a text, without silence around it."""
    samples = _spoken(text, name) * gain
    loud = np.flatnonzero(np.abs(samples) > AUDIBLE * min(1, 2 * gain))
    return samples[max(0, loud[0] - 320) : loud[-1] + 160]


def silence(seconds: float) -> np.ndarray:
    """Nothing is said."""
    return np.zeros(round(seconds * RATE))


def cough() -> np.ndarray:
    """Two bursts of noise that die away."""
    burst = _noise(0.25, 4) * 6000 * np.exp(-_times_s(0.25) * 18)
    return np.concatenate([burst, silence(0.08), burst])


def slam() -> np.ndarray:
    """A door: loud, low, and over at once."""
    blow = _noise(0.5, 5).cumsum() * 1500 * np.exp(-_times_s(0.5) * 14)
    return blow.clip(-30_000, 30_000)


def hum() -> np.ndarray:
    """Mm-hm with a shut mouth: two humming notes, the second one higher."""
    return np.concatenate([_note(110, 0.18), silence(0.04), _note(150, 0.22)])


def laugh() -> np.ndarray:
    """Ha, ha, ha: breath and voice in short bursts, each lower than the one before."""
    bursts = []
    for hertz in (260, 240, 220, 200, 180):
        bursts += [_note(hertz, 0.09) + _noise(0.09, hertz) * 900, silence(0.09)]
    return np.concatenate(bursts)


def _note(hertz: float, length_s: float) -> np.ndarray:
    time_s = _times_s(length_s)
    waves = sum(np.sin(2 * np.pi * hertz * n * time_s) / n**1.5 for n in range(1, 9))
    return 5000 * waves * np.hanning(len(time_s)) ** 0.5


def _noise(length_s: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=len(_times_s(length_s)))


def _times_s(length_s: float) -> np.ndarray:
    return np.arange(round(length_s * RATE)) / RATE
