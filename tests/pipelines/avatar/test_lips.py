"""The lips of the packaged voice, by its own times: they meet, open, and rest where it does."""

import numpy as np
import pytest

from benchmarks.lips import FRAME_S, OPEN, SHUT, Found, mouths, near, opens_in, silences
from puppet import SAMPLES_PER_FRAME, Phone
from puppet.speech import SILENT
from tests.speech import told

pytestmark = pytest.mark.patient

TEXTS = [
    "Bob may pump up the map.",
    "Papa, my mother baked a warm apple pie for five happy people. And we all had a piece.",
    "Stop. Now breathe. Then open your mouth and say: ah.",
]


def times(phones: list[Phone], letters: str, lasts_s: float = 0.0) -> list[Found]:
    return [
        Found(*phone)
        for phone in phones
        if phone.symbol and phone.symbol in letters and phone.end_s - phone.start_s >= lasts_s
    ]


def silent(sound: np.ndarray) -> np.ndarray:
    """For each sample, whether it is in a silent picture."""
    pictures = np.pad(sound, (0, -len(sound) % SAMPLES_PER_FRAME)).reshape(-1, SAMPLES_PER_FRAME)
    quiet = np.abs(pictures.astype(int)).max(axis=1) <= SILENT
    return quiet.repeat(SAMPLES_PER_FRAME)[: len(sound)]


def test_lips_meet_open_and_rest_where_the_voice_does():
    shut, opened, paused = [], [], []
    for text in TEXTS:
        pcm, phones = told(text)
        sound = np.frombuffer(pcm, np.int16)
        mouth = mouths(sound, phones)
        shut += [near(mouth, each, FRAME_S / 2).min() < SHUT for each in times(phones, "pbm")]
        wide = times(phones, "ɑæʌ", lasts_s=0.07)
        opened += [near(mouth, each, 0.0).max() > OPEN for each in wide]
        paused += [not opens_in(mouth, span) for span in silences(sound)]
    assert len(shut) > 20 and all(shut)
    assert len(opened) > 3 and all(opened)
    assert len(paused) > 3 and all(paused)


def test_it_takes_no_more_of_the_cpu_to_be_told_than_to_hear():
    """By what is computed, not by a clock: nothing is heard where everything is told."""
    pcm, phones = told(TEXTS[0])
    sound = np.frombuffer(pcm, np.int16)
    hiss = np.random.default_rng(0).integers(-2000, 2000, len(sound)).astype(np.int16)
    hiss[silent(sound)] = 0
    assert np.array_equal(mouths(sound, phones), mouths(hiss, phones))
    assert not np.array_equal(mouths(sound, []), mouths(hiss, []))
