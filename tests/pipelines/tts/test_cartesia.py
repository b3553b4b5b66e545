"""Cartesia's contexts: what is spoken ahead is let go or cancelled, and is heard once or never."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    StartFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)

from pipelines.media.articulation import ArticulationFrame
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.tts import cartesia as part
from tests.standins.babble import LETTER_S
from tests.standins.cartesia import Cartesia
from tests.standins.stage import Stage, running

FIRST, SECOND = "That is easy.", "It needs no key."


@asynccontextmanager
async def speaking(vendor: Cartesia) -> AsyncIterator[tuple[part.Cartesia, Stage]]:
    settings = load_settings(cartesia_api_key=vendor.key, cartesia_base_url=vendor.url)
    async with aiohttp.ClientSession() as http:
        voice = part.build(settings, Persona(), http)
        assert isinstance(voice, part.Cartesia)
        async with running(voice) as stage:
            await stage.first(StartFrame, lambda frame: stage.seen.count(frame) == 2)
            yield voice, stage


async def answer(stage: Stage, *sentences: str) -> None:
    texts = [LLMTextFrame(f"{sentence} ") for sentence in sentences]
    await stage.play(LLMFullResponseStartFrame(), *texts, LLMFullResponseEndFrame())


def sound_s(stage: Stage) -> float:
    return sum(len(f.audio) / 2 / f.sample_rate for f in stage.all(TTSAudioRawFrame))


def words(stage: Stage) -> str:
    return " ".join(frame.text for frame in stage.all(TTSTextFrame))


def told(stage: Stage) -> list[tuple[str, float]]:
    """What is articulated, and when, in seconds of the sound."""
    sounded_s, found = 0.0, []
    for frame in stage.seen:
        if isinstance(frame, TTSAudioRawFrame):
            sounded_s += frame.num_frames / frame.sample_rate
        elif isinstance(frame, ArticulationFrame):
            found += [(p.symbol, sounded_s + p.start_s) for p in frame.phonemes]
    return found


def spelled(*sentences: str) -> list[tuple[str, float]]:
    """What the stand-in tells of sentences."""
    begun_s, found = 0.0, []
    for text in sentences:
        step_s = LETTER_S * len(text) / (len(text) + 1)
        letters = [(letter.lower(), n) for n, letter in enumerate(text) if letter.isalpha()]
        found += [(letter, pytest.approx(begun_s + n * step_s, abs=0.001)) for letter, n in letters]
        begun_s += LETTER_S * len(text)
    return found


async def test_it_is_connected_before_there_is_anything_to_say():
    async with Cartesia() as vendor, speaking(vendor):
        await vendor.until(lambda: [r.path for r in vendor.requests] == ["/tts/websocket"])


async def test_what_was_spoken_ahead_is_let_go_and_the_answer_goes_on_in_its_context():
    async with Cartesia() as vendor, speaking(vendor) as (voice, stage):
        voice.prepare(FIRST)
        await vendor.until(lambda: vendor.state.spoken == [FIRST])
        assert not stage.all(TTSAudioRawFrame)
        await answer(stage, FIRST, SECOND)
        await stage.first(TTSStoppedFrame)
        assert vendor.state.spoken == [FIRST, SECOND]
        assert len(vendor.state.finished) == 1 and not vendor.state.cancelled
        assert words(stage) == f"{FIRST} {SECOND}"
        assert abs(sound_s(stage) - LETTER_S * len(FIRST + SECOND)) < 0.1
        assert len({frame.context_id for frame in stage.all(TTSAudioRawFrame)}) == 1


async def test_what_is_let_go_while_it_is_being_made_is_whole():
    async with Cartesia(chunk_delay_s=0.02) as vendor, speaking(vendor) as (voice, stage):
        voice.prepare(FIRST)
        await vendor.until(lambda: vendor.state.spoken == [FIRST])
        await answer(stage, FIRST)
        await stage.first(TTSStoppedFrame)
        assert words(stage) == FIRST
        assert abs(sound_s(stage) - LETTER_S * len(FIRST)) < 0.1


async def test_what_is_withdrawn_is_cancelled_and_never_heard():
    async with Cartesia() as vendor, speaking(vendor) as (voice, stage):
        voice.prepare(FIRST)
        await vendor.until(lambda: vendor.state.spoken == [FIRST])
        voice.withdraw()
        await vendor.until(lambda: bool(vendor.state.cancelled))
        await answer(stage, SECOND)
        await stage.first(TTSStoppedFrame)
        assert words(stage) == SECOND
        assert abs(sound_s(stage) - LETTER_S * len(SECOND)) < 0.1


async def test_another_text_than_was_prepared_is_spoken_alone():
    async with Cartesia() as vendor, speaking(vendor) as (voice, stage):
        voice.prepare(FIRST)
        await vendor.until(lambda: vendor.state.spoken == [FIRST])
        await answer(stage, SECOND, FIRST)
        await stage.first(TTSStoppedFrame)
        assert len(vendor.state.cancelled) == 1
        assert words(stage) == f"{SECOND} {FIRST}"


async def test_an_answer_that_was_begun_ahead_is_cancelled_when_it_is_interrupted():
    async with Cartesia(chunk_delay_s=0.02) as vendor, speaking(vendor) as (voice, stage):
        voice.prepare(FIRST)
        await vendor.until(lambda: vendor.state.spoken == [FIRST])
        assert voice._ahead
        theirs = voice._ahead.context_id
        await answer(stage, FIRST, SECOND * 10)
        await stage.first(TTSAudioRawFrame)
        await stage.play(InterruptionFrame())
        await vendor.until(lambda: vendor.state.cancelled == [theirs])
        await stage.play(TTSSpeakFrame("Yes?"))
        await stage.first(TTSTextFrame, lambda frame: frame.text == "Yes?")
        assert not set(vendor.state.cancelled) & set(vendor.state.finished)


async def test_what_cannot_be_spoken_ahead_is_asked_for_again():
    async with Cartesia() as vendor, speaking(vendor) as (voice, stage):
        vendor.fail_speech(429, "Too many requests")
        voice.prepare(FIRST)
        await stage.first(ErrorFrame)
        await answer(stage, FIRST)
        await stage.first(TTSStoppedFrame)
        assert words(stage) == FIRST


@pytest.mark.parametrize("ahead", [False, True])
async def test_it_is_told_what_is_articulated_when(ahead):
    async with Cartesia(chunk_delay_s=0.005) as vendor, speaking(vendor) as (voice, stage):
        if ahead:
            voice.prepare(FIRST)
            await vendor.until(lambda: vendor.state.spoken == [FIRST])
        await answer(stage, FIRST, SECOND)
        await stage.first(TTSStoppedFrame)
        assert told(stage) == spelled(FIRST, SECOND)
        assert words(stage) == f"{FIRST} {SECOND}"
        assert not stage.all(ErrorFrame)


async def test_phonemes_that_are_withdrawn_or_garbled_lose_nothing():
    async with Cartesia() as vendor, speaking(vendor) as (voice, stage):
        voice.prepare(FIRST)
        await vendor.until(lambda: vendor.state.spoken == [FIRST])
        voice.withdraw()
        vendor.garbles = True
        await answer(stage, SECOND)
        await stage.first(TTSStoppedFrame)
        assert told(stage) == [] and words(stage) == SECOND
        assert abs(sound_s(stage) - LETTER_S * len(SECOND)) < 0.1
        assert not stage.all(ErrorFrame)
