"""Who drops is waited for: the conversation is held, and goes on where it was."""

import asyncio
import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from pipecat.frames.frames import (
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    EagerEndOfTurnCancelFrame,
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    LLMTextFrame,
    TTSSpeakFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from .text import has_sound

WATCH_PERIOD_S = 0.5
# A server that stood still reads what came meanwhile before it takes its user for gone.
MISSED_PERIODS = 2
# Who is not reached has not been for so long: they give a sign once a second, and are taken for
# reached for 3 s after it (pipecat/transports/smallwebrtc/connection.py:708).
UNREACHED_S = 2.0


class Hold(FrameProcessor):
    """Stands before the mind, and lets nothing through while nobody would hear the answer.

    A page says that it can come back; who cannot is let go as soon as they have left.

    Events:
        on_user_gone: the user has dropped and may come back.
        on_user_back: they are here again.
        on_user_left: they do not come, or not any more.
    """

    def __init__(self, limit_s: float, welcome_back: str, period_s: float = WATCH_PERIOD_S) -> None:
        """`limit_s` is how long the user is waited for; `period_s`, how often they are missed."""
        super().__init__()
        self._limit_s = limit_s
        self._welcome_back = welcome_back
        self._period_s = period_s
        self._can_return = self._away = self._cut = False
        self._met = self._is_back = self._says_again = False
        self._speaking = self._has_spoken = self._answers = False
        self._spoke_s = -math.inf
        self._unanswered: Frame | None = None
        # What the user is probably asking; a turn that ends as expected asks nothing more.
        self._guess: LLMContextFrame | None = None
        self._owed: Frame | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._giving_up: asyncio.Task[None] | None = None
        for event in ("on_user_gone", "on_user_back", "on_user_left"):
            self._register_event_handler(event)

    @property
    def is_back(self) -> bool:
        """Whether the user is here again and has heard nothing yet."""
        return self._is_back

    @property
    def away(self) -> bool:
        """Whether the user is gone and waited for."""
        return self._away

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Note what is asked and answered; keep it back while the user is away."""
        await super().process_frame(frame, direction)
        match frame:
            case LLMContextFrame(speculation=True):
                self._guess = frame
            case LLMContextFrame() | TTSSpeakFrame():
                self._guess = None
                self._ask(frame)
            case EagerEndOfTurnCancelFrame():
                self._guess = None
            case UserStoppedSpeakingFrame() if self._guess:
                guess, self._guess = self._guess, None
                self._ask(replace(guess, speculation=False))
            case BotStartedSpeakingFrame() | BotSpeakingFrame():
                self._speaking = self._has_spoken = True
                self._say()
            case BotStoppedSpeakingFrame():
                self._speaking = self._says_again = False
                self._spoke_s = self.get_event_loop().time()
            case _:
                pass
        # Nothing behind the ears and the turns hears: 50 frames a second cost it a tenth of a core.
        if isinstance(frame, InputAudioRawFrame):
            return
        if not (self._away and isinstance(frame, LLMContextFrame | TTSSpeakFrame)):
            await self.push_frame(frame, direction)

    def follow(self, minds: Iterable[FrameProcessor]) -> None:
        """Know by what leaves a mind whether it has begun to answer."""
        for mind in minds:
            mind.add_event_handler("on_before_push_frame", self._on_pushed)

    def may_return(self) -> None:
        """The user's page can come back."""
        self._can_return = self._limit_s > 0

    def watch(self, reached: Callable[[], bool]) -> None:
        """Look whether the user is reached, where the transport itself tells so late."""
        if not self._tasks:
            self._tasks.append(self.create_task(self._watch(reached)))

    async def drop(self, since_s: float = 0.0) -> None:
        """The transport has lost the user, which it tells so much later than it happened."""
        if not self._can_return:
            await self._call_event_handler("on_user_left")
        elif not self._away:
            lately = self.get_event_loop().time() - self._spoke_s < since_s
            self._away, self._cut, self._says_again = True, self._speaking or lately, False
            unanswered, self._unanswered = self._unanswered, None
            if unanswered:
                self._owe(unanswered)
            self._giving_up = self.create_task(self._give_up())
            await self._call_event_handler("on_user_gone")
            await self.broadcast_interruption()

    def leave(self) -> None:
        """The user has said goodbye, and is not waited for."""
        self._can_return = False

    async def meet(self) -> None:
        """The transport has the user, be it again, and before it has missed them."""
        self._is_back = self._away or (self._met and self._can_return)
        self._met = True
        if self._away:
            self._away = False
            await self._stop_giving_up()
            await self._call_event_handler("on_user_back")

    async def resume(self, *, anew: bool = False) -> None:
        """The user hears again: answer what was asked, or say that there was a break.

        `anew` says that it is another page, whose user heard nothing of this conversation yet.
        """
        owed, self._owed = self._owed, None
        cut, self._cut = self._cut, False
        self._is_back = False
        if self._says_again:  # the connection was back before the page was
            return
        if (cut or anew) and has_sound(self._welcome_back):
            owed = owed or TTSSpeakFrame(self._welcome_back)
        if owed:
            self._says_again = True
            self._unanswered, self._answers = owed, False
            await self.push_frame(owed)

    async def cleanup(self) -> None:
        """Wait no longer."""
        await super().cleanup()
        await self._stop_giving_up()
        for task in self._tasks:
            await self.cancel_task(task)
        self._tasks.clear()

    async def _on_pushed(self, _mind: FrameProcessor, frame: Frame) -> None:
        if isinstance(frame, LLMTextFrame):
            self._answers = True

    def _say(self) -> None:
        """The avatar speaks: with a question open that may be a word of patience."""
        if self._answers or not isinstance(self._unanswered, LLMContextFrame):
            self._unanswered = None

    def _ask(self, frame: Frame) -> None:
        self._answers = False
        if self._away:
            self._owe(frame)
        else:
            self._unanswered = frame

    def _owe(self, frame: Frame) -> None:
        """Questions are answered later. Of what is said unasked, that is so of the greeting."""
        if isinstance(frame, LLMContextFrame) or not self._has_spoken:
            self._owed = frame

    async def _give_up(self) -> None:
        await asyncio.sleep(self._limit_s)
        self._giving_up = None
        await self._call_event_handler("on_user_left")

    async def _stop_giving_up(self) -> None:
        if self._giving_up:
            task, self._giving_up = self._giving_up, None
            await self.cancel_task(task)

    async def _watch(self, reached: Callable[[], bool]) -> None:
        missed = 0
        while True:
            await asyncio.sleep(self._period_s)
            missed = 0 if reached() else missed + 1
            if missed == MISSED_PERIODS and self._can_return:
                await self.drop(UNREACHED_S + (MISSED_PERIODS - 1) * self._period_s)
            elif not missed and self._away:
                await self.meet()
                await self.resume()
