"""A participant that holds a session's conversation, whoever thinks and speaks for it."""

import asyncio
import contextlib
import logging
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import aiohttp
from livekit import rtc

from liveavatar.orders import BadOrder, Order, read_order
from liveavatar.wire import EndReason, Event
from pipelines.redaction import redacted
from pipelines.settings import Settings
from sandbox.account import Account
from sandbox.agent.seat import Seat
from sandbox.agent.teller import Teller
from sandbox.errors import AgentFailed
from sandbox.faults import AGENT, ROOM, Faults
from sandbox.outbox import NORMAL
from sandbox.performance import Performance

# Who is in the room and plays no sound is spoken to all the same.
LISTENS_S = 5.0
# The last event is waited for no longer than this.
LAST_EVENT_S = 2.0
STOP = "session.stop"
SPOKEN = {
    "agent.speak_started": "avatar.speak_started",
    "agent.speak_ended": "avatar.speak_ended",
}
POSES = {"avatar.start_listening": True, "avatar.stop_listening": False}
End = Callable[[EndReason], None]
log = logging.getLogger(__name__)


class Presence(ABC):
    """Built, then `build()`, `join()`, `run()` in a task; `gone()` at the end."""

    def __init__(
        self,
        performance: Performance,
        account: Account,
        faults: Faults,
        settings: Settings,
        end: End,
    ) -> None:
        """`end` ends the session."""
        self._performance, self._account = performance, account
        self._faults, self._settings, self._end = faults, settings, end
        self._session = performance.session
        self._seat = Seat(self._hear, self._receive, self._watch)
        self._teller = Teller(
            self._session,
            account.clock,
            lambda: str(uuid.uuid4()),
            self._seat.tell,
            lambda: performance.still,
        )
        self._orders: asyncio.Queue[Order] = asyncio.Queue()
        self._http = aiohttp.ClientSession()
        self._tasks: list[asyncio.Task[None]] = []
        self._planned: list[asyncio.TimerHandle] = []
        self._ended, self._running = False, asyncio.Event()

    @abstractmethod
    async def build(self) -> None:
        """Make ready for a conversation. Raises: UserError, AgentFailed."""

    @abstractmethod
    async def run(self) -> None:
        """Hold the conversation until `gone()`."""

    @abstractmethod
    async def _hear(self, pcm: bytes) -> None:
        """Take some sound of the room: s16le mono 16 kHz."""

    @abstractmethod
    async def _do(self, order: Order) -> None:
        """Obey a command, or drop it silently (section 6)."""

    @abstractmethod
    async def _conclude(self) -> None:
        """End the conversation, whatever is under way."""

    async def join(self, url: str, token: str) -> None:
        """Be in the room. Raises: AgentFailed."""
        try:
            await self._seat.join(url, token)
        except (rtc.ConnectError, TimeoutError) as error:
            raise AgentFailed(str(error) or type(error).__name__) from error
        self._spawn(self._teller.run())
        self._plan(AGENT, "leave", lambda: self._spawn(self._seat.leave()))
        self._plan(AGENT, "hang-up", lambda: self._end(EndReason.AGENT_HANG_UP))
        self._plan(ROOM, "no-data", lambda: setattr(self._seat, "deaf", True))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._watch)

    def _watch(self, task: "asyncio.Task[None]") -> None:
        """End the session when a part of it breaks off: nobody else would tell."""
        if task.cancelled() or not (error := task.exception()):
            return
        self._note({"problem": redacted(f"a part of the agent broke off: {error!r}")}, "failed")
        log.error("A part of the agent of session %s broke off.", self._session.id, exc_info=error)
        self._end(EndReason.SERVER_ERROR)

    def _plan(self, place: str, name: str, act: Callable[[], object]) -> None:
        """Let a fault come true in time."""
        if fault := self._faults.strike(place, name):
            loop = asyncio.get_running_loop()
            self._planned.append(loop.call_later(fault.number("after"), act))

    # What the performance tells.

    def send(self, event: Event) -> None:
        """Pass on when the avatar begins and ends to speak."""
        if event.type in SPOKEN:
            self._teller.tell(SPOKEN[event.type], event.source_event_id)

    def hang_up(self, code: int = NORMAL) -> None:  # noqa: B027 — who has a socket closes it
        """There is no socket to close: `gone()` ends it."""

    async def gone(self) -> None:
        """End the conversation, tell why the session is over, and leave."""
        self._ended = True
        for each in self._planned:
            each.cancel()
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

    async def _tell_the_last(self) -> None:
        packet = self._teller.last(self._session.end_reason or EndReason.UNKNOWN)
        room = self._performance.room
        if packet and room and self._seat.reaches:
            arrived = room.expect(packet)
            await self._teller.flushed()
            await arrived.wait()

    # What comes from the room.

    def _receive(self, packet: bytes) -> None:
        if self._performance.still:
            return
        try:
            order = read_order(packet)
        except BadOrder as error:
            self._note({"problem": str(error)})
            return
        told = {"elevenlabs_event_type": order.vendor_type, "data": order.data}
        vendors = told if order.vendor_type else {}
        self._note({"event_type": order.event_type, "text": order.text, **vendors})
        self._account.heard(self._session)
        self._orders.put_nowait(order)

    def _note(self, message: dict[str, Any], way: str = "received") -> None:
        self._session.note(self._account.clock(), way, message)

    # What is done.

    async def _company(self) -> None:
        """Wait until somebody is there who hears the avatar."""
        await self._seat.company.wait()
        room = await self._performance.staged()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LISTENS_S):
                await room.is_heard()

    async def _attend(self) -> None:
        """End the session once nobody has been there for longer than who drops may be away."""
        while True:
            await self._seat.left.wait()
            try:
                await asyncio.wait_for(self._seat.there.wait(), self._account.limits.returns_s)
            except TimeoutError:
                return self._end(EndReason.USER_DISCONNECTED)

    async def _obey(self) -> None:
        await self._running.wait()
        while True:
            order = await self._orders.get()
            if order.event_type in POSES:
                self._performance.dialogue.listen(POSES[order.event_type], order.event_id)
            elif order.event_type == STOP:
                self._end(EndReason.USER_CLOSED)
            else:
                await self._do(order)
