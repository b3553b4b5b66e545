"""No face: voice only."""

import asyncio
import time

import aiohttp
from pipecat.frames.frames import Frame, InterruptionFrame, TTSAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from pipelines.persona import Persona
from pipelines.settings import Settings

# The voice is handed over so long before it is heard: what is handed over cannot be lowered.
LEAD_S = 0.12


class VoiceOnly(FrameProcessor):
    """Hands the voice on at the pace at which it is heard, as a face does."""

    shows_face = False

    def __init__(self) -> None:
        super().__init__()
        self._over_s = 0.0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Keep the voice until it is due; what comes after it waits, but for system frames."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            now_s = time.monotonic()
            self._over_s = max(self._over_s, now_s)
            await asyncio.sleep(max(0.0, self._over_s - LEAD_S - now_s))
            self._over_s += frame.num_frames / frame.sample_rate
        elif isinstance(frame, InterruptionFrame):
            self._over_s = 0.0
        await self.push_frame(frame, direction)


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> VoiceOnly:
    """The processor that stands where a face would be."""
    return VoiceOnly()
