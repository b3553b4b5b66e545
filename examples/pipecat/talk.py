"""What every bot here does with its parts: greets who comes, and ends when they leave."""

from collections.abc import Sequence

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
from pipecat.transports.base_transport import BaseTransport
from pipecat.workers.runner import WorkerRunner

GREETING = "Hello! What shall we talk about?"


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
