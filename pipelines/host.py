"""The good host: greets the user who has come, asks the silent one, and ends politely."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from loguru import logger
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    TTSSpeakFrame,
    UserIdleTimeoutUpdateFrame,
)
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame

from .persona import Persona
from .pulse import Tell, beat
from .text import has_sound

# A face that takes longer than this to show is not waited for: the user came to talk, and hears
# the greeting within 3 s.
FACE_TIMEOUT_S = 2.0
# The longest a goodbye is waited for before the conversation is ended all the same.
GOODBYE_TIMEOUT_S = 15.0
# The longest that is waited for what is still under way, which a stuck mind or voice never ends.
ENDING_TIMEOUT_S = 30.0
# The same for a server that is stopped, which is not waited for much longer (bots/running.py).
LAST_WORDS_TIMEOUT_S, LAST_TIMEOUT_S = 5.5, 0.5
# The longest that who speaks is waited for to fall silent.
HUSH_TIMEOUT_S = 1.0
# The longest that is said before a conversation is ended that cannot go on.
APOLOGY_TIMEOUT_S = 6.0
WATCH_PERIOD_S = 1.0
# A place that nobody comes to is given up after this long: a room may cost money.
ARRIVAL_TIMEOUT_S = 60.0


class Host:
    """Speaks unasked: the greeting, the question into silence, the goodbye."""

    def __init__(
        self, worker: PipelineWorker, persona: Persona, max_duration_s: float, idle_s: float
    ) -> None:
        self._worker = worker
        self._persona = persona
        self._max_duration_s = max_duration_s
        self._idle_s = idle_s
        self._quiet = asyncio.Event()
        self._speaking = False
        self._asked = self._greeted = self._answer_due = self._muted = False
        self._met = self._greeting_said = self._failed = False
        self._page = asyncio.Event()
        self._audible = asyncio.Event()
        self._audible.set()
        self._farewell: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        worker.add_reached_upstream_filter((BotStartedSpeakingFrame, BotStoppedSpeakingFrame))
        worker.add_event_handler("on_frame_reached_upstream", self._heard)

    @property
    def greeted(self) -> bool:
        """Whether the user has come."""
        return self._greeted

    @property
    def has_page(self) -> bool:
        """Whether the user has a page that sends messages."""
        return self._page.is_set()

    def expect_user(self, timeout_s: float = ARRIVAL_TIMEOUT_S) -> None:
        """End the conversation if nobody comes."""
        self._start(self._give_up(timeout_s))

    def user_came(self, face_visible: asyncio.Event | None) -> None:
        """Greet once the face is visible, and begin to count the time.

        A transport reports a user again who comes back after a lost connection.
        """
        if self._greeted:
            return
        self._greeted = True
        self._start(self._greet(face_visible))
        self._start(self._end_in_time())

    def watch(self, alive: Callable[[], bool]) -> None:
        """End the conversation when the place where it is held is gone."""
        self._start(self._watch(alive))

    def beat(self, tell: Tell) -> None:
        """Give a sign of life to a place that would be there without this process."""
        self._start(beat(tell))

    def user_spoke(self) -> None:
        """The user is there: the next silence is asked about again, and a goodbye called off."""
        self._met = True
        self._is_present()

    async def user_is_here(self) -> None:
        """The user shows presence without a word: silence is counted from now on.

        Pipecat counts it by itself for the user's voice only.
        """
        self._is_present()
        await self._count_silence()

    async def user_typed(self) -> None:
        """The user wrote something, which is answered before silence is asked about."""
        self._met = self._answer_due = True
        await self.user_is_here()

    async def microphone(self, *, muted: bool) -> None:
        """The user turned the microphone off or on: who only listens is not silent."""
        self._muted = muted
        await self.user_is_here()

    async def sound(self, *, blocked: bool) -> None:
        """The user's browser plays no sound, or does so now.

        The greeting waits for it. Who was greeted unheard and has done nothing since is greeted
        again. Silence is counted meanwhile, so that nobody's page does not stay for ever.
        """
        if blocked:
            self._audible.clear()
            await self._count_silence()
        elif not self._audible.is_set():
            self._audible.set()
            self._asked = False
            if self._greeting_said and not self._met:
                await self._say(self._persona.greeting)

    async def user_is_silent(self, *, muted: bool = False) -> None:
        """Ask a silent user once, then end politely.

        Who waits for an answer is not silent, nor is who has turned the microphone off, be it that
        the page has said so or that it is seen to be: `muted`.
        """
        if self._muted or muted:
            await self.user_is_here()
        elif self._answer_due:
            self._answer_due = False
            await self.user_is_here()
        elif self._asked:
            self.end("silence")
        else:
            self._asked = True
            await self._say(self._persona.still_there)

    def end(self, reason: str) -> None:
        """Say goodbye and end the conversation: "silence" or "duration"."""
        farewell = self._start(self._goodbye(reason, self._persona.goodbye))
        if reason == "silence":
            self._farewell = farewell

    def spent(self, reason: str) -> None:
        """Say that it has cost as much as it may, and end: "spend", or "spend-day" for all."""
        self._start(self._goodbye(reason, self._persona.spent))

    async def update(self) -> None:
        """Break off what is said or thought of, tell that the server is stopped, and end."""
        self._quiet.clear()
        await self._worker.queue_frame(InterruptionFrame())
        if self._speaking:
            await _at_most(self._quiet.wait(), HUSH_TIMEOUT_S)
        words = self._persona.updating
        await self._goodbye("update", words, LAST_WORDS_TIMEOUT_S, LAST_TIMEOUT_S)

    def fail(self, text: str, audible: bool = True) -> None:
        """End because something does not work, which is shown as `text`, and said if it can be."""
        if not self._failed:
            self._failed = True
            self._start(self._fail(text, audible))

    def page_came(self) -> None:
        """The user's page can show something."""
        self._page.set()

    async def close(self) -> None:
        """Forget everything that is still planned."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        """End a conversation whose host broke off: it might never end by itself, and may cost."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error(f"The host broke off, so the conversation is ended: {error!r}")
            self._start(self._worker.cancel(reason="the host broke off"))

    async def _greet(self, face_visible: asyncio.Event | None) -> None:
        if face_visible is not None:
            await _at_most(face_visible.wait(), FACE_TIMEOUT_S)
        await self._audible.wait()
        self._greeting_said = True
        await self._say(self._persona.greeting)

    def _is_present(self) -> None:
        self._asked = False
        if self._farewell:
            self._farewell.cancel()

    async def _count_silence(self) -> None:
        await self._worker.queue_frame(UserIdleTimeoutUpdateFrame(self._idle_s))

    async def _end_in_time(self) -> None:
        await asyncio.sleep(self._max_duration_s)
        await self._goodbye("duration", self._persona.goodbye)

    async def _give_up(self, timeout_s: float) -> None:
        await asyncio.sleep(timeout_s)
        if not self._greeted:
            await self._worker.cancel(reason="nobody came")

    async def _watch(self, alive: Callable[[], bool]) -> None:
        while alive():  # noqa: ASYNC110 — HeyGenClient says nothing when its room is gone
            await asyncio.sleep(WATCH_PERIOD_S)
        await self._worker.cancel(reason="the room is gone")

    async def _goodbye(
        self,
        reason: str,
        words: str,
        words_limit_s: float = GOODBYE_TIMEOUT_S,
        limit_s: float = ENDING_TIMEOUT_S,
    ) -> None:
        self._quiet.clear()
        await self._say(words)
        if has_sound(words):
            await _at_most(self._quiet.wait(), words_limit_s)
        told = RTVIServerMessageFrame({"type": "over", "reason": reason})
        await self._part(told, reason, limit_s)

    async def _part(
        self, told: RTVIServerMessageFrame, reason: str, limit_s: float = ENDING_TIMEOUT_S
    ) -> None:
        """Tell the page of the end, which this is, once nothing else is under way."""
        drained = await self._is_drained(limit_s)
        await self._worker.queue_frame(told)
        if drained:
            await self._worker.queue_frame(EndFrame(reason=reason))
        else:
            await self._worker.cancel(reason=f"{reason}, and something is stuck")

    async def _is_drained(self, limit_s: float) -> bool:
        """Whether an EndFrame would come through; one that is stuck leaves no way to cancel."""
        flushed = self._worker.flush_pipeline(limit_s)
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(flushed, limit_s)
        return False

    async def _fail(self, text: str, audible: bool) -> None:
        await _at_most(self._page.wait(), FACE_TIMEOUT_S)
        if audible and has_sound(self._persona.unable):
            self._quiet.clear()
            await self._say(self._persona.unable)
            await _at_most(self._quiet.wait(), APOLOGY_TIMEOUT_S)
        await self._part(RTVIServerMessageFrame({"type": "failed", "text": text}), text)

    async def _say(self, text: str) -> None:
        if has_sound(text):
            await self._worker.queue_frame(TTSSpeakFrame(text))

    async def _heard(self, _worker: PipelineWorker, frame: Frame) -> None:
        self._speaking = isinstance(frame, BotStartedSpeakingFrame)
        if self._speaking:
            self._answer_due = False
        else:
            self._quiet.set()


async def _at_most(event: Coroutine[Any, Any, object], limit_s: float) -> None:
    """Wait for something, but not for ever."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event, limit_s)
