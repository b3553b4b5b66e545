"""One open session on stage: the puppet at 25 frames a second, into a room and a WebSocket.

The queue of sound is the clock: every frame pushes its 40 ms of sound, and frames are made
whenever less than LEAD_S of sound is waiting. Pictures wait for HELD frames, so that each is
published when its own sound leaves the queue.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

from liveavatar.wire import Event, Interrupt, Listen, Speak, SpeakEnd
from puppet import FPS, SAMPLES_PER_FRAME, Frame, Phone, Player
from sandbox.dialogue import Dialogue, Mark
from sandbox.faults import ROOM, SPEAK, Fault, Faults
from sandbox.outbox import NORMAL
from sandbox.room import Room
from sandbox.session import Session

FRAME_S = 1 / FPS
HELD = 3
LEAD_S = HELD * FRAME_S
SILENCE = bytes(2 * SAMPLES_PER_FRAME)


@dataclass(frozen=True)
class Held:
    """A frame whose sound is queued and whose picture waits."""

    frame: Frame
    mark: Mark | None


class Listener(Protocol):
    """Who is told what the avatar does: a client's WebSocket, or the agent of a FULL session."""

    def send(self, event: Event) -> None:
        """Take an event."""
        ...

    def hang_up(self, code: int = NORMAL) -> None:
        """The session is over, or a fault says so."""
        ...

    async def gone(self) -> None:
        """Wait until everything is told, and whoever was told is gone."""
        ...


@dataclass
class Performance:
    """What runs while a session is open. `run()` in a task; `close()` at the end."""

    session: Session
    player: Player
    room: Room | None
    faults: Faults
    crew: Executor
    ids: Callable[[], str]
    delete_room: Callable[[], None]
    outbox: Listener | None = None
    still: bool = False
    dialogue: Dialogue = field(init=False)
    _held: deque[Held] = field(init=False, default_factory=deque)
    _planned: list[tuple[str, Fault]] = field(init=False, default_factory=list)
    _job: "asyncio.Future[Frame] | None" = field(init=False, default=None)
    _entered: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.dialogue = Dialogue(self.player, self._emit, self.ids)

    def enter(self, room: Room) -> None:
        """Be seen in a room that is joined late."""
        self.room = room
        self._entered.set()

    async def staged(self) -> Room:
        """Wait for the room, and give it."""
        if not self.room:
            await self._entered.wait()
        assert self.room, "who enters has a room"
        return self.room

    def attach(self, outbox: Listener) -> None:
        """Talk to this one from now on; an earlier one is closed."""
        if self.outbox:
            self.outbox.hang_up()
        self.outbox = outbox

    def detach(self, outbox: Listener) -> bool:
        """It is gone; False if another one had taken its place."""
        if self.outbox is not outbox:
            return False
        self.outbox = None
        return True

    def hear(self, command: Speak | SpeakEnd | Interrupt | Listen, pcm: bytes) -> None:
        """Do what the client says; `pcm` is its decoded audio."""
        if self.still:
            return
        match command:
            case Speak():
                self.dialogue.speak(pcm, command.event_id)
            case SpeakEnd():
                self.dialogue.speak_end(pcm, command.event_id)
            case Interrupt():
                self._interrupt(command.event_id)
            case Listen():
                self.dialogue.listen(command.type.endswith("start_listening"), command.event_id)

    def say(self, pcm: bytes) -> None:
        """Have the avatar say some more: s16le mono 24 kHz."""
        if not self.still:
            self.session.hear(pcm)
            self.dialogue.speak(pcm, None)

    def articulate(self, phones: Sequence[Phone]) -> None:
        """Tell what is articulated in what it says next."""
        if not self.still:
            self.dialogue.articulate(phones)

    def said(self) -> None:
        """What it says is complete."""
        if not self.still:
            self.dialogue.speak_end(b"", None)

    def hush(self) -> None:
        """Drop what it says."""
        if not self.still:
            self._interrupt(None)

    def freeze(self) -> None:
        """Go silent in mid-speech and answer nothing any more."""
        self.still = True
        self._drop()
        self.player.interrupt()

    async def run(self) -> None:
        """Perform until cancelled."""
        loop = asyncio.get_running_loop()
        self._plan_room(loop)
        playing_until_s = loop.time()
        while True:
            await asyncio.sleep(playing_until_s - loop.time() - LEAD_S)
            await self._step()
            playing_until_s = max(playing_until_s, loop.time()) + FRAME_S

    async def close(self) -> None:
        """Say goodbye, close the WebSocket and leave the room; `run()` has been cancelled."""
        if self._job:
            await asyncio.wait([self._job])
        try:
            if self.outbox:
                if not self.still:
                    self.dialogue.over()
                self.outbox.hang_up()
                await self.outbox.gone()
        finally:
            if self.room:
                await self.room.leave()

    async def _step(self) -> None:
        interruptions = self.dialogue.interruptions
        shown = self._held.popleft() if len(self._held) >= HELD else None
        loop = asyncio.get_running_loop()
        self._job = loop.run_in_executor(self.crew, self._draw, shown)
        frame = await asyncio.shield(self._job)
        if interruptions != self.dialogue.interruptions:
            frame, mark = Frame(frame.data, frame.size, None, frame.state, frame.mouth), None
        else:
            mark = self.dialogue.ticked(frame)
            self._tell(shown)
        self._held.append(Held(frame, mark))
        if self.room:
            await self.room.play(frame.audio or SILENCE)

    def _draw(self, shown: Held | None) -> Frame:
        """In a thread of the crew: publish the picture whose turn it is, make the next."""
        if shown and self.room:
            self.room.show(shown.frame.data)
        return self.player.tick()

    def _tell(self, shown: Held | None) -> None:
        if not shown or self.still:
            return
        self.dialogue.shown(shown.mark)
        if shown.mark and shown.mark.audible:
            self._misbehave(shown.mark)

    def _interrupt(self, source: str | None) -> None:
        self._drop()
        self.dialogue.interrupt(source)

    def _drop(self) -> None:
        self._held.clear()
        if self.room:
            self.room.hush()

    def _emit(self, event: Event) -> None:
        if self.outbox:
            self.outbox.send(event)

    def _misbehave(self, mark: Mark) -> None:
        """Let the faults of an utterance come true at their second."""
        utterance = mark.utterance
        if utterance.played_s <= FRAME_S:
            for name in ("close-ws", "close-room"):
                fault = self.faults.strike(SPEAK, name)
                self._planned += [(utterance.id, fault)] if fault else []
        for plan in list(self._planned):
            id_, fault = plan
            if id_ == utterance.id and utterance.played_s >= fault.number("after"):
                self._planned.remove(plan)
                self._come_true(fault)

    def _come_true(self, fault: Fault) -> None:
        if fault.name == "close-room":
            self.delete_room()
        elif self.outbox:
            self.outbox.hang_up(int(fault.number("code")))

    def _plan_room(self, loop: asyncio.AbstractEventLoop) -> None:
        fault = self.faults.strike(ROOM, "close-room")
        if fault:
            loop.call_later(fault.number("after"), self.delete_room)
