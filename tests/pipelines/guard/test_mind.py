"""A question is answered by the next mind, or told to have none: once, and for one reason."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from pipecat.frames.frames import (
    EagerEndOfTurnCancelFrame,
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    StartFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.services.llm_service import LLMService

from pipelines.guard.mind import MindChain, MindGuard
from pipelines.guard.news import News
from pipelines.guard.order import InOrder
from pipelines.llm import gemini, ollama
from pipelines.parts import part
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.turns.gate import OneAnswer
from sessions.transcript import Transcript
from tests.standins.gemini import Gemini
from tests.standins.ollama import Ollama
from tests.standins.replies import Reply
from tests.standins.stage import Stage, running

END = UserStoppedSpeakingFrame
LOST = "Say that again?"
HANGS = Reply("Never.", delay_s=60)


class Talk:
    """Minds in order on a stage, and what the user is told of them."""

    def __init__(self, stage: Stage, news: News) -> None:
        self.stage = stage
        self.notices: list[str] = []
        self.told = asyncio.Event()
        # What happens while the user is told of a failure.
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        news.send = self._tell

    async def _tell(self, frame: Frame) -> None:
        assert isinstance(frame, RTVIServerMessageFrame)
        self.notices.append(frame.data["text"])
        self.told.set()
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            await meanwhile()

    async def ask(self, *, speculation: bool = False) -> None:
        """Put a question."""
        context = LLMContext([{"role": "user", "content": "Where?"}])
        await self.stage.play(LLMContextFrame(context, speculation=speculation))

    @property
    def said(self) -> str:
        """The answers so far."""
        return "".join(frame.text for frame in self.stage.all(LLMTextFrame))

    async def answered(self, times: int = 1) -> None:
        """Wait for so many answers."""
        ends = lambda _: len(self.stage.all(LLMFullResponseEndFrame)) == times  # noqa: E731
        await self.stage.first(LLMFullResponseEndFrame, ends)
        assert len(self.stage.all(LLMFullResponseStartFrame)) == times


@asynccontextmanager
async def talking(*vendors: Gemini | Ollama, thinking_s: float = 2.0) -> AsyncIterator[Talk]:
    """Let minds answer, the first that is well, each for so long."""
    async with aiohttp.ClientSession() as http:
        minds = [_mind(vendor, http) for vendor in vendors]
        gate = OneAnswer(name="gate")
        for mind in minds:
            mind._speculation_gate = gate
        chain = MindChain(minds) if len(minds) > 1 else minds[0]
        order = chain.strategy if isinstance(chain, MindChain) else InOrder([*minds])
        rows = [part("llm", _value(vendor)) for vendor in vendors]
        news = News(Transcript(), dict(zip(minds, rows, strict=True)))
        guard = MindGuard(minds, order, news, Persona(lost=LOST), thinking_s)
        async with running(chain) as stage:
            await stage.first(StartFrame, lambda frame: stage.seen.count(frame) == 2)
            talk = Talk(stage, news)
            await news.arrive()
            yield talk
            await guard.close()
            await order.close()


def _value(vendor: Gemini | Ollama) -> str:
    return "gemini" if isinstance(vendor, Gemini) else "ollama"


def _mind(vendor: Gemini | Ollama, http: aiohttp.ClientSession) -> LLMService[Any]:
    if isinstance(vendor, Gemini):
        at: dict[str, Any] = {"google_api_key": vendor.key, "google_base_url": vendor.url}
        settings = load_settings(**at, google_model=vendor.models[0])
        return gemini.build(settings, Persona(), http)
    settings = load_settings(ollama_base_url=vendor.openai_url, ollama_model=vendor.models[0])
    return ollama.build(settings, Persona(), http)


async def test_the_only_gemini_that_hangs_is_told_of_once_and_is_asked_again():
    async with Gemini(replies=[HANGS, "Paris."]) as vendor, talking(vendor) as talk:
        await _hangs_and_answers(talk)


async def test_the_only_ollama_that_hangs_is_told_of_once_and_is_asked_again():
    async with Ollama(replies=[HANGS, "Paris."]) as vendor, talking(vendor) as talk:
        await _hangs_and_answers(talk)


async def _hangs_and_answers(talk: Talk) -> None:
    await talk.ask()
    await talk.answered()
    assert talk.said == LOST
    await talk.ask()
    await talk.answered(2)
    assert talk.said == f"{LOST}Paris."
    [notice] = talk.notices
    assert "takes too long to answer" in notice


async def test_the_next_mind_answers_instead_of_one_of_which_nothing_was_heard_yet():
    halting = Reply("Well, I", word_delay_s=60)
    async with Gemini(replies=[halting]) as first, Ollama(replies=["Rome."]) as second:
        async with talking(first, second) as talk:
            await talk.stage.play(UserStartedSpeakingFrame())
            await talk.ask(speculation=True)
            await second.until(lambda: bool(second.state.prompts), 10)
            await talk.stage.play(UserStoppedSpeakingFrame())
            await talk.answered()
            assert talk.said == "Rome."


async def test_the_only_mind_of_which_nothing_was_heard_yet_says_that_it_is_lost():
    halting = Reply("Well, I", word_delay_s=60)
    async with Gemini(replies=[halting]) as vendor, talking(vendor) as talk:
        await talk.stage.play(UserStartedSpeakingFrame())
        await talk.ask(speculation=True)
        await asyncio.wait_for(talk.told.wait(), 10)
        await talk.stage.play(UserStoppedSpeakingFrame())
        await talk.answered()
        frames = [f for f in talk.stage.seen if isinstance(f, END | LLMTextFrame)]
        assert isinstance(frames[0], UserStoppedSpeakingFrame), "it would have spoken too soon"
        assert talk.said == LOST


async def test_a_guess_that_is_withdrawn_while_a_mind_fails_is_not_put_to_the_next():
    async with Gemini(replies=[]) as first, Ollama(replies=["Rome."]) as second:
        first.fail("*", 503)
        async with talking(first, second) as talk:

            async def withdraw() -> None:
                await talk.stage.play(EagerEndOfTurnCancelFrame())
                cancel = lambda frame: talk.stage.seen.count(frame) == 2  # noqa: E731
                await talk.stage.first(EagerEndOfTurnCancelFrame, cancel)

            talk.meanwhile = withdraw
            await talk.stage.play(UserStartedSpeakingFrame())
            await talk.ask(speculation=True)
            await asyncio.wait_for(talk.told.wait(), 10)
            await talk.stage.first(EagerEndOfTurnCancelFrame)
            await talk.stage.play(UserStoppedSpeakingFrame())
            await talk.ask()
            await talk.answered()
            assert talk.said == "Rome." and len(second.state.prompts) == 1


async def test_a_guess_that_is_withdrawn_after_the_turn_is_watched_as_long_as_a_mind_is_at_it():
    async with Ollama(replies=[HANGS, "Rome."]) as vendor, talking(vendor) as talk:
        await talk.stage.play(UserStartedSpeakingFrame())
        await talk.ask(speculation=True)
        await vendor.until(lambda: bool(vendor.state.prompts), 10)
        await talk.stage.play(UserStoppedSpeakingFrame(), EagerEndOfTurnCancelFrame())
        await talk.ask()
        await talk.answered(2)
        assert talk.said == f"{LOST}Rome."
