"""What the user says is heard: what one part has not written down is heard anew by the next."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol, runtime_checkable

from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    ProposedUserStartedSpeakingFrame,
    TranscriptionFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.stt_service import STTService
from pipecat.utils.errors import ErrorCategory

from pipelines.turns.owner import TurnOwner

from .news import News
from .order import Chain, InOrder

# What ears tell that hear.
HEARS = (TranscriptionFrame, InterimTranscriptionFrame, ProposedUserStartedSpeakingFrame)
# The most that is heard anew, and how much of it from before there was a voice, in seconds.
LONGEST_S, BEFORE_S = 20.0, 0.5


@runtime_checkable
class Attentive(Protocol):
    """Ears that know of a voice of which they have told nothing."""

    @property
    def unheard_s(self) -> float:
        """Seconds since it began, else 0."""
        ...


class Recent:
    """The last seconds of the microphone's sound."""

    def __init__(self) -> None:
        self._frames: deque[InputAudioRawFrame] = deque()
        self._length_s = 0.0

    def hear(self, frame: InputAudioRawFrame) -> None:
        """Keep a piece, and no more than the longest."""
        self._frames.append(frame)
        self._length_s += frame.num_frames / frame.sample_rate
        while self._length_s > LONGEST_S:
            oldest = self._frames.popleft()
            self._length_s -= oldest.num_frames / oldest.sample_rate

    def last(self, seconds: float) -> list[InputAudioRawFrame]:
        """The pieces of the last seconds, the oldest first."""
        pieces: list[InputAudioRawFrame] = []
        for frame in reversed(self._frames):
            if seconds <= 0:
                break
            pieces.insert(0, frame)
            seconds -= frame.num_frames / frame.sample_rate
        return pieces


class EarsGuard:
    """Watches ears. `say_lost` asks the user to say it again, when nobody else has heard it."""

    def __init__(self, ears: Sequence[STTService], order: InOrder, news: News) -> None:
        self._order, self._news = order, news
        self.recent = Recent()
        self.say_lost: Callable[[], Awaitable[None]] | None = None
        for each in ears:
            each.add_event_handler("on_error", self._on_error)
            each.add_event_handler("on_connected", self._on_connected)
            each.add_event_handler("on_before_push_frame", self._on_pushed)
            if isinstance(each, TurnOwner):
                each.hands_over = partial(self._hands_over, each)

    def _hands_over(self, ears: STTService) -> bool:
        return self._order.spare(ears) is not None

    async def _on_connected(self, ears: FrameProcessor, *_: Any) -> None:
        """Ears have connected anew by themselves, unless others hear meanwhile."""
        if ears is self._order.active_service:
            self._order.prove(ears)

    async def _on_pushed(self, ears: FrameProcessor, frame: Frame) -> None:
        if isinstance(frame, HEARS) and ears is self._order.active_service:
            self._order.prove(ears)

    async def _on_error(self, ears: FrameProcessor, error: ErrorFrame) -> None:
        if ears is self._order.active_service and error.category is not ErrorCategory.APPLICATION:
            # What is only tried while nobody speaks has failed before, which was told.
            if self._has_lost(ears) or not self._order.is_ill(ears) or not ears.is_usable:
                await self._fail(ears, error)

    async def _fail(self, ears: FrameProcessor, why: ErrorFrame) -> None:
        successor = await self._order.fail(ears)
        told = await self._news.failed(ears, why, successor)
        if successor and successor is not ears:
            await self._hear_anew(ears, successor)
        elif not ears.is_usable:
            self._news.end(told)
        elif self.say_lost and self._has_lost(ears):
            await self.say_lost()

    def _has_lost(self, ears: FrameProcessor) -> bool:
        return not isinstance(ears, Attentive) or ears.unheard_s > 0

    async def _hear_anew(self, ears: FrameProcessor, successor: FrameProcessor) -> None:
        """Others hear what was not written down; who needs to be told when a voice ends cannot."""
        take_over(ears, successor)
        if not isinstance(ears, Attentive) or not ears.unheard_s:
            return
        if isinstance(successor, TurnOwner):
            for frame in self.recent.last(ears.unheard_s + BEFORE_S):
                await successor.queue_frame(frame)
        elif self.say_lost:
            await self.say_lost()


def take_over(ears: FrameProcessor, successor: FrameProcessor) -> None:
    """Let ears know what others knew, in whose place they are."""
    if isinstance(ears, TurnOwner) and isinstance(successor, TurnOwner):
        successor.take_over(ears)


class EarsChain(Chain):
    """Ears, of which the first that is well hears."""

    def __init__(self, ears: list[STTService]) -> None:
        super().__init__(ears)
        self.guard: EarsGuard | None = None

    def begins(self, frame: Frame) -> bool:
        """Other ears may hear once a turn is over."""
        return isinstance(frame, UserStoppedSpeakingFrame)

    def relieve(self, before: FrameProcessor, now: FrameProcessor) -> None:
        """Who hears now knows what the others knew."""
        take_over(before, now)

    def note(self, frame: Frame, direction: FrameDirection) -> None:
        """Keep the sound for a while."""
        if self.guard and isinstance(frame, InputAudioRawFrame):
            self.guard.recent.hear(frame)
