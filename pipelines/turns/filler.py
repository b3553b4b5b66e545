"""A few words while the mind lets the user wait, if the persona has any."""

import asyncio

from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

# Somebody who has said nothing for this long is expected to show that they think.
WAIT_S = 0.8


class Filler(FrameProcessor):
    """Says `text` when an answer has no word after `wait_s` seconds; it is not remembered.

    Its place is between the mind and the voice.
    """

    def __init__(self, text: str, wait_s: float = WAIT_S) -> None:
        super().__init__()
        self._text = text
        self._wait_s = wait_s
        self._waiting: asyncio.Task[None] | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Pass everything on, and wait for the first word of every answer."""
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMTextFrame | LLMFullResponseEndFrame | InterruptionFrame):
            await self._stop_waiting()
        await self.push_frame(frame, direction)
        if isinstance(frame, LLMFullResponseStartFrame):
            await self._stop_waiting()
            self._waiting = self.create_task(self._wait(), "filler")

    async def cleanup(self) -> None:
        """Wait no longer."""
        await self._stop_waiting()
        await super().cleanup()

    async def _wait(self) -> None:
        await asyncio.sleep(self._wait_s)
        self._waiting = None
        await self.push_frame(TTSSpeakFrame(self._text, append_to_context=False))

    async def _stop_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting:
            await self.cancel_task(waiting)
