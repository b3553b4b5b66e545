"""The faults of mind and voice, which stand before them in the pipeline."""

import asyncio
from collections.abc import Callable

from pipecat.frames.frames import (
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TextFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from pipelines.media.articulation import ArticulationFrame
from sandbox.faults import LLM, TTS, Faults


class MindMishaps(FrameProcessor):
    """What goes wrong with a question; without a context nobody is asked."""

    def __init__(self, faults: Faults, excuse: Callable[[], None], asks: bool) -> None:
        """`excuse` says that the mind has failed, `asks` is whether there is a mind at all."""
        super().__init__()
        self._faults, self._excuse, self._asks = faults, excuse, asks

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Pass everything on but questions that a fault strikes."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame) or await self._is_asked():
            await self.push_frame(frame, direction)

    async def _is_asked(self) -> bool:
        if not self._asks or self._faults.strike(LLM, "hang"):
            return False
        if self._faults.strike(LLM, "fail"):
            self._excuse()
            return False
        if delay := self._faults.strike(LLM, "delay"):
            await asyncio.sleep(delay.number("by"))
        return True


class VoiceMishaps(FrameProcessor):
    """What goes wrong with what is to be said."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults
        self._hangs = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Pass everything on but answers that a fault strikes."""
        await super().process_frame(frame, direction)
        if direction == FrameDirection.DOWNSTREAM and await self._is_lost(frame):
            return
        await self.push_frame(frame, direction)

    async def _is_lost(self, frame: Frame) -> bool:
        if isinstance(frame, LLMFullResponseStartFrame | TTSSpeakFrame):
            self._hangs = self._faults.strike(TTS, "hang") is not None
            if delay := self._faults.strike(TTS, "delay"):
                await asyncio.sleep(delay.number("by"))
        if isinstance(frame, TTSSpeakFrame):
            hangs, self._hangs = self._hangs, False
            return hangs
        said = LLMFullResponseStartFrame | TextFrame | LLMFullResponseEndFrame
        lost = self._hangs and isinstance(frame, said)
        self._hangs &= not isinstance(frame, LLMFullResponseEndFrame)
        return lost


class BreakOff(FrameProcessor):
    """A voice that breaks off: the rest is neither heard nor taken for said."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults
        self._left_s: float | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Pass everything on but the rest of what a fault strikes."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSStartedFrame):
            fault = self._faults.strike(TTS, "break-off")
            self._left_s = fault.number("after") if fault else None
        if isinstance(frame, ArticulationFrame) and self._left_s is not None:
            frame = frame.until(self._left_s)
        if not self._is_over(frame):
            await self.push_frame(frame, direction)

    def _is_over(self, frame: Frame) -> bool:
        if self._left_s is None:
            return False
        if isinstance(frame, ArticulationFrame):
            return not frame.phonemes
        if isinstance(frame, TTSAudioRawFrame) and self._left_s > 0:
            self._left_s -= frame.num_frames / frame.sample_rate
            return False
        return isinstance(frame, TTSAudioRawFrame | TTSTextFrame) and self._left_s <= 0
