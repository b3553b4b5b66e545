"""How far a transport has come in the voice, for what belongs to a moment of it."""

import asyncio
import math
from dataclasses import dataclass, field

from pipecat.frames.frames import DataFrame, Frame, OutputAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor


@dataclass
class VoiceMark(DataFrame):
    """A mark in the voice: `reached` is set when what was before it has been sent.

    Attributes:
        reached_s: when it was, by the event loop's clock.
    """

    reached: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    reached_s: float = math.inf

    def reach(self) -> None:
        """What was before it has been sent, or never will be."""
        self.reached_s = asyncio.get_running_loop().time()
        self.reached.set()


class Marks(FrameProcessor):
    """Behind the transport, which lets a frame pass when the voice before it has been sent.

    The voice itself ends here: what follows writes down what was said.
    """

    def __init__(self) -> None:
        super().__init__(enable_direct_mode=True)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take marks out of the stream."""
        await super().process_frame(frame, direction)
        if isinstance(frame, VoiceMark):
            frame.reach()
        elif not isinstance(frame, OutputAudioRawFrame):
            await self.push_frame(frame, direction)
