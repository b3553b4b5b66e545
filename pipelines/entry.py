"""Where words come in: typed ones are of a length, and all of them are text."""

from pipecat.frames.frames import (
    EagerTranscriptionFrame,
    ErrorFrame,
    Frame,
    InterimTranscriptionFrame,
    OutputTransportMessageUrgentFrame,
    TranscriptionFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIProcessor
from pipecat.processors.frameworks.rtvi import models as RTVI
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pydantic import BaseModel

from .redaction import redacted
from .text import clean

# In characters. The field of the page takes more, so that it can be said what was cut.
LONGEST_TEXT = 2000
TOO_LONG = f"That was too long: only its first {LONGEST_TEXT:,} characters were taken."

# Of files that were sent to this server; any other address would be opened by it, or by a vendor.
SENT_HERE = "pipecat:"
NOT_OPENED = "No address is opened here: send the file itself."


class Entry(RTVIProcessor):
    """Takes what a page sends; a text that is too long in part, which it says.

    Messages to the page go to the transport at once. Pipecat hands each of them through the whole
    pipeline: while an answer begins, every other frame would wait for dozens of them.

    Errors pass here on their way to the page: none tells it a key.
    """

    def __init__(self, output: FrameProcessor) -> None:
        """`output` is the transport's."""
        super().__init__()
        self._output = output

    async def push_transport_message(self, model: BaseModel, exclude_none: bool = True) -> None:
        """Send a message to the page; through the pipeline only before the page is there."""
        if not self._client_ready:
            await super().push_transport_message(model, exclude_none)
            return
        message = model.model_dump(exclude_none=exclude_none)
        await self._output.queue_frame(OutputTransportMessageUrgentFrame(message=message))

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Pass everything on, errors cleaned."""
        if isinstance(frame, ErrorFrame):
            frame.error = redacted(frame.error)
        await super().process_frame(frame, direction)

    async def _handle_send_text(
        self, data: RTVI.SendTextData, message_id: str, user_id: str | None = None
    ) -> None:
        data.content = await self._taken(data.content)
        if data.content:
            await super()._handle_send_text(data, message_id, user_id)

    async def _handle_send_file(self, data: RTVI.SendFileData, message_id: str) -> None:
        source = data.file.source
        if isinstance(source, RTVI.FileUrl) and not source.url.startswith(SENT_HERE):
            await self._send_error_response(message_id, NOT_OPENED)
            return
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

    def __init__(self) -> None:
        super().__init__(enable_direct_mode=True)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Pass everything on, words cleaned."""
        await super().process_frame(frame, direction)
        if isinstance(
            frame, TranscriptionFrame | InterimTranscriptionFrame | EagerTranscriptionFrame
        ):
            frame.text = clean(frame.text)
        await self.push_frame(frame, direction)
