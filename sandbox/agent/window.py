"""Ears of push-to-talk: what is said in a window is one turn, whatever pauses it has."""

import asyncio
from collections.abc import AsyncGenerator

from pipecat.frames.frames import (
    Frame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
)
from pipecat.services.settings import STTSettings
from pipecat.transcriptions.language import Language
from pipecat.utils.errors import ErrorCategory
from pipecat.utils.time import time_now_iso8601

from pipelines.turns.judge import Transcribe, written
from pipelines.turns.owner import TurnOwner
from pipelines.turns.voice import RATE, samples

# The end of what was said comes later than the word that the button is released: sound is held
# back for as long as a network may take to bring its next piece.
TAIL_S = 0.4
LONGEST_BYTES = 120 * 2 * RATE


class WindowEars(TurnOwner):
    """Hears s16le mono, 16 kHz, while a window is open."""

    def __init__(self, transcribe: Transcribe, language: Language, model: str) -> None:
        """`transcribe` writes a sound down; it is called in threads."""
        settings = STTSettings(model=model, language=language)
        super().__init__(enable_eager_end_of_turn=False, settings=settings, sample_rate=RATE)
        self._transcribe, self._language = transcribe, language
        self._sound: bytearray | None = None
        self._hastens, self._taken = asyncio.Event(), asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._unheard_s = 0.0
        self.is_open = False

    @property
    def unheard_s(self) -> float:
        """Seconds of a window that are not written down yet."""
        return self._unheard_s

    async def open(self) -> None:
        """A window begins, and a turn with it; the one before is over."""
        self.is_open = True
        if self._closing:
            self._hastens.set()
            await self._taken.wait()
        self._sound = bytearray()
        if self._closing:
            await asyncio.wait([self._closing])
        await self.broadcast_frame(ProposedUserStartedSpeakingFrame)

    async def close(self) -> None:
        """The window ends; its words follow."""
        self.is_open = False
        self._hastens.clear()
        self._taken.clear()
        self._closing = self.create_task(self._conclude(), "conclude")

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Hear a piece of sound; outside of a window, nothing."""
        if self._sound is not None and len(self._sound) < LONGEST_BYTES:
            self._sound += audio
        yield None

    async def cleanup(self) -> None:
        """Conclude nothing any more."""
        await super().cleanup()
        if self._closing:
            await self.cancel_task(self._closing)

    async def _conclude(self) -> None:
        try:
            await asyncio.wait_for(self._hastens.wait(), TAIL_S)
        except TimeoutError:
            pass
        sound, self._sound = bytes(self._sound or b""), None
        self._taken.set()
        self._unheard_s = len(sound) / (2 * RATE)
        if sound:
            await self._write(sound)
        self._unheard_s = 0.0
        await self.broadcast_frame(ProposedUserStoppedSpeakingFrame)

    async def _write(self, sound: bytes) -> None:
        """Write down what was said; the turn ends also when that fails."""
        writing = written(self._transcribe, samples(sound))
        [text] = await asyncio.gather(writing, return_exceptions=True)
        if isinstance(text, BaseException):
            lost = f"What was said is lost: {text!r}"
            await self.push_error(lost, category=ErrorCategory.UNKNOWN)
        elif text:
            now = time_now_iso8601()
            await self.push_frame(
                TranscriptionFrame(text, self._user_id, now, self._language, finalized=True)
            )
