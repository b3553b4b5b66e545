"""What every bot here does with its parts: greets who comes, and ends when they leave."""

from collections.abc import Callable, Sequence
from typing import Any

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.runner.types import RunnerArguments
from pipecat.transports.base_transport import BaseTransport, TransportParams
from pipecat.transports.livekit.transport import LiveKitParams
from pipecat.workers.runner import WorkerRunner

# Of the bot's camera; the face is brought to this size.
SIZES = {"low": (640, 360), "medium": (854, 480), "high": (1280, 720), "very_high": (1920, 1080)}
GREETING = "Hello!"


def places(quality: str) -> dict[str, Callable[[], TransportParams]]:
    """Where users are met, who see pictures of LiveAvatar's quality."""
    shown: dict[str, Any] = {"audio_in_enabled": True, "audio_out_enabled": True}
    width, height = SIZES[quality]
    shown |= {"video_out_enabled": True, "video_out_is_live": True}
    shown |= {"video_out_width": width, "video_out_height": height}
    return {"webrtc": lambda: TransportParams(**shown), "livekit": lambda: LiveKitParams(**shown)}


async def talk(
    arguments: RunnerArguments,
    transport: BaseTransport,
    ears: FrameProcessor,
    mind: FrameProcessor,
    voice: FrameProcessor,
    face: Sequence[FrameProcessor] = (),
) -> None:
    """One conversation, in talking order."""
    turns = LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    pair = LLMContextAggregatorPair(LLMContext(), user_params=turns)
    heard = [transport.input(), ears, pair.user(), mind]
    said = [voice, *face, transport.output(), pair.assistant()]
    worker = PipelineWorker(Pipeline([*heard, *said]))

    @transport.event_handler("on_client_connected")
    async def came(*_: object) -> None:
        await worker.queue_frame(TTSSpeakFrame(GREETING))

    @transport.event_handler("on_client_disconnected")
    async def left(*_: object) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=arguments.handle_sigint)
    await runner.add_workers(worker)
    await runner.run()
