"""Both ends of the pipeline: the room's microphones, and the face that speaks in the room."""

from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    StartFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams

from liveavatar.wire import SAMPLE_RATE
from pipelines.media.articulation import ArticulationFrame
from pipelines.media.pace import VoiceOnly
from puppet import Phone
from sandbox.agent.mixer import RATE
from sandbox.performance import Performance


class Microphones(BaseInputTransport):
    """What is said in the room."""

    def __init__(self) -> None:
        super().__init__(TransportParams(audio_in_enabled=True, audio_in_sample_rate=RATE))

    async def start(self, frame: StartFrame) -> None:
        """Listen from now on."""
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def hear(self, pcm: bytes) -> None:
        """Take some sound, s16le mono 16 kHz; before the start it is not heard."""
        if self._audio_task:
            await self.push_audio_frame(InputAudioRawFrame(pcm, RATE, 1))


class Pace(VoiceOnly):
    """Hands the voice on as it is heard, so far ahead that the face never waits for it."""

    lead_s = 0.3


class Stage(BaseOutputTransport):
    """The face, which says what it is given."""

    def __init__(self, performance: Performance) -> None:
        params = TransportParams(audio_out_enabled=True, audio_out_sample_rate=SAMPLE_RATE)
        super().__init__(params)
        self._performance = performance
        self._falls_silent = False

    async def start(self, frame: StartFrame) -> None:
        """Speak from now on."""
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Have the face say it, unless it is what an interruption is about to drop."""
        if not self._falls_silent:
            self._performance.say(frame.audio)
        return True

    async def write_transport_frame(self, frame: Frame) -> None:
        """Let the face know what is articulated in the sound after it."""
        if isinstance(frame, ArticulationFrame):
            phones = [Phone(p.symbol, p.start_s, p.end_s) for p in frame.phonemes]
            self._performance.articulate(phones)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Silence the face where the conversation falls silent."""
        if not isinstance(frame, InterruptionFrame):
            await super().process_frame(frame, direction)
            return
        self._performance.hush()
        self._falls_silent = True
        try:
            await super().process_frame(frame, direction)
        finally:
            self._falls_silent = False

    async def push_frame(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> None:
        """Tell the face of the end of what it says."""
        if isinstance(frame, BotStoppedSpeakingFrame) and direction == FrameDirection.DOWNSTREAM:
            self._performance.said()
        await super().push_frame(frame, direction)
