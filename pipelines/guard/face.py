"""The face that always answers: the one asked for, or another that takes up its words.

What it is given and what comes of it tell whether it answers (`rules.py`); what was not heard of a
lost one is said by the next (`script.py`). No face is waited for: until there is one the voice goes
on alone.
"""

import asyncio
import contextlib
from collections.abc import Iterable

import numpy as np
from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    InterruptionFrame,
    MetricsFrame,
    OutputAudioRawFrame,
    OutputImageRawFrame,
    OutputTransportReadyFrame,
    StartFrame,
    SystemFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor, FrameProcessorSetup

from pipelines.media.follower import is_loud
from pipelines.media.pace import VoiceOnly
from pipelines.media.words import is_timed
from pipelines.trouble import face_back, face_lost, notice

from . import rules
from .cast import Cast
from .pauses import Pauses
from .rules import Loss, Tries, Watch
from .script import Script
from .seat import ElsewhereFrame, HeardFrame, Seat, luma


class FaceGuard(FrameProcessor):
    """Stands where the face would: voice in, paced sound and pictures out.

    Events: `on_face_lost(guard, why)` and `on_face_back(guard)`.
    """

    def __init__(self, cast: Cast) -> None:
        super().__init__()
        self._cast = cast
        self._script = Script()
        # Who is seen and heard: nobody in the moment between two faces.
        self._on: Seat | None = None
        self._watch: Watch | None = None
        self._coming: Seat | None = None
        # Who is to stand in and was not there at once.
        self._late: Seat | None = None
        self._tries = Tries()
        self._level = 0
        self._called_s = self._came_s = 0.0
        self._pauses = Pauses(self._script, lambda: self._now_s)
        self._lost = self._warned = self._ends = self._over = False
        # Why there is no face from the beginning.
        self._missed: Loss | None = None
        self._passing: dict[int, tuple[Frame, FrameDirection]] = {}  # what has not left yet
        self._started: asyncio.Future[StartFrame] | None = None
        self._transport_ready = asyncio.Event()
        # Set when a face that comes has a picture.
        self._news = asyncio.Event()
        self._jobs: set[asyncio.Task[None]] = set()
        self._tending: asyncio.Task[None] | None = None
        self._register_event_handler("on_face_lost")
        self._register_event_handler("on_face_back")

    @property
    def shows_face(self) -> bool:
        """Whether there is a face, or one may come: one to wait for."""
        return self._coming is not None or (self._on is not None and self._on.shows_face)

    # What comes in.

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Give the face what is its, keep what is not heard; the words wait for their places."""
        await super().process_frame(frame, direction)
        if isinstance(frame, StartFrame):
            await self._begin(frame, direction)
        elif isinstance(frame, CancelFrame):
            await self._cancel(frame, direction)
        elif isinstance(frame, EndFrame):
            self._ends = True
            await self._give(frame, direction)
        elif isinstance(frame, OutputTransportReadyFrame):
            self._transport_ready.set()
            await self.push_frame(frame, direction)
        elif is_timed(frame, direction) and not isinstance(frame, TTSStoppedFrame):
            self._script.hold(frame, self.get_clock().get_time())
        else:
            await self._give(frame, direction)

    async def _give(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InterruptionFrame):
            await self._push_all(self._script.cut())
        if direction == FrameDirection.DOWNSTREAM:
            self._script.give(frame, self.get_clock().get_time())
        if isinstance(frame, TTSAudioRawFrame):
            self._pauses.given()
            if self._watch:
                self._watch.given(self._now_s)
        if self._on:
            if isinstance(frame, SystemFrame):
                self._passing[frame.id] = frame, direction
            await self._on.feed(frame, direction)
        elif isinstance(frame, SystemFrame) or direction == FrameDirection.UPSTREAM:
            await self.push_frame(frame, direction)

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Have the face come, which may take long."""
        await super().setup(setup)
        self._started = self.get_event_loop().create_future()
        self._call()

    async def _begin(self, frame: StartFrame, direction: FrameDirection) -> None:
        assert self._started, "set up before it starts"
        self._started.set_result(frame)
        await self.push_frame(frame, direction)
        await self._go_on_alone()
        self._tending = self.create_task(self._look_after())

    async def _cancel(self, frame: CancelFrame, direction: FrameDirection) -> None:
        await self._stop()
        for seat in self._seats:
            await seat.feed(frame)
        await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        """Leave every face."""
        await self._stop()
        for seat in self._seats:
            self._dismiss(seat)
        self._on = self._coming = self._late = None
        await asyncio.gather(*self._jobs)
        await super().cleanup()

    @property
    def _seats(self) -> list[Seat]:
        return [*filter(None, (self._on, self._coming, self._late))]

    async def _stop(self) -> None:
        self._over = True
        if self._tending:
            task, self._tending = self._tending, None
            await self.cancel_task(task)

    # What comes out.

    async def _take(self, seat: Seat, frame: Frame, direction: FrameDirection) -> None:
        """A face gave something out."""
        self._passing.pop(frame.id, None)
        if isinstance(frame, OutputImageRawFrame | ElsewhereFrame):
            if not seat.picture:
                self._news.set()
            seat.picture = frame
        if isinstance(frame, StartFrame | CancelFrame | OutputTransportReadyFrame):
            return
        if isinstance(frame, ErrorFrame | MetricsFrame):
            await self.push_frame(frame, direction)
        elif isinstance(frame, HeardFrame):
            if seat is self._on:
                await self._hear(seat, frame.audio)
        elif seat is self._on:
            await self._pass_on(seat, frame, direction)

    async def _pass_on(self, seat: Seat, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, EndFrame):
            await self._stop()
            await self._push_all(self._script.all_words())
        if direction == FrameDirection.DOWNSTREAM:
            self._script.left(frame)
        await self.push_frame(frame, direction)
        if isinstance(frame, OutputAudioRawFrame) and not seat.tells_heard:
            await self._hear(seat, frame.audio)
        elif isinstance(frame, OutputImageRawFrame) and self._watch:
            self._watch.seen(self._now_s, luma(frame))

    async def _hear(self, seat: Seat, sound: bytes) -> None:
        loud = is_loud(np.frombuffer(sound, np.int16))
        if loud:
            self._pauses.sounded()
            if self._watch:
                self._watch.heard(self._now_s)
        self._script.hear(seat.said_s, loud=loud)
        await self._push_all(self._script.due_words())

    async def _push_all(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            await self.push_frame(frame)

    # Who is on stage.

    async def _look_after(self) -> None:
        """Tend to the faces; if that breaks off, go on without any."""
        (error,) = await asyncio.gather(self._tend(), return_exceptions=True)
        if not isinstance(error, Exception):
            return
        await self.push_error(f"The face is looked after no more: {error!r}")
        for seat in self._seats:
            self._dismiss(seat)
        self._on = self._watch = self._coming = self._late = None
        await self._let_pass()
        await self._go_on_alone()
        if not self._lost:
            await self.push_frame(face_lost(pictured=False))

    async def _tend(self) -> None:
        while not self._over:
            before_s = self._now_s
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), rules.TICK_S)
            self._news.clear()
            late_s = self._now_s - before_s - rules.TICK_S
            if self._watch and late_s > rules.STALLED_S:
                self._watch.excuse(late_s)
            if self._pauses.is_long:
                self._script.settle()
            await self._push_all(self._script.due_words())
            if self._on and (loss := self._loss(self._on)):
                await self._lose(self._on, loss)
            elif self._coming:
                await self._await(self._coming)
            elif not self._ends and (self._tries.due(self._now_s) or self._must_roll):
                self._call()
            if self._late and self._on and not self._on.is_face:
                await self._await_late(self._late)
            if self._missed and self._on and not self._on.is_face and self._pauses.is_now:
                await self._stand_in(self._missed)
            await self._warn()

    def _loss(self, seat: Seat) -> Loss | None:
        if seat.proper and self._ends_in(0):
            return rules.OVER
        if seat.is_face and not seat.shows_face:
            # A face that has said everything leaves by itself in the end.
            return None if self._ends and not self._pauses.face_owes else rules.GONE
        return self._watch.loss(self._now_s, self._script.due_s) if self._watch else None

    async def _lose(self, seat: Seat, loss: Loss) -> None:
        """Go on without a face, and let it be followed by another."""
        self._on = self._watch = None
        self._dismiss(seat)
        await self._let_pass()
        if seat.proper:
            self._level = 0
        if seat.proper and not self._coming:
            last = loss is rules.OVER and not self._cast.rolls_over
            stayed_s = self._now_s - self._came_s
            self._tries.failed(self._now_s, stayed_s=stayed_s, for_good=last)
        await self._stand_in(loss)

    async def _await(self, seat: Seat) -> None:
        """Let a face come on, wait for it, or give it up."""
        waited_s = self._now_s - self._called_s
        if seat.has_failed or waited_s > rules.SETUP_S:
            self._coming = None
            self._dismiss(seat)
            self._tries.failed(self._now_s, for_good=seat.refused)
            self._miss(rules.Loss(seat.why) if seat.why else rules.ABSENT)
        elif seat.is_ready:
            if self._pauses.is_now or self._ends_in(rules.LAST_S):
                await self._come(seat)
        elif waited_s > rules.FACE_LATE_S:
            self._miss(rules.LATE)

    async def _come(self, seat: Seat) -> None:
        self._coming = self._missed = None
        if self._late:
            self._dismiss(self._late)
            self._late = None
        self._came_s, self._warned = self._now_s, False
        await self._go_on(seat)
        if self._lost:
            self._lost = False
            await self.push_frame(face_back())
            await self._call_event_handler("on_face_back")

    def _miss(self, loss: Loss) -> None:
        """Let another stand in for a face that never was there, at a pause."""
        if not self._lost:
            self._missed = loss

    async def _stand_in(self, loss: Loss) -> None:
        self._missed = None
        while not await self._stands_in():
            pass
        self._lost = True
        pictured = bool(self._on and self._on.shows_face)
        await self.push_frame(face_lost(pictured=pictured, late=loss is rules.LATE))
        await self._call_event_handler("on_face_lost", loss.why)

    async def _stands_in(self) -> bool:
        """Try the next that may stand in; the voice alone always does."""
        builds = self._cast.stand_ins[self._level : self._level + 1]
        self._level += 1
        if not builds:
            await self._go_on_alone()
            return True
        seat = self._late = Seat(builds[0](), self._take)
        seat.preparing = self.create_task(self._prepare(seat))
        await asyncio.wait({seat.preparing}, timeout=rules.STAND_IN_S)
        if seat.has_failed:
            self._late = None
            self._dismiss(seat)
            return False
        if seat.open:
            self._late = None
            await self._go_on(seat)
        else:
            await self._go_on_alone()
        return True

    async def _go_on_alone(self) -> None:
        alone = Seat(VoiceOnly(), self._take, is_face=False)
        try:
            await self._prepare(alone)
            await self._go_on(alone)
        finally:
            if self._on is not alone:
                self._dismiss(alone)

    async def _await_late(self, seat: Seat) -> None:
        """Let one that stands in come at a pause, if it was not there at once."""
        if seat.has_failed:
            self._late = None
            self._dismiss(seat)
            self._missed = rules.ABSENT
        elif seat.open and self._pauses.is_now:
            self._late = None
            await self._go_on(seat)
            await self.push_frame(face_lost(pictured=seat.shows_face))

    def _call(self) -> None:
        """Have the face come that was asked for."""
        self._called_s = self._now_s
        self._coming = Seat(self._cast.face(), self._take, proper=True)
        self._coming.preparing = self.create_task(self._prepare(self._coming))

    async def _prepare(self, seat: Seat) -> None:
        assert self._started, "set up before any face is"
        ready = self._transport_ready if seat.proper else None
        await seat.prepare(self.processor_setup, self._started, ready)

    async def _go_on(self, seat: Seat) -> None:
        """Put a face on stage, with what the one before has left to say.

        Nothing in here waits: what comes meanwhile would overtake what is left.
        """
        former, self._on = self._on, seat
        sees = isinstance(seat.picture, OutputImageRawFrame)
        self._watch = Watch(self._now_s, sees=sees) if seat.proper else None
        for frame in self._script.cast(seat.said_s):
            await seat.feed(frame)
        if self._watch and self._script.due_s:
            self._watch.given(self._now_s)
        if seat.picture:
            await self.push_frame(seat.picture)
        if former:
            self._dismiss(former)
            await self._let_pass()

    async def _let_pass(self) -> None:
        """Push what a face has kept that is not there any more."""
        passing, self._passing = self._passing, {}
        for frame, direction in passing.values():
            await self.push_frame(frame, direction)

    def _dismiss(self, seat: Seat) -> None:
        job = self.create_task(seat.clear())
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _warn(self) -> None:
        """Tell in time that a face will leave that no other follows."""
        leaves = self._ends_in(rules.WARNING_S) and not self._cast.rolls_over
        if leaves and not self._warned:
            self._warned = True
            await self.push_frame(notice(self._cast.leaving))

    @property
    def _must_roll(self) -> bool:
        """Whether it is time to prepare another session: in the last third of a short one."""
        whole_s = (self._on and self._on.ends_at_s or 0.0) - self._came_s
        soon = self._ends_in(min(rules.WARM_S, whole_s / 3))
        return soon and self._cast.rolls_over and self._tries.is_idle

    def _ends_in(self, seconds: float) -> bool:
        return self._on is not None and self._on.ends_in(seconds)

    @property
    def _now_s(self) -> float:
        return self.get_event_loop().time()
