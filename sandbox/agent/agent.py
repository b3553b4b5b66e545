"""The participant that runs a FULL session's conversation: commands in, speech and events out."""

import asyncio
from typing import Any

from pipecat.frames.frames import Frame, LLMMessagesAppendFrame, TTSSpeakFrame
from pipecat.workers.runner import WorkerRunner

from liveavatar.orders import Order
from liveavatar.wire import EndReason
from pipelines.text import clean, has_sound
from sandbox.agent.pipeline import Talk, assemble, build_speech, persona_of, warm_up
from sandbox.agent.presence import Presence
from sandbox.agent.window import WindowEars
from sandbox.brief import Brief
from sandbox.faults import PTT

# The visitor of an embed's page who is not there by then does not come.
COMES_S = 60.0
# The end of the pipeline is waited for no longer than this.
LAST_FRAME_S = 5.0
REPEAT, RESPOND = "avatar.speak_text", "avatar.speak_response"
WINDOWS = {"user.start_push_to_talk": True, "user.stop_push_to_talk": False}
# Whether it was to open, and whether it worked.
ANSWERS = {
    (True, True): "user.push_to_talk_started",
    (True, False): "user.push_to_talk_start_failed",
    (False, True): "user.push_to_talk_stopped",
    (False, False): "user.push_to_talk_stop_failed",
}


class Agent(Presence):
    """One FULL session's agent."""

    def __init__(self, brief: Brief, *rest: Any) -> None:
        """`rest` is that of any presence."""
        super().__init__(*rest)
        self._brief = brief
        self._talk: Talk | None = None
        self._run: asyncio.Task[Any] | None = None

    async def build(self) -> None:
        """Load the models, which takes seconds the first time, and build the conversation.

        Raises:
            UserError: a part is not installed, or cannot be used as the settings ask.
        """
        persona = persona_of(self._brief)
        await asyncio.to_thread(warm_up, self._settings, persona)
        speech = await build_speech(self._brief, self._settings, persona, self._http, self._fail)
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

    def _fail(self, text: str) -> None:
        self._note({"problem": text}, "failed")

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

    async def _conclude(self) -> None:
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

    async def _hear(self, pcm: bytes) -> None:
        if self._talk:
            await self._talk.microphones.hear(pcm)

    async def _greet(self) -> None:
        """Speak first, once somebody is there who hears it."""
        await self._running.wait()
        await self._company()
        self._say_soon(self._brief.opening)

    async def _attend(self) -> None:
        """End the session of an embed's page once its visitor is gone, or has not come."""
        if self._session.embed_id is None:
            return
        try:
            await asyncio.wait_for(self._seat.company.wait(), COMES_S)
        except TimeoutError:
            return self._end(EndReason.USER_DISCONNECTED)
        await super()._attend()

    def _say_soon(self, text: str) -> None:
        self._orders.put_nowait(Order(REPEAT, text=text))

    async def _do(self, order: Order) -> None:
        match order.event_type:
            case "avatar.interrupt":
                await self._talking.interrupt()
            case kind if kind in (REPEAT, RESPOND):
                await self._speak(order)
            case kind if kind in WINDOWS:
                await self._window(order, opens=WINDOWS[kind])

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
        if self._faults.strike(PTT, "fail"):
            window = None
        if not self._faults.strike(PTT, "no-ack"):
            self._teller.tell(ANSWERS[opens, window is not None], order.event_id)
        if window:
            await (window.open() if opens else window.close())

    async def _queue(self, frame: Frame) -> None:
        await self._talking.worker.queue_frame(frame)
