"""Every sentence is spoken: what one voice has not said is said by the next, from the next word.

What a voice was given is kept until it is said. The sound that it has made is heard in any case;
its words, which come with it, tell how far that is.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from loguru import logger
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    SystemFrame,
    TextFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.tts_service import TTSService
from pipecat.utils.errors import ErrorCategory

from pipelines.text import letters
from pipelines.trouble import STOPPED

from .news import News
from .order import Chain, InOrder
from .work import Work

# The sound of a text is owed at once, and what follows before it would be missed. A voice that is
# so late makes none, or too slowly to be listened to.
LATE_S = 2.5
# A voice that is so far ahead of what is heard is fast enough.
AHEAD_S = 0.5
# One on a machine that is overloaded may take longer, and would be no faster if asked again.
LOCAL_LATE_S = 15.0
# How often what is left is given to the only voice there is.
TRIES = 2
SPEAKS = (LLMFullResponseStartFrame, TextFrame, TTSSpeakFrame)


def after(text: str, said: int) -> str:
    """What of a text is left once so many letters of it are said."""
    at = 0
    while said and at < len(text):
        said -= text[at].isalnum()
        at += 1
    while at and at < len(text) and not text[at].isspace() and not text[at].isalnum():
        at += 1
    return text[at:]


def unsaid(frames: Sequence[Frame], said: int) -> list[Frame]:
    """What a voice was given, without the first so many letters."""
    left: list[Frame] = []
    for frame in frames:
        if isinstance(frame, TextFrame | TTSSpeakFrame):
            length = letters(frame.text)
            if said and said >= length:
                said -= length
                continue
            frame = replace(frame, text=after(frame.text, said)) if said else frame
            said = 0
        left.append(frame)
    return left


def words_of(frames: Sequence[Frame]) -> str:
    """The text of frames."""
    texts = [frame.text for frame in frames if isinstance(frame, TextFrame | TTSSpeakFrame)]
    return "".join(texts).strip()


class VoiceGuard:
    """Watches voices."""

    def __init__(self, voices: Sequence[TTSService], order: InOrder, news: News) -> None:
        self._order, self._news = order, news
        order.busy = lambda: not self.idle
        self.chain: VoiceChain | None = None
        self.on_unheard: Callable[[str], Coroutine[Any, Any, None]] | None = None
        self._given: list[Frame] = []
        self._asked = self._said = 0
        self._tries = 0
        self._answering = False
        # Until when what was made so far is heard, if it is heard at once.
        self._heard_until_s = 0.0
        # Seconds for which there was nothing to hear, though it was owed.
        self._missed_s = 0.0
        self._contexts: set[str] = set()
        self._over: set[str] = set()
        self._changing = False
        self._why: ErrorFrame | str = STOPPED
        self._work = Work()
        for voice in voices:
            voice.add_event_handler("on_tts_request", self._on_request)
            voice.add_event_handler("on_before_push_frame", self._on_pushed)
            voice.add_event_handler("on_error", self._on_error)

    @property
    def changing(self) -> bool:
        """Whether one voice is about to go on for another."""
        return self._changing

    @property
    def idle(self) -> bool:
        """Whether nothing is being said."""
        return not self._given and not self._answering and not self._changing

    async def close(self) -> None:
        """Watch nothing any more."""
        await self._work.close()

    def give(self, frame: Frame) -> None:
        """A voice is given a frame, which may be text."""
        if self.idle and not isinstance(frame, SPEAKS):
            return
        if isinstance(frame, LLMFullResponseStartFrame):
            self._answering = True
        elif isinstance(frame, LLMFullResponseEndFrame):
            self._answering = False
        self._given.append(frame)

    def interrupt(self) -> None:
        """What was given will not be said."""
        self._forget()
        self._answering, self._heard_until_s = False, 0.0

    def _forget(self) -> None:
        self._given = []
        self._asked = self._said = self._tries = 0
        self._work.stop_clock()

    def lets_out(self, frame: Frame) -> bool:
        """Whether a frame of a voice is heard: not of one that has failed."""
        if isinstance(frame, SystemFrame):
            return True
        return not self._changing and getattr(frame, "context_id", None) not in self._over

    async def _on_request(self, voice: TTSService, context_id: str, text: str) -> None:
        if voice is not self._order.active_service:
            return
        self._contexts.add(context_id)
        if self._asked <= self._said:
            self._heard_until_s = max(self._heard_until_s, self._now_s)
            self._missed_s = 0.0
        self._asked += letters(text)
        self._watch()

    async def _on_pushed(self, voice: FrameProcessor, frame: Frame) -> None:
        if voice is not self._order.active_service or not self.lets_out(frame):
            return
        if isinstance(frame, TTSAudioRawFrame):
            now_s = self._now_s
            self._missed_s += max(0.0, now_s - self._heard_until_s)
            heard_from_s = max(now_s, self._heard_until_s)
            self._heard_until_s = heard_from_s + frame.num_frames / frame.sample_rate
            if self._heard_until_s - now_s > AHEAD_S:
                self._missed_s = 0.0
            self._order.prove(voice)
        elif isinstance(frame, TTSTextFrame):
            self._said += letters(frame.text)
        elif isinstance(frame, TTSStoppedFrame | LLMFullResponseEndFrame):
            self._forget_what_is_said()

    def _forget_what_is_said(self) -> None:
        if self._said >= letters(words_of(self._given)) and not self._answering:
            self._forget()

    @property
    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def _owes(self) -> bool:
        return self._asked > self._said

    def _watch(self) -> None:
        if not self._work.clock_runs:
            self._work.start_clock(self._wait_for_sound())

    async def _wait_for_sound(self) -> None:
        while self._owes:
            voice = self._order.active_service
            late_s = LOCAL_LATE_S if self._news.part(voice).local else LATE_S
            left_s = self._heard_until_s + late_s - self._missed_s - self._now_s
            if left_s <= 0:
                self._work.do(self._fail(voice, STOPPED))
                return
            await asyncio.sleep(left_s)

    async def _on_error(self, voice: FrameProcessor, error: ErrorFrame) -> None:
        if voice is self._order.active_service and error.category is not ErrorCategory.APPLICATION:
            self._why = error
            # What is only tried while it has nothing to say has failed before, which was told.
            if not (self.idle and self._order.is_ill(voice) and voice.is_usable):
                await self._fail(voice, error)

    async def _fail(self, voice: FrameProcessor, why: ErrorFrame | str) -> None:
        """A voice has failed: the next says what is left, the same one if there is no other."""
        if self._changing or voice is not self._order.active_service:
            return
        self._work.stop_clock()
        successor = await self._order.fail(voice)
        told = await self._news.failed(voice, why, successor)
        if not successor and voice.is_usable and self._tries < TRIES:
            self._tries += 1
            successor = voice
        assert isinstance(voice, TTSService)
        left = unsaid(self._given, self._said)
        if successor and not words_of(left) and not self._answering:
            self._forget()
        elif isinstance(successor, TTSService):
            await self._change(voice, successor, left)
        else:
            self._work.do(self._unheard(words_of(left), told, for_good=not voice.is_usable))

    async def _unheard(self, text: str, told: str, for_good: bool) -> None:
        """Nobody can say it: it is shown, and the conversation ends if it stays so."""
        self._forget()
        if text and self.on_unheard:
            await self.on_unheard(text)
        if for_good:
            self._news.end(told, audible=False)

    async def _change(self, voice: TTSService, successor: TTSService, left: list[Frame]) -> None:
        self._over |= self._contexts
        self._contexts = set()
        self._given = left
        self._asked = self._said = 0
        self._heard_until_s = max(self._heard_until_s, self._now_s)
        self._missed_s = 0.0
        self._changing = True
        if self.chain:
            await self.chain.pause_processing_frames()
        self._work.do(self._hand_over(voice, successor))

    async def _hand_over(self, voice: TTSService, successor: TTSService) -> None:
        """Silence one voice, and give another what is left to say; or the same one, if it works."""
        last_pts = voice._word_timestamp_tracker.last_pts
        speaks = True
        try:
            await _silence(voice)
            speaks = successor is not voice or await self._order.mend(voice)
        finally:
            self._changing = False
            if speaks:
                await self._give_rest(successor, last_pts)
            if self.chain:
                await self.chain.resume_processing_frames()
        if not speaks:
            told = await self._news.failed(voice, self._why, None)
            await self._unheard(words_of(self._given), told, for_good=not voice.is_usable)

    async def _give_rest(self, successor: TTSService, last_pts: int) -> None:
        """Give a voice what is left, until the user interrupts; its words come after the others."""
        left = self._given
        logger.debug(f"{successor} says the rest: {words_of(left)}")
        if left:
            tracker = successor._word_timestamp_tracker
            tracker.last_pts = max(tracker.last_pts, last_pts)
        for frame in left:
            if self._given is left:
                await successor.queue_frame(frame)


async def _silence(voice: TTSService) -> None:
    """Have a voice drop what it is at."""
    await voice._start_interruption()
    await voice._handle_interruption(InterruptionFrame(), FrameDirection.DOWNSTREAM)


class VoiceChain(Chain):
    """Voices, of which the first that is well speaks."""

    def __init__(self, voices: list[TTSService]) -> None:
        super().__init__(voices)
        self.guard: VoiceGuard | None = None

    def begins(self, frame: Frame) -> bool:
        """Another voice may begin with the next thing that is said."""
        begin = isinstance(frame, LLMFullResponseStartFrame | TTSSpeakFrame)
        return begin and bool(self.guard and self.guard.idle)

    def note(self, frame: Frame, direction: FrameDirection) -> None:
        """Know what is to be said, and when no more of it is."""
        if self.guard and isinstance(frame, InterruptionFrame):
            self.guard.interrupt()
        elif self.guard and direction == FrameDirection.DOWNSTREAM and _is_said(frame):
            self.guard.give(frame)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Hand a frame to the voice that speaks."""
        await super().process_frame(frame, direction)
        if self.guard and self.guard.changing and isinstance(frame, InterruptionFrame):
            # It has ended the pause.
            await self.pause_processing_frames()

    async def push_frame(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> None:
        """Let out what a voice says, unless it has failed."""
        upstream = direction == FrameDirection.UPSTREAM
        if upstream or not self.guard or self.guard.lets_out(frame):
            await super().push_frame(frame, direction)


def _is_said(frame: Frame) -> bool:
    return frame.interruptible and not isinstance(frame, SystemFrame)
