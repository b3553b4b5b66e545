"""The guide as a service in a pipeline."""

import asyncio
import threading
from collections.abc import Sequence

import aiohttp
import pytest
from pipecat.frames.frames import (
    Frame,
    LLMConfigureOutputFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    MetricsFrame,
)
from pipecat.metrics.metrics import ProcessingMetricsData, TTFBMetricsData
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.tests.utils import run_test
from pipecat.turns.empty_user_turn import EmptyUserTurnConfig
from pipecat.utils.text.simple_text_aggregator import SimpleTextAggregator
from pipecat.workers.runner import WorkerRunner

from guide.knowledge import KNOWLEDGE, load_knowledge
from guide.matcher import Match, Matcher
from guide.script import Script
from pipelines.llm.guide import GuideLLMService, build
from pipelines.persona import Persona
from pipelines.settings import load_settings

OURS = load_knowledge(KNOWLEDGE)
PATIENCE_S = 20.0
RESPONSE = (LLMFullResponseStartFrame, LLMTextFrame, LLMFullResponseEndFrame)


@pytest.fixture
async def guide():
    """The service as the application builds it."""
    async with aiohttp.ClientSession() as http:
        yield build(load_settings(), Persona(name="Mira"), http)


def asked(*messages: tuple[str, str]) -> LLMContextFrame:
    return LLMContextFrame(LLMContext([{"role": r, "content": c} for r, c in messages]))  # type: ignore[misc]


def words(frames: Sequence[Frame]) -> list[str]:
    return [frame.text for frame in frames if isinstance(frame, LLMTextFrame)]


def first_answer(title: str) -> str:
    return OURS[title].answers[0].text.replace("${name}", "Mira")


async def test_an_answer_is_streamed_word_by_word_between_start_and_end(guide: LLMService):
    text = first_answer("Who are you")
    count = len(text.split())
    down, _ = await run_test(
        guide,
        frames_to_send=[asked(("system", "You are Mira."), ("user", "Who are you?"))],
    )
    assert [type(frame) for frame in down if isinstance(frame, RESPONSE)] == [
        LLMFullResponseStartFrame,
        *[LLMTextFrame] * count,
        LLMFullResponseEndFrame,
    ]
    assert "".join(words(down)) == text


async def test_the_words_give_the_voice_its_first_sentence(guide: LLMService):
    down, _ = await run_test(guide, frames_to_send=[asked(("user", "Hello!"))])
    voice = SimpleTextAggregator()
    sentences = [s.text async for word in _each(words(down)) async for s in voice.aggregate(word)]
    assert sentences[0] == "Hello!"


async def _each(texts: Sequence[str]):
    for text in texts:
        yield text


async def test_only_the_last_message_is_answered(guide: LLMService):
    context = asked(
        ("user", "Who are you?"), ("assistant", "I am Mira."), ("user", "How do you work?")
    )
    down, _ = await run_test(guide, frames_to_send=[context])
    assert "".join(words(down)) == first_answer("How do you work")


class Noting(Matcher):
    """Notes in which threads it was asked."""

    def __init__(self) -> None:
        super().__init__(OURS)
        self.threads: set[str] = set()

    def match(self, text: str) -> Match | None:
        self.threads.add(threading.current_thread().name)
        return super().match(text)


async def test_questions_are_matched_off_the_loop_that_all_conversations_share():
    matcher = Noting()
    guide = GuideLLMService(Script(matcher, "Mira"))
    down, _ = await run_test(guide, frames_to_send=[asked(("user", "Who are you?"))])
    assert "".join(words(down)) == first_answer("Who are you")
    assert matcher.threads and threading.current_thread().name not in matcher.threads


async def test_parts_of_a_message_are_read(guide: LLMService):
    parts = [{"type": "text", "text": "How do you"}, {"type": "text", "text": "work?"}]
    context = LLMContext([{"role": "user", "content": parts}])  # type: ignore[list-item]
    down, _ = await run_test(guide, frames_to_send=[LLMContextFrame(context)])
    assert "".join(words(down)) == first_answer("How do you work")


