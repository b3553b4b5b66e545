"""Moonshine as the ears: what it hears, for how many, and in which language."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pipecat.frames.frames import (
    InputAudioRawFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
)

from pipelines.errors import BadSetting
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.stt.moonshine import build, model, warm_up
from pipelines.turns.rules import PATIENCE
from tests.speech import say
from tests.standins.stage import running

pytestmark = pytest.mark.patient

SENTENCES = ("What can you do?", "How much does it cost?", "Where do you come from?")


def sound(text: str) -> np.ndarray:
    return np.frombuffer(say(text), np.int16).astype(np.float32) / np.float32(32768)


def test_what_is_said_is_written_down():
    assert model().transcribe(sound(SENTENCES[0])) == SENTENCES[0]


def test_silence_has_no_words():
    assert model().transcribe(np.zeros(16_000, np.float32)) == ""


@pytest.mark.parametrize("ms", [20, 50, 90])
def test_what_is_too_short_for_a_word_has_none(ms: int):
    noise = np.random.default_rng(1).normal(0, 0.1, 16 * ms)
    assert model().transcribe(noise.astype(np.float32)) == ""


def test_no_word_is_invented_before_the_first():
    quiet = np.zeros(8_000, np.float32)
    heard = model().transcribe(np.concatenate([quiet, sound(SENTENCES[1])]))
    assert heard.startswith("How")


def test_users_at_the_same_time_are_not_mixed_up():
    sounds = [sound(text) for text in SENTENCES] * 4
    alone = [model().transcribe(each) for each in sounds]
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(model().transcribe, sounds)) == alone


async def test_who_turns_the_microphone_off_is_waited_for_by_the_clock():
    ears = build(load_settings(), Persona(), None)  # type: ignore[arg-type]
    pcm = say(SENTENCES[0])
    voice_ends = int(np.flatnonzero(np.abs(np.frombuffer(pcm, np.int16)) > 250)[-1])
    async with running(ears) as stage:
        for at in range(0, 2 * voice_ends, 640):
            await stage.play(InputAudioRawFrame(pcm[at : at + 640], 16_000, 1))
        heard = await stage.first(TranscriptionFrame)
        assert heard.text == SENTENCES[0]
        await stage.first(ProposedUserStoppedSpeakingFrame)


def test_another_language_is_refused_with_the_fix():
    for refuse in (lambda s, p: build(s, p, None), warm_up):  # type: ignore[arg-type]
        with pytest.raises(BadSetting, match="which hears English only: set STT=whisper"):
            refuse(load_settings(), Persona(language="de-DE"))


@pytest.mark.parametrize(
    ("setting", "persona", "granted"),
    [("", "", "balanced"), ("", "patient", "patient"), ("quick", "patient", "quick")],
)
def test_the_setting_decides_how_long_a_pause_may_be_then_the_persona(setting, persona, granted):
    settings = load_settings(avatar_patience=setting)
    ears = build(settings, Persona(patience=persona), None)  # type: ignore[arg-type]
    assert ears._patience == PATIENCE[granted]  # type: ignore[attr-defined]


def test_what_fetches_models_is_imported_by_who_asks_for_it():
    script = """
import sys
import pipelines.stt.moonshine
print("requests" in sys.modules, "moonshine_voice.download" in sys.modules)
from moonshine_voice.download import download_model
print(download_model.__module__)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["False", "False", "moonshine_voice.download_file"]
