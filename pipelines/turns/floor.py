"""What is done with the floor: the volume of the avatar's voice, and a turn that was cut off."""

from dataclasses import dataclass

import numpy as np
from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    SpeechOutputAudioRawFrame,
    SystemFrame,
    TTSAudioRawFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContextMessage
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor


@dataclass
class VolumeFrame(SystemFrame):
    """How loud the avatar is to speak: 1 is as it is."""

    volume: float


@dataclass
class VoiceEndedFrame(SystemFrame):
    """The user's turn has ended; their voice did so `quiet_s` seconds before."""

    quiet_s: float


class Volume(FrameProcessor):
    """Lowers the voice on its way out while it is open whether the user interrupts it."""

    def __init__(self) -> None:
        super().__init__(enable_direct_mode=True)
        self._volume = 1.0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Pass everything on, the voice as loud as it may be."""
        await super().process_frame(frame, direction)
        if isinstance(frame, VolumeFrame):
            self._volume = frame.volume
        elif isinstance(frame, InterruptionFrame):
            self._volume = 1.0
        elif isinstance(frame, SpeechOutputAudioRawFrame | TTSAudioRawFrame) and self._volume < 1:
            samples = np.frombuffer(frame.audio, np.int16) * self._volume
            frame.audio = samples.astype(np.int16).tobytes()
        await self.push_frame(frame, direction)


def without_cut_off_turn(messages: list[LLMContextMessage]) -> list[LLMContextMessage]:
    """The history without the user's last turn and the answer begun: the whole turn follows."""
    last = max(
        (at for at, message in enumerate(messages) if _role(message) == "user"), default=None
    )
    return messages if last is None else messages[:last]


def _role(message: LLMContextMessage) -> str:
    return message["role"] if isinstance(message, dict) else ""
