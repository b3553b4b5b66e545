"""What is articulated stands where it is heard, whatever becomes of the sound on its way."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import numpy as np
import pytest
from pipecat.frames.frames import (
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)

from pipelines.media.articulation import ArticulationFrame
from pipelines.media.pace import VoiceOnly
from pipelines.media.speech import Phoneme, Speech
from pipelines.media.voice import Voice
from tests.standins.stage import Stage, running

RATE = 24_000
ANSWER = ["One two three.", "Four.", "And five more."]


def clicks(rate: int, text: str) -> Iterator[Speech]:
    """Silence as long as the text, with a click for each letter "o" or "e"."""
    step = round(0.0113 * rate)
    at = [step * n for n, letter in enumerate(text, 1) if letter in "oe"]
    samples = np.zeros(step * (len(text) + 4), np.int16)
    samples[at] = 20_000
    heard = [Phoneme("p", n / rate, (n + step) / rate) for n in at]
    yield Speech(samples.tobytes(), len(samples) / rate, [(text, 0.0)], heard)


@asynccontextmanager
async def speaking(
    rate: int = RATE, speak: Callable[[str], Iterator[Speech]] | None = None
) -> AsyncIterator[tuple[Voice, Stage]]:
    with ThreadPoolExecutor(1) as thread:
        voice = Voice(speak or partial(clicks, rate), rate, thread, "clicks")
        async with running(voice, VoiceOnly()) as stage:
            yield voice, stage


def told_and_heard(stage: Stage) -> tuple[list[float], list[float]]:
    """When clicks are told and heard, in seconds of the voice that came to the end of the stage."""
    told, sound = [], np.zeros(0, np.int16)
    for frame in stage.seen:
        if isinstance(frame, TTSAudioRawFrame):
            sound = np.concatenate([sound, np.frombuffer(frame.audio, np.int16)])
        elif isinstance(frame, ArticulationFrame):
            told += [len(sound) / RATE + p.start_s for p in frame.phonemes if p.symbol]
    before, here, after = sound[:-2], sound[1:-1], sound[2:]
    peaks = np.flatnonzero((here > 5000) & (here > before) & (here >= after)) + 1
    return told, list(peaks / RATE)


async def answer(stage: Stage, *sentences: str) -> None:
    texts = [LLMTextFrame(f"{sentence} ") for sentence in sentences]
    await stage.play(LLMFullResponseStartFrame(), *texts, LLMFullResponseEndFrame())
    await stage.first(TTSStoppedFrame)


@pytest.mark.parametrize("rate", [24_000, 22_050, 16_000])
async def test_it_is_told_to_the_sample_where_a_sound_is(rate):
    async with speaking(rate) as (_, stage):
        await answer(stage, *ANSWER)
        told, heard = told_and_heard(stage)
    assert len(told) == sum(letter in "oe" for letter in "".join(ANSWER))
    assert told == pytest.approx(heard, abs=1.5 / RATE)


async def test_a_sentence_that_comes_late_takes_nothing_of_the_one_before():
    def late(text: str) -> Iterator[Speech]:
        time.sleep(0.3 if text == ANSWER[1] else 0)
        return clicks(22_050, text)

    async with speaking(22_050, late) as (_, stage):
        await answer(stage, *ANSWER)
        told, heard = told_and_heard(stage)
    assert told == pytest.approx(heard, abs=1.5 / RATE)


async def test_it_comes_before_its_sound():
    async with speaking() as (_, stage):
        await answer(stage, *ANSWER)
        told = stage.all(ArticulationFrame)
    assert [min(p.start_s for p in frame.phonemes) > 0 for frame in told] == [True] * 3


async def test_what_was_withdrawn_is_not_told_and_what_was_ahead_is_told_once():
    async with speaking() as (voice, stage):
        voice.prepare("Toot toot toot.")
        voice.withdraw()
        voice.prepare(ANSWER[0])
        await answer(stage, *ANSWER)
        told, heard = told_and_heard(stage)
    assert len(told) == sum(letter in "oe" for letter in "".join(ANSWER))
    assert told == pytest.approx(heard, abs=1.5 / RATE)


async def test_after_an_interruption_it_counts_from_the_new_sound():
    async with speaking(22_050) as (_, stage):
        await stage.play(TTSSpeakFrame("Hello, hello, hello, and so on and on and on."))
        await stage.first(TTSAudioRawFrame, lambda frame: frame.num_frames < RATE)
        await stage.play(InterruptionFrame())
        await stage.first(InterruptionFrame)
        over = len(stage.seen)
        await stage.play(TTSSpeakFrame("One more."))
        await stage.first(TTSStoppedFrame)
        starts = [n for n, f in enumerate(stage.seen) if isinstance(f, TTSStartedFrame)]
        del stage.seen[: max(over, starts[-1])]
        told, heard = told_and_heard(stage)
    assert len(told) == 3
    assert told == pytest.approx(heard, abs=1.5 / RATE)
