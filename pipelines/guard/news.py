"""What failed, told to whoever is concerned: the user on the page, the transcript, the log."""

import time
from collections.abc import Awaitable, Callable, Mapping

from loguru import logger
from pipecat.frames.frames import ErrorFrame, Frame
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame

from pipelines.parts import SPOKEN, Part
from pipelines.trouble import briefly, sentence
from sessions import metrics
from sessions.transcript import Transcript

# The same is not told again for so long.
AGAIN_S = 10.0
Send = Callable[[Frame], Awaitable[None]]


class News:
    """Tells what failed and who goes on instead."""

    def __init__(
        self,
        transcript: Transcript,
        parts: Mapping[FrameProcessor, Part],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`parts` are those whose failures are told; `clock` gives seconds."""
        self._transcript = transcript
        self._parts = parts
        self._clock = clock
        self._told: dict[str, float] = {}
        self._waiting: list[str] | None = []
        self.send: Send | None = None
        self.give_up: Callable[[str, bool], None] | None = None

    def is_about(self, processor: FrameProcessor | None) -> bool:
        """Whether the failures of a processor are told here."""
        return processor in self._parts

    def part(self, processor: FrameProcessor) -> Part:
        """The part that a processor is."""
        return self._parts[processor]

    async def arrive(self) -> None:
        """The page is there: what was told before reaches it now."""
        waiting, self._waiting = self._waiting or [], None
        for text in waiting:
            await self._show(text)

    async def failed(
        self, service: FrameProcessor, why: ErrorFrame | str, successor: FrameProcessor | None
    ) -> str:
        """Tell that a part failed, why, and who takes its place if anybody does; what was told."""
        spare = self._parts[successor] if successor and successor is not service else None
        part = self._parts[service]
        text = sentence(part, why, spare)
        metrics.failed(SPOKEN[part.kind], part.value, briefly(why))
        detail = why.error if isinstance(why, ErrorFrame) else why
        await self.tell(text, detail)
        return text

    async def late(self, service: FrameProcessor) -> None:
        """Tell that a part has not answered yet."""
        await self.tell(f"{self._parts[service].value} takes long to answer.")

    async def tell(self, text: str, detail: str = "") -> None:
        """Show a sentence on the page, and note it."""
        now_s = self._clock()
        if now_s - self._told.get(text, -AGAIN_S) < AGAIN_S:
            return
        self._told[text] = now_s
        logger.warning(f"{text} {detail}".strip())
        self._transcript.event("error", text=text)
        if self._waiting is None:
            await self._show(text)
        else:
            self._waiting.append(text)

    async def _show(self, text: str) -> None:
        if self.send:
            await self.send(RTVIServerMessageFrame({"type": "notice", "text": text}))

    def end(self, text: str, *, audible: bool = True) -> None:
        """It cannot go on: the conversation ends once that was said, if it can be."""
        if self.give_up:
            self.give_up(text, audible)
