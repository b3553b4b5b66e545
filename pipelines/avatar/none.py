"""No face: voice only."""

import asyncio
from collections.abc import Iterator

import aiohttp
from pipecat.frames.frames import Frame, InterruptionFrame, TTSAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from pipelines.persona import Persona
from pipelines.settings import Settings

# The voice is handed over so long before it is heard: what is handed over cannot be lowered.
LEAD_S = 0.12
# Voices give a sentence at once, which is parted: what has been handed over is as loud as it was.
PIECE_S = 0.04


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
            for piece in _pieces(frame):
                await self._hand_over(piece, direction)
            return
        if isinstance(frame, InterruptionFrame):
            self._over_s = 0.0
        await self.push_frame(frame, direction)

    async def _hand_over(self, piece: TTSAudioRawFrame, direction: FrameDirection) -> None:
        now_s = asyncio.get_running_loop().time()
        self._over_s = max(self._over_s, now_s)
        await asyncio.sleep(max(0.0, self._over_s - LEAD_S - now_s))
        self._over_s += piece.num_frames / piece.sample_rate
        await self.push_frame(piece, direction)


def _pieces(frame: TTSAudioRawFrame) -> Iterator[TTSAudioRawFrame]:
    size = round(PIECE_S * frame.sample_rate) * frame.num_channels * 2
    for at in range(0, len(frame.audio), size):
        audio = frame.audio[at : at + size]
        piece = TTSAudioRawFrame(audio, frame.sample_rate, frame.num_channels, frame.context_id)
        piece.transport_destination = frame.transport_destination
        yield piece


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> VoiceOnly:
    """The processor that stands where a face would be."""
    return VoiceOnly()
