"""Whisper as the ears: what is speech, and what belongs to one answer."""

import aiohttp
import numpy as np
import pytest
from faster_whisper.transcribe import Segment
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)

from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.stt.whisper import Whisper, build, is_speech
from pipelines.stt.whisper import spoken as spoken_text
from tests.speech import say
from tests.standins.stage import Stage, running

pytestmark = pytest.mark.patient

RATE = 16_000


@pytest.fixture
async def stage():
    async with aiohttp.ClientSession() as http:
        async with running(build(load_settings(), Persona(), http)) as stage:
            yield stage


def spoken(pcm: bytes) -> list[Frame]:
    """A segment as the VAD cuts it."""
    audio = InputAudioRawFrame(pcm, RATE, 1)
    return [VADUserStartedSpeakingFrame(), audio, VADUserStoppedSpeakingFrame()]


def transcripts(stage: Stage) -> list[str]:
    return [frame.text for frame in stage.all(TranscriptionFrame)]


async def test_a_sentence_is_written_down_once_and_final(stage):
    await stage.play(*spoken(say("What can you do?")))
    frame = await stage.first(TranscriptionFrame)
    assert frame.text == "What can you do?"
    assert frame.finalized


async def test_another_language_is_heard_by_the_packaged_multilingual_model(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    german = Persona(language="de-DE")
    async with aiohttp.ClientSession() as http:
        async with running(build(load_settings(), german, http)) as stage:
            await stage.play(*spoken(say("Hamburg, Berlin, Frankfurt.")))
            assert "Berlin" in (await stage.first(TranscriptionFrame)).text
    assert (tmp_path / "avatar" / "whisper-base" / "model.bin").stat().st_size > 140e6


@pytest.mark.parametrize("kind", ["hiss", "hum", "clicks", "silence"])
async def test_what_is_no_speech_is_dropped(stage, kind):
    chance = np.random.default_rng(1)
    time_s = np.arange(RATE) / RATE
    sound = {
        "hiss": chance.standard_normal(RATE) * 1500,
        "hum": np.sin(2 * np.pi * 60 * time_s) * 6000,
        "clicks": (chance.random(RATE) > 0.999) * 20_000.0,
        "silence": np.zeros(RATE),
    }[kind]
    await stage.play(*spoken(sound.astype(np.int16).tobytes()))
    await stage.play(*spoken(say("What can you do?")))
    await stage.first(TranscriptionFrame)
    assert transcripts(stage) == ["What can you do?"]


@pytest.mark.parametrize(
    ("text", "no_speech", "log_probability", "compression", "kept"),
    [
        pytest.param(" Hello?", 0.40, -0.28, 0.43, True, id="a word cut short"),
        pytest.param(" What can you do?", 0.02, -0.21, 0.7, True, id="a question"),
        pytest.param(" Or", 0.38, -1.65, 0.20, False, id="0.2 s of Pardon"),
        pytest.param(" for", 0.57, -1.50, 0.27, False, id="0.12 s of Pardon"),
        pytest.param(" Yeah.", 0.79, -0.50, 0.38, False, id="0.1 s out of Yes"),
        pytest.param(" you you you you you you", 0.1, -0.4, 3.1, False, id="a loop"),
    ],
)
def test_what_the_model_made_up_is_told_from_what_was_said(
    text, no_speech, log_probability, compression, kept
):
    """Figures as tiny.en gave them for pieces clipped out of words."""
    segment = Segment(
        id=1,
        seek=0,
        start=0.0,
        end=1.0,
        text=text,
        tokens=[],
        avg_logprob=log_probability,
        compression_ratio=compression,
        no_speech_prob=no_speech,
        words=None,
        temperature=0.0,
    )
    assert is_speech(segment) == kept
    assert spoken_text([segment]) == (text.strip() if kept else "")


async def test_a_question_with_a_pause_in_it_is_one_transcript(stage):
    await stage.play(*spoken(say("Hello.")), *spoken(say("Who are you?")))
    frame = await stage.first(TranscriptionFrame)
    assert [
        word.strip(".,?!") for word in frame.text.lower().split()
    ] == "hello who are you".split()
    assert [f.text for f in stage.all(InterimTranscriptionFrame)] == ["Hello."]


async def test_what_is_held_back_is_not_lost_when_only_noise_follows(stage):
    await stage.play(*spoken(say("What can you do?")), *spoken(bytes(2 * RATE)))
    assert (await stage.first(TranscriptionFrame)).text == "What can you do?"


def test_the_model_is_loaded_once_for_all_conversations():
    settings = load_settings()
    one, two = (build(settings, Persona(), None) for _ in range(2))  # type: ignore[arg-type]
    assert isinstance(one, Whisper) and isinstance(two, Whisper)
    assert one._model is two._model