@pytest.mark.parametrize("role", ["system", "developer", "assistant"])
async def test_nothing_is_said_to_an_instruction(guide: LLMService, role: str):
    context = asked(("user", "Hello"), (role, "Ask whether the user is still there."))
    down, _ = await run_test(guide, frames_to_send=[context])
    kinds = [type(frame) for frame in down if isinstance(frame, RESPONSE)]
    assert kinds == [LLMFullResponseStartFrame, LLMFullResponseEndFrame]


async def test_an_answer_that_was_not_heard_is_given_again(guide: LLMService):
    question = asked(("user", "Tell me a joke."))
    for _ in range(2):
        down, _ = await run_test(guide, frames_to_send=[question])
        assert "".join(words(down)) == first_answer("Joke")


async def test_a_noise_that_cut_it_off_is_answered_by_saying_it_again(guide: LLMService):
    cut_off = ("developer", EmptyUserTurnConfig().interrupted_prompt or "")
    await run_test(guide, frames_to_send=[asked(("user", "Who are you?"))])
    down, _ = await run_test(guide, frames_to_send=[asked(("user", "Who are you?"), cut_off)])
    assert "".join(words(down)).endswith(first_answer("Who are you"))


async def test_the_greeting_in_the_context_can_be_repeated(guide: LLMService):
    context = asked(("assistant", "Hi, I am Mira!"), ("user", "Can you repeat that?"))
    down, _ = await run_test(guide, frames_to_send=[context])
    assert "".join(words(down)).endswith("Hi, I am Mira!")


async def test_a_silent_answer_skips_the_voice(guide: LLMService):
    frames = [LLMConfigureOutputFrame(skip_tts=True), asked(("user", "Hello"))]
    down, _ = await run_test(guide, frames_to_send=frames)
    texts = [frame for frame in down if isinstance(frame, LLMTextFrame)]
    assert texts
    assert all(frame.skip_tts for frame in texts)


async def test_time_to_first_word_and_processing_are_measured(guide: LLMService):
    down, _ = await run_test(
        guide,
        frames_to_send=[asked(("user", "Hello"))],
        pipeline_params=PipelineParams(enable_metrics=True),
    )
    kinds = {type(d) for frame in down if isinstance(frame, MetricsFrame) for d in frame.data}
    assert {TTFBMetricsData, ProcessingMetricsData} <= kinds


class Audience(FrameProcessor):
    """Interrupts the first answer at its first word, and waits for the second."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[list[str]] = []
        self.interrupted = asyncio.Event()
        self.second_word = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMFullResponseStartFrame):
            self.answers.append([])
        if isinstance(frame, LLMTextFrame):
            self.answers[-1].append(frame.text)
            await self._react()
        await self.push_frame(frame, direction)

    async def _react(self) -> None:
        if len(self.answers) > 1:
            self.second_word.set()
        elif not self.interrupted.is_set():
            await self.broadcast_interruption()
            self.interrupted.set()


async def test_an_interrupted_answer_stops_and_the_next_one_is_given():
    """With a delay this long, the first answer alone would outlast the test."""
    slow = GuideLLMService(Script(Matcher(OURS), "Mira"), word_delay_s=PATIENCE_S)
    audience = Audience()
    worker = PipelineWorker(Pipeline([slow, audience]), cancel_on_idle_timeout=False)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    await worker.queue_frame(asked(("user", "Who are you?")))
    await asyncio.wait_for(audience.interrupted.wait(), PATIENCE_S)
    await worker.queue_frame(asked(("user", "How do you work?")))
    await asyncio.wait_for(audience.second_word.wait(), PATIENCE_S)
    assert len(audience.answers[0]) < len(first_answer("Who are you").split())
    assert audience.answers[1][0] == first_answer("How do you work").split()[0]
    await worker.cancel()
    await asyncio.wait_for(running, PATIENCE_S)
