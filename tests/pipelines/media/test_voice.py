"""A voice on this machine: what is made ahead, and what is not made any more."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext, LLMContextMessage
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.services.ollama.llm import OLLamaLLMService

from pipelines.media.speech import Speech
from pipelines.media.voice import Voice
from pipelines.turns.ahead import prepare_ahead
from tests.standins.ollama import Ollama
from tests.standins.replies import Reply
from tests.standins.stage import running

RATE = 24_000
LIMIT_S = 5.0
MODEL = OLLamaLLMService.Settings(model="llama3.2:latest")


class Beeper:
    """Speaks a beep a word, and notes of which texts it has begun and which words it has made.

    While `stopped` it waits before each word.
    """

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.made: list[str] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.thread = ThreadPoolExecutor(1)
        self.voice = Voice(self.speak, RATE, self.thread, "beeps")

    def speak(self, text: str) -> Iterator[Speech]:
        self.begun.append(text)
        for word in text.split():
            assert self.may_go.wait(LIMIT_S)
            self.made.append(word)
            sound = 8000 * np.sin(np.arange(RATE // 10) / 10)
            yield Speech(sound.astype(np.int16).tobytes(), 0.1, [(word, 0.0)])

    def settled(self) -> list[str]:
        """What was made once all is done that was asked for."""
        self.thread.submit(lambda: None).result(LIMIT_S)
        return self.made


@pytest.fixture
def beeper():
    beeper = Beeper()
    yield beeper
    beeper.may_go.set()
    beeper.thread.shutdown()


async def asked(stage, text: str) -> None:
    """Have a text spoken, and wait until it is."""
    before = len(stage.all(TTSStoppedFrame))
    await stage.play(TTSSpeakFrame(text))
    await stage.first(TTSStoppedFrame, lambda _: len(stage.all(TTSStoppedFrame)) > before, LIMIT_S)


async def test_a_prepared_text_is_made_once_and_before_it_is_asked_for(beeper):
    async with running(beeper.voice) as stage:
        beeper.voice.prepare("Well, yes. ")
        beeper.voice.prepare("Well, yes.")
        assert beeper.settled() == ["Well,"]
        await asked(stage, "Well, yes.")
        assert len(stage.all(TTSAudioRawFrame)) == 2
    assert beeper.begun == ["Well, yes. "] and beeper.made == ["Well,", "yes."]


async def test_a_prepared_text_is_forgotten_when_another_is_asked_for(beeper):
    async with running(beeper.voice) as stage:
        beeper.voice.prepare("Well.")
        await asked(stage, "No.")
        await asked(stage, "Well.")
    assert beeper.begun == ["Well.", "No.", "Well."]


async def test_only_the_last_prepared_text_is_kept(beeper):
    async with running(beeper.voice) as stage:
        beeper.voice.prepare("Well.")
        beeper.voice.prepare("No.")
        await asked(stage, "No.")
        await asked(stage, "Well.")
    assert beeper.begun == ["Well.", "No.", "Well."]


async def test_what_is_withdrawn_before_its_turn_is_never_made(beeper):
    async with running(beeper.voice) as stage:
        beeper.may_go.clear()
        beeper.voice.prepare("Busy.")
        beeper.voice.prepare("Well.")
        beeper.voice.withdraw()
        beeper.may_go.set()
        assert beeper.settled() == ["Busy."]
        await asked(stage, "Well.")
    assert beeper.made == ["Busy.", "Well."]


async def test_who_is_interrupted_makes_no_more_than_what_is_begun(beeper):
    async with running(beeper.voice) as stage:
        beeper.may_go.clear()
        text = LLMTextFrame("one two three four five.")
        await stage.play(LLMFullResponseStartFrame(), text, LLMFullResponseEndFrame())
        await stage.first(LLMFullResponseStartFrame, limit_s=LIMIT_S)
        await stage.play(InterruptionFrame())
        await stage.first(InterruptionFrame, limit_s=LIMIT_S)
        beeper.may_go.set()
        assert len(beeper.settled()) <= 1
        await asked(stage, "Well.")
        assert len(stage.all(TTSAudioRawFrame)) == 1


async def test_texts_without_a_sound_do_not_end_the_voice(beeper):
    async with running(beeper.voice) as stage:
        silent = Voice(lambda _: iter(()), RATE, beeper.thread, "silent")
        async with running(silent) as quiet:
            for _ in range(4):
                await asked(quiet, "…")
            assert quiet.all(ErrorFrame) == []
        await asked(stage, "Well.")


async def test_a_mind_that_writes_slowly_is_spoken_from_its_first_clause_on(beeper):
    answer = "That depends on the weather, which nobody knows. Shall I go on?"
    async with Ollama(replies=[Reply(answer, word_delay_s=0.05), "Yes. No."]) as endpoint:
        mind = OLLamaLLMService(base_url=endpoint.openai_url, api_key="none", settings=MODEL)
        prepare_ahead(LLMContextAggregatorPair(LLMContext()), [mind], [beeper.voice])
        async with running(mind, beeper.voice) as stage:
            for so_many in (1, 2):
                question: list[LLMContextMessage] = [{"role": "user", "content": "Will it rain?"}]
                await stage.play(LLMContextFrame(LLMContext(question)))
                ended = lambda _, n=so_many: len(stage.all(LLMFullResponseEndFrame)) == n  # noqa: E731
                await stage.first(LLMFullResponseEndFrame, ended)
    clause, rest, question, *fast = beeper.begun
    assert clause == "That depends on the weather,"
    assert (rest, question) == ("which nobody knows.", "Shall I go on?")
    assert fast == ["Yes.", "No."]
