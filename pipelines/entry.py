"""Where words come in: typed ones are of a length, and all of them are text."""

from pipecat.frames.frames import (
    EagerTranscriptionFrame,
    Frame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIProcessor
from pipecat.processors.frameworks.rtvi import models as RTVI
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame

from .text import clean

# In characters. The field of the page takes more, so that it can be said what was cut.
LONGEST_TEXT = 2000
TOO_LONG = f"That was too long: only its first {LONGEST_TEXT:,} characters were taken."


class Entry(RTVIProcessor):
    """Takes what a page sends; a text that is too long in part, which it says."""

    async def _handle_send_text(
        self, data: RTVI.SendTextData, message_id: str, user_id: str | None = None
    ) -> None:
        data.content = await self._taken(data.content)
        if data.content:
            await super()._handle_send_text(data, message_id, user_id)

    async def _handle_send_file(self, data: RTVI.SendFileData, message_id: str) -> None:
        data.content = await self._taken(data.content)
        await super()._handle_send_file(data, message_id)

    async def _taken(self, text: str) -> str:
        """What of a typed text is taken; one that is cut is told to the user."""
        if len(text) > LONGEST_TEXT:
            text = text[:LONGEST_TEXT]
            await self.push_frame(RTVIServerMessageFrame({"type": "notice", "text": TOO_LONG}))
        return clean(text).strip()


class CleanEars(FrameProcessor):
    """What was heard, as text."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Pass everything on, words cleaned."""
        await super().process_frame(frame, direction)
        if isinstance(
            frame, TranscriptionFrame | InterimTranscriptionFrame | EagerTranscriptionFrame
        ):
            frame.text = clean(frame.text)
        await self.push_frame(frame, direction)
