"""A still picture of the puppet, beside the voice."""

import asyncio

from pipecat.frames.frames import CancelFrame, EndFrame, Frame, OutputImageRawFrame, StartFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessorSetup

from pipelines.media.pace import VoiceOnly
from pipelines.packs import player
from puppet import Pack

# A picture that does not come again and again would be missed.
EVERY_S = 0.2


class Portrait(VoiceOnly):
    """Hands the voice on, and shows one picture, I420 of (width, height) `size`."""

    def __init__(self, pack: Pack, size: tuple[int, int]) -> None:
        super().__init__()
        self._pack = pack
        self._size = size
        self._picture: bytes | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def shows_face(self) -> bool:
        """Whether it could be drawn."""
        return self._picture is not None

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Draw it once, in a thread."""
        await super().setup(setup)
        self._picture = await self.get_event_loop().run_in_executor(None, self._draw)

    def _draw(self) -> bytes:
        return player(self._pack, self._size).tick().data

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Show the picture from the beginning to the end."""
        if isinstance(frame, EndFrame | CancelFrame):
            await self._hide()
        await super().process_frame(frame, direction)
        if isinstance(frame, StartFrame):
            self._task = self.create_task(self._show())

    async def cleanup(self) -> None:
        """Show it no more."""
        await self._hide()
        await super().cleanup()

    async def _show(self) -> None:
        while self._picture:
            await self.push_frame(OutputImageRawFrame(self._picture, self._size, "I420"))
            await asyncio.sleep(EVERY_S)

    async def _hide(self) -> None:
        if self._task:
            task, self._task = self._task, None
            await self.cancel_task(task)
