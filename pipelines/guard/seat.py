"""One face, in a pipeline of its own that begins and ends while the conversation goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pipecat.frames.frames import (
    ControlFrame,
    Frame,
    OutputImageRawFrame,
    OutputTransportReadyFrame,
    StartFrame,
    SystemFrame,
)
from pipecat.pipeline.pipeline import Pipeline, PipelineSink, PipelineSource
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor, FrameProcessorSetup

from pipelines.media.articulation import ArticulationFrame

# A face that could be seen by now, and is not, does not come.
FIRST_PICTURE_S = 6.0
Take = Callable[["Seat", Frame, FrameDirection], Awaitable[None]]


@dataclass
class HeardFrame(SystemFrame):
    """Sound of a face that users hear without this process: s16le mono."""

    audio: bytes


@dataclass
class ElsewhereFrame(ControlFrame):
    """Stands for the pictures of a face that users see without this process."""

    interruptible: bool = field(default=False, init=False)


class Seat:
    """Where a face sits: what it gives out is handed to `take`.

    The face is a processor that takes the voice, gives it out at the pace at which it is heard, as
    sound of any kind, and says in `said_s` how much of it that was so far, in seconds; and in
    `shows_face` whether there is a face to be seen.
    """

    def __init__(
        self, face: FrameProcessor, take: Take, *, proper: bool = False, is_face: bool = True
    ) -> None:
        """`proper` is the face that was asked for; the voice alone is no face."""
        self.face = face
        self.proper = proper
        self.is_face = is_face
        self.open = False
        # The last one that came of it, or what stands for all of them.
        self.picture: OutputImageRawFrame | ElsewhereFrame | None = None
        self.preparing: asyncio.Task[None] | None = None
        self._ready_s: float | None = None
        self._take = take
        self._pipeline = Pipeline(
            [face], source=PipelineSource(self._out), sink=PipelineSink(self._out)
        )

    @property
    def shows_face(self) -> bool:
        """Whether there is a face."""
        return self._has("shows_face", False)

    @property
    def said_s(self) -> float:
        """Seconds of the voice it was given that were heard."""
        return self._has("said_s", 0.0)

    @property
    def tells_heard(self) -> bool:
        """Whether it tells by `HeardFrame` what is heard of it, and shows itself elsewhere."""
        return self._has("tells_heard", False)

    @property
    def ends_at_s(self) -> float | None:
        """When its session ends, by the event loop's clock; None if it need not."""
        return self._has("ends_at_s", None)

    @property
    def refused(self) -> bool:
        """Whether there is no use in trying again."""
        return self._has("refused", False)

    @property
    def why(self) -> str:
        """Why there is no face, if that is known."""
        return self._has("why", "")

    def _has(self, name: str, otherwise: Any) -> Any:
        return getattr(self.face, name, otherwise)

    @property
    def is_ready(self) -> bool:
        """Whether the face can be shown."""
        seen = self.picture is not None or self.tells_heard
        return self.open and self.shows_face and seen

    @property
    def has_failed(self) -> bool:
        """Whether the face does not come: it cannot be had, or has no picture."""
        now_s = asyncio.get_running_loop().time()
        waited_s = now_s - self._ready_s if self._ready_s is not None else 0.0
        blind = waited_s > FIRST_PICTURE_S and not (self.picture or self.tells_heard)
        return self.is_face and self.open and (blind or not self.shows_face)

    def ends_in(self, seconds: float) -> bool:
        """Whether the session of the face that was asked for ends so soon."""
        if not self.proper or self.ends_at_s is None:
            return False
        return asyncio.get_running_loop().time() > self.ends_at_s - seconds

    async def prepare(
        self,
        setup: FrameProcessorSetup,
        start: asyncio.Future[StartFrame],
        ready: asyncio.Event | None,
    ) -> None:
        """Set the face up, however long it takes, and start it; `ready` is the transport."""
        await self._pipeline.setup(setup)
        await self.feed(await asyncio.shield(start))
        self.open = True
        if ready:
            await ready.wait()
            await self.feed(OutputTransportReadyFrame(), FrameDirection.UPSTREAM)
            self._ready_s = asyncio.get_running_loop().time()

    async def feed(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> None:
        """Give the face a frame."""
        await self._pipeline.queue_frame(frame, direction)

    async def clear(self) -> None:
        """Leave nothing behind."""
        if self.preparing:
            self.preparing.cancel()
            await asyncio.gather(self.preparing, return_exceptions=True)
        await self._pipeline.cleanup()

    async def _out(self, frame: Frame, direction: FrameDirection) -> None:
        if not isinstance(frame, ArticulationFrame):  # which is of no use behind a face
            await self._take(self, frame, direction)


def luma(picture: OutputImageRawFrame) -> memoryview:
    """What of a picture says how bright it is: of I420 its first plane, of RGB everything."""
    width, height = picture.size
    image = memoryview(picture.image)
    return image[: width * height] if picture.format == "I420" else image
