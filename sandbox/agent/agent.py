"""The participant that runs a FULL session's conversation: commands in, speech and events out."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from typing import Any

import aiohttp
from livekit import rtc
from pipecat.frames.frames import Frame, LLMMessagesAppendFrame, TTSSpeakFrame
from pipecat.workers.runner import WorkerRunner

from liveavatar.orders import BadOrder, Order, read_order
from liveavatar.wire import EndReason, Event
from pipelines.settings import Settings
from pipelines.text import clean, has_sound
from sandbox.account import Account
from sandbox.agent.pipeline import Talk, assemble, build_speech, persona_of, warm_up
from sandbox.agent.seat import Seat
from sandbox.agent.teller import Teller
from sandbox.agent.window import WindowEars
from sandbox.brief import Brief
from sandbox.errors import AgentFailed
from sandbox.faults import PTT, Faults
from sandbox.outbox import NORMAL
from sandbox.performance import Performance

# Who is in the room and plays no sound is spoken to all the same.
LISTENS_S = 5.0
# The visitor of an embed's page who is not there by then does not come.
COMES_S = 60.0
# The last event is waited for no longer than this, and the end of the pipeline no longer than that.
LAST_EVENT_S, LAST_FRAME_S = 2.0, 5.0
REPEAT, RESPOND, STOP = "avatar.speak_text", "avatar.speak_response", "session.stop"
SPOKEN = {
    "agent.speak_started": "avatar.speak_started",
    "agent.speak_ended": "avatar.speak_ended",
}
POSES = {"avatar.start_listening": True, "avatar.stop_listening": False}
WINDOWS = {"user.start_push_to_talk": True, "user.stop_push_to_talk": False}
# Whether it was to open, and whether it worked.
ANSWERS = {
    (True, True): "user.push_to_talk_started",
    (True, False): "user.push_to_talk_start_failed",
    (False, True): "user.push_to_talk_stopped",
    (False, False): "user.push_to_talk_stop_failed",
}
End = Callable[[EndReason], None]


class Agent:
    """One session's agent: `build()`, `join()`, then `run()` in a task; `gone()` at the end."""

    def __init__(
        self,
        brief: Brief,
        performance: Performance,
        account: Account,
        faults: Faults,
        settings: Settings,
        end: End,
    ) -> None:
        """`end` ends the session."""
        self._brief, self._performance, self._account = brief, performance, account
        self._faults, self._settings, self._end = faults, settings, end
        self._session = performance.session
        self._seat = Seat(self._hear, self._receive)
        self._teller = Teller(
            self._session,
            account.clock,
            lambda: str(uuid.uuid4()),
            self._seat.tell,
            lambda: performance.still,
        )
        self._orders: asyncio.Queue[Order] = asyncio.Queue()
        self._http = aiohttp.ClientSession()
        self._talk: Talk | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._ended, self._running = False, asyncio.Event()
        self._run: asyncio.Task[Any] | None = None

    async def build(self) -> None:
        """Load the models, which takes seconds the first time, and build the conversation.

        Raises:
            UserError: a part is not installed, or cannot be used as the settings ask.
        """
        persona = persona_of(self._brief)
        await asyncio.to_thread(warm_up, self._settings, persona)
        speech = await build_speech(self._brief, self._settings, persona, self._http)
        self._talk = assemble(
            self._brief,
            self._settings,
            persona,
            speech,
            self._performance,
            self._faults,
            self._teller,
            self._say_soon,
        )
        account, session = self._account, self._session
        self._talk.follow(lambda: account.heard(session), self._seat.is_muted)

    async def join(self, url: str, token: str) -> None:
        """Be in the room. Raises: AgentFailed."""
        try:
            await self._seat.join(url, token)
        except (rtc.ConnectError, TimeoutError) as error:
            raise AgentFailed(str(error) or type(error).__name__) from error
        self._tasks.append(asyncio.create_task(self._teller.run()))

    @property
    def _talking(self) -> Talk:
        assert self._talk, "an agent is built before it runs"
        return self._talk

    async def run(self) -> None:
        """Hold the conversation until `gone()`."""
        if self._ended:
            return
        self._run = asyncio.current_task()
        worker, runner = self._talking.worker, WorkerRunner(handle_sigint=False)

        @worker.event_handler("on_pipeline_started")
        async def started(*_: Any) -> None:
            self._running.set()

        await runner.add_workers(worker)
        async with asyncio.TaskGroup() as work:
            talking = work.create_task(runner.run())
            others = [
                work.create_task(each) for each in (self._greet(), self._obey(), self._attend())
            ]
            await asyncio.wait([talking])
            for each in others:
                each.cancel()

    # What the performance tells.

    def send(self, event: Event) -> None:
        """Pass on when the avatar begins and ends to speak."""
        if event.type in SPOKEN:
            self._teller.tell(SPOKEN[event.type], event.source_event_id)

    def hang_up(self, code: int = NORMAL) -> None:
        """There is no socket to close: `gone()` ends it."""

    async def gone(self) -> None:
        """End the conversation, tell why the session is over, and leave."""
        self._ended = True
        try:
            await self._conclude()
            # A room that is gone brings nobody the last word.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_EVENT_S):
                    await self._tell_the_last()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._seat.leave()
            await self._http.close()

    async def _conclude(self) -> None:
        """End the conversation, whatever is under way."""
        if not (self._talk and self._run):
            return
        starting = asyncio.create_task(self._running.wait())
        first = asyncio.FIRST_COMPLETED
        await asyncio.wait([starting, self._run], timeout=LAST_FRAME_S, return_when=first)
        starting.cancel()
        await self._talk.close()
        await asyncio.wait([self._run], timeout=LAST_FRAME_S)
        self._run.cancel()
        await asyncio.gather(self._run, return_exceptions=True)

    async def _tell_the_last(self) -> None:
        packet = self._teller.last(self._session.end_reason or EndReason.UNKNOWN)
        room = self._performance.room
        if packet and room and self._tasks:
            arrived = room.expect(packet)
            await self._teller.flushed()
            await arrived.wait()

    # What comes from the room.

    async def _hear(self, pcm: bytes) -> None:
        if self._talk:
            await self._talk.microphones.hear(pcm)

    def _receive(self, packet: bytes) -> None:
        if self._performance.still:
            return
        try:
            order = read_order(packet)
        except BadOrder as error:
            self._note({"problem": str(error)})
            return
        self._note({"event_type": order.event_type, "text": order.text})
        self._account.heard(self._session)
        self._orders.put_nowait(order)

    def _note(self, message: dict[str, Any]) -> None:
        self._session.note(self._account.clock(), "received", message)

    # What is done.

    async def _greet(self) -> None:
        """Speak first, once somebody is there who hears it."""
        await self._running.wait()
        await self._seat.company.wait()
        room = self._performance.room
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LISTENS_S):
                if room:
                    await room.is_heard()
        self._say_soon(self._brief.opening)

    async def _attend(self) -> None:
        """End the session of an embed's page once its visitor is gone, or has not come."""
        if self._session.embed_id is None:
            return
        company = self._seat.company
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(company.wait(), COMES_S)
        if company.is_set():
            await self._seat.left.wait()
        self._end(EndReason.USER_DISCONNECTED)

    def _say_soon(self, text: str) -> None:
        self._orders.put_nowait(Order(REPEAT, text=text))

    async def _obey(self) -> None:
        await self._running.wait()
        while True:
            await self._do(await self._orders.get())

    async def _do(self, order: Order) -> None:
        match order.event_type:
            case "avatar.interrupt":
                await self._talking.interrupt()
            case kind if kind in (REPEAT, RESPOND):
                await self._speak(order)
            case kind if kind in POSES:
                self._performance.dialogue.listen(POSES[kind], order.event_id)
            case kind if kind in WINDOWS:
                await self._window(order, opens=WINDOWS[kind])
            case kind if kind == STOP:
                self._end(EndReason.USER_CLOSED)
            case _:  # dropped silently (section 6)
                return

    async def _speak(self, order: Order) -> None:
        """Say a text, or the answer to it; in restricted mode there is no answer (4.2)."""
        text = clean(order.text).strip()
        if not has_sound(text):
            return
        if order.event_type == REPEAT:
            self._teller.tell("avatar.transcription", order.event_id, text=text)
            await self._queue(TTSSpeakFrame(text))
        elif self._brief.prompt is not None:
            self._teller.keep("user", text)
            await self._talking.interrupt()
            asked: Any = {"role": "user", "content": text}
            await self._queue(LLMMessagesAppendFrame([asked], run_llm=True))

    async def _window(self, order: Order, *, opens: bool) -> None:
        """Open or close the window of push-to-talk; always answered (4.3)."""
        ears = self._talking.ears
        window = ears if isinstance(ears, WindowEars) and ears.is_open != opens else None
        if not self._faults.strike(PTT, "no-ack"):
            self._teller.tell(ANSWERS[opens, window is not None], order.event_id)
        if window:
            await (window.open() if opens else window.close())

    async def _queue(self, frame: Frame) -> None:
        await self._talking.worker.queue_frame(frame)
