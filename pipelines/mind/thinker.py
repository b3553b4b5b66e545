"""The minds of a persona, asked without ears and a voice: messages in, an answer's words out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import aiohttp
from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMTextFrame,
    MetricsFrame,
)
from pipecat.metrics.metrics import LLMUsageMetricsData
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext, LLMContextMessage
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.workers.runner import WorkerRunner

from pipelines.budget import Budget
from pipelines.errors import PartFailed
from pipelines.guard.mind import MindChain, MindGuard
from pipelines.guard.news import News
from pipelines.guard.speech import Speech
from pipelines.meter import Meter
from pipelines.parts import Lineup, Part, load
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.text import has_sound
from sessions.transcript import Transcript

from .history import tokens

# How long the pipeline may take to start, to let go of an answer, and to end.
STARTS_S, LETS_GO_S, ENDS_S = 20.0, 1.0, 5.0
LATE = "The mind does not start: see the log."
CLOSED = "The mind is closed: the server stops."
Messages = Sequence[LLMContextMessage]
Minds = Mapping[LLMService[Any], Part]


@runtime_checkable
class Instructed(Protocol):
    """A mind that is told who it is."""

    async def instruct(self, prompt: str) -> None:
        """Be this from the next question on."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A mind that remembers what it said beside what it is asked with."""

    def forget(self) -> None:
        """The next question begins another conversation."""
        ...


@dataclass
class Usage:
    """Tokens that an answer took, of all minds that were at it; 0 where none counts them."""

    read: int = 0
    written: int = 0


class Thinker:
    """Minds in order, and who watches them, for one question at a time: `open()` it first.

    Attributes:
        usage: what the last answer took.
        fit: whether it can be asked again.
    """

    def __init__(
        self, settings: Settings, lineup: Lineup, persona: Persona, http: aiohttp.ClientSession
    ) -> None:
        """`persona` is whose words stand in for an answer; what the minds are told comes later.

        Raises:
            UserError: a mind cannot be built as the settings ask.
        """
        self._persona = replace(persona, prompt="", waiting="", filler="")
        rows = lineup["llm"].parts
        minds = {load(row).build(settings, self._persona, http): row for row in rows}
        self._minds: list[LLMService[Any]] = [*minds]
        chain = MindChain([*minds]) if len(minds) > 1 else self._minds[0]
        self._order = Speech.order_of(chain)
        self._news = News(Transcript(), minds)
        limit_s = settings.avatar_thinking_s
        self._guard = MindGuard(self._minds, self._order, self._news, self._persona, limit_s)
        self._answer = _Answer()
        self._budget = Budget(settings, {"llm": lineup["llm"]}, Meter(settings, minds))
        self._worker = PipelineWorker(
            Pipeline([chain, self._answer]),
            params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
            observers=[self._budget.meter],
            idle_timeout_secs=None,
            enable_rtvi=False,
            enable_turn_tracking=False,
        )
        self._run: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        # What is asked now, and is not counted as a whole answer yet.
        self._asked: Sequence[Any] = ()
        self.fit = self._closed = False

    @property
    def usage(self) -> Usage:
        """The tokens of the last answer."""
        return self._answer.usage

    async def open(self) -> None:
        """Begin to warm up.

        Raises:
            PartFailed: the pipeline does not start, or is closed meanwhile.
        """

        @self._worker.event_handler("on_pipeline_started")
        async def begun(*_: Any) -> None:
            self._started.set()

        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self._worker)
        self._look()
        self._run = asyncio.create_task(runner.run())
        self._run.add_done_callback(self._over)
        self._budget.watch()
        await self._news.arrive()
        try:
            async with asyncio.timeout(STARTS_S):
                await self._started.wait()
        except TimeoutError:
            raise PartFailed(LATE) from None
        self._look()
        if self._run.done():
            raise PartFailed(LATE)
        self.fit = True

    def _look(self) -> None:
        if self._closed:
            raise PartFailed(CLOSED)

    async def close(self) -> None:
        """End it, whatever is under way, whose answer ends where it is; as often as one likes."""
        self.fit = False
        if self._closed:
            return
        self._closed = True
        try:
            await self._end()
        finally:
            self._count()
            await self._budget.close()

    async def _end(self) -> None:
        await self._guard.close()
        if self._run:
            await self._worker.cancel(reason="nobody asks")
            await asyncio.wait([self._run], timeout=ENDS_S)
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
        # A mind that is cut off has failed, as the guard sees it.
        await self._guard.close()
        await self._order.close()

    async def ask(self, prompt: str, messages: Messages) -> AsyncGenerator[str, None]:
        """The words of an answer, as they come; there are some in any case.

        Who closes this generator early makes the minds let go of the answer. What it has cost is
        written beside whoever goes on.
        """
        self._answer.begin()
        for mind in self._minds:
            if isinstance(mind, Instructed):
                await mind.instruct(prompt)
            if isinstance(mind, Remembering):
                mind.forget()
        self._asked = [{"content": prompt}, *messages]
        try:
            await self._worker.queue_frame(LLMContextFrame(LLMContext([*messages])))
            async for words in self._answer.words():
                yield words
            if not self._closed:
                self._asked = ()
        finally:
            try:
                if self._asked and not self._closed:
                    await self._let_go()
            finally:
                self._count()
                self._budget.nudge()
        if not has_sound(self._answer.said):
            yield self._persona.unable

    def _count(self) -> None:
        """Count what a mind has not, of an answer that was cut off: its tokens are paid for."""
        asked, self._asked = self._asked, ()
        if not asked:
            return
        usage, said = self._answer.usage, self._answer.said
        read = 0 if usage.read else sum(tokens(dict(each)) for each in asked)
        written = max(0, tokens({"content": said}) - usage.written) if said else 0
        usage.read, usage.written = usage.read + read, usage.written + written
        self._budget.meter.estimate(self._order.active_service, read, written)

    async def _let_go(self) -> None:
        """Stop the minds, which can be asked again if nothing of the answer is left on its way."""
        self.fit = False
        await self._worker.queue_frame(InterruptionFrame())
        gone = await self._worker.flush_pipeline(LETS_GO_S)
        self.fit = gone and not self._closed

    def _over(self, _run: asyncio.Task[None]) -> None:
        self.fit = False
        self._started.set()
        self._answer.end()


class _Answer(FrameProcessor):
    """Gives out the words that the minds push, and counts what they took.

    Attributes:
        said: all words until now.
        usage: what they took.
    """

    def __init__(self) -> None:
        super().__init__()
        self.said, self.usage = "", Usage()
        self._words: asyncio.Queue[str | None] = asyncio.Queue()

    def begin(self) -> None:
        """What comes from now on answers another question."""
        self.said, self.usage, self._words = "", Usage(), asyncio.Queue()

    def end(self) -> None:
        """Nothing more comes."""
        self._words.put_nowait(None)

    async def words(self) -> AsyncIterator[str]:
        """The words of the answer, until its end."""
        while (words := await self._words.get()) is not None:
            yield words

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take what belongs to the answer, and pass all on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMTextFrame):
            self.said += frame.text
            self._words.put_nowait(frame.text)
        elif isinstance(frame, LLMFullResponseEndFrame):
            self.end()
        elif isinstance(frame, MetricsFrame):
            for each in frame.data:
                if isinstance(each, LLMUsageMetricsData):
                    self.usage.read += each.value.prompt_tokens
                    self.usage.written += each.value.completion_tokens
        await self.push_frame(frame, direction)
