"""The voice alone, at the pace at which it is heard."""

import asyncio
from collections.abc import Iterator

from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InterruptionFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from .articulation import ArticulationFrame

# The voice is handed over so long before it is heard: what is handed over cannot be lowered.
LEAD_S = 0.12
# Voices give a sentence at once, which is parted: what has been handed over is as loud as it was.
# Transports send pieces as long as this. What is shorter waits in them for more, and is thrown away
# when what was said before has been heard (pipecat/transports/base_output.py:853).
PIECE_S = 0.04


class VoiceOnly(FrameProcessor):
    """Hands the voice on at the pace at which it is heard, as a face does."""

    shows_face = False
    piece = TTSAudioRawFrame
    lead_s = LEAD_S

    def __init__(self) -> None:
        super().__init__()
        self._handed_s = self._over_s = 0.0
        # What is no whole piece yet.
        self._begun: TTSAudioRawFrame | None = None

    @property
    def said_s(self) -> float:
        """How much of the voice was handed on, in seconds."""
        return self._handed_s

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Keep the voice until it is due; what comes after it waits, but for system frames."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            for piece in self._pieces(frame):
                await self._hand_over(piece, direction)
            return
        if isinstance(frame, InterruptionFrame):
            self._over_s, self._begun = 0.0, None
        elif isinstance(frame, TTSStoppedFrame | EndFrame) and self._begun:
            begun, self._begun = self._begun, None
            await self._hand_over(begun, direction)
        elif isinstance(frame, ArticulationFrame) and self._begun:  # which is handed on after it
            frame = frame.moved(self._begun.num_frames / self._begun.sample_rate)
        await self.push_frame(frame, direction)

    async def _hand_over(self, piece: TTSAudioRawFrame, direction: FrameDirection) -> None:
        now_s = asyncio.get_running_loop().time()
        self._over_s = max(self._over_s, now_s)
        await asyncio.sleep(max(0.0, self._over_s - self.lead_s - now_s))
        duration_s = piece.num_frames / piece.sample_rate
        self._over_s += duration_s
        self._handed_s += duration_s
        await self.push_frame(piece, direction)

    def _pieces(self, frame: TTSAudioRawFrame) -> Iterator[TTSAudioRawFrame]:
        """The whole pieces of the voice so far; what is left is begun."""
        begun, self._begun = self._begun, None
        if begun and begun.sample_rate != frame.sample_rate:  # another voice
            yield begun
            begun = None
        audio = (begun.audio if begun else b"") + frame.audio
        size = round(PIECE_S * frame.sample_rate) * frame.num_channels * 2
        whole = len(audio) // size * size
        for at in range(0, whole, size):
            yield self._piece(frame, audio[at : at + size])
        if rest := audio[whole:]:
            self._begun = self._piece(frame, rest)

    def _piece(self, frame: TTSAudioRawFrame, audio: bytes) -> TTSAudioRawFrame:
        piece = self.piece(audio, frame.sample_rate, frame.num_channels, frame.context_id)
        piece.transport_destination = frame.transport_destination
        return piece
