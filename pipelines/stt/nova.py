"""Deepgram's Nova, which says so when it is spoken to and nothing comes back."""

import asyncio
import contextlib
import time
from typing import Any

from pipecat.frames.frames import (
    Frame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.utils.errors import ErrorCategory
from pipecat.utils.time import time_now_iso8601

# Nova answers each request to finalize, which Pipecat makes when a voice has ended; a connection on
# which nothing comes back for so long is dead, in seconds. So is one that takes longer to be made.
DEAF_S, CONNECT_S = 2.0, 3.0


class NovaEars(DeepgramSTTService):
    """Hears s16le mono, at the rate of its input."""

    def __init__(self, **kwargs: Any) -> None:
        """All is as for Pipecat's class."""
        super().__init__(**kwargs)
        self._began_s = 0.0
        self._told = asyncio.Event()
        # What was heard since what is sure.
        self._unsure = ""
        self._watch: asyncio.Task[None] | None = None

    @property
    def unheard_s(self) -> float:
        """Seconds since the beginning of a voice of which nothing was told, else 0."""
        return time.monotonic() - self._began_s if self._began_s else 0.0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Note when a voice begins, and have an answer when it has ended."""
        if isinstance(frame, VADUserStartedSpeakingFrame):
            self._began_s = time.monotonic()
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            await self._stop_watching()
            self._told.clear()
            self._watch = self.create_task(self._wait_for_answer(), "watch")

    async def _on_message(self, message: Any) -> None:
        self._began_s = 0.0
        self._told.set()
        if getattr(message, "is_final", False):
            self._unsure = ""
        await super()._on_message(message)

    async def push_frame(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> None:
        """Note what is told and not yet sure."""
        if isinstance(frame, InterimTranscriptionFrame):
            self._unsure = frame.text
        await super().push_frame(frame, direction)

    async def push_error(self, error_msg: str, *args: Any, **kwargs: Any) -> None:
        """What has been heard until now is all that will be heard."""
        unsure, self._unsure = self._unsure, ""
        if unsure:
            self._began_s = 0.0
            await self.push_frame(TranscriptionFrame(unsure, self._user_id, time_now_iso8601()))
        await super().push_error(error_msg, *args, **kwargs)

    async def _wait_for_answer(self) -> None:
        try:
            await asyncio.wait_for(self._told.wait(), DEAF_S)
        except TimeoutError:
            await self.push_error("Nova tells nothing", category=ErrorCategory.CONNECTIVITY)
            self._began_s = 0.0

    async def is_well(self) -> bool:
        """Connect anew, and see whether anybody is there."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_S):
                await self._disconnect()
                await self._connect()
                if self._connection:
                    await (await self._connection._websocket.ping())
                    return True
        return False

    async def cleanup(self) -> None:
        """Watch nothing any more."""
        await self._stop_watching()
        await super().cleanup()

    async def _stop_watching(self) -> None:
        watch, self._watch = self._watch, None
        if watch:
            await self.cancel_task(watch)
