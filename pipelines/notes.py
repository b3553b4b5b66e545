"""What is noted of a conversation beside its turns: its face, its pace, and what failed."""

from loguru import logger
from pipecat.frames.frames import ErrorFrame
from pipecat.pipeline.worker import PipelineWorker

from sessions import metrics
from sessions.transcript import Transcript

from .guard.face import FaceGuard
from .guard.news import News
from .latency import Turn, TurnLatency
from .redaction import redacted


def follow_face(guard: FaceGuard, asked: str, transcript: Transcript) -> None:
    """Note when the face that was asked for is lost, and when it is back."""

    @guard.event_handler("on_face_lost")
    async def lost(_guard: FaceGuard, why: str) -> None:
        metrics.failed("face", asked, why)
        transcript.event("face-lost", text=f"The face is gone: {why}.")

    @guard.event_handler("on_face_back")
    async def back(_guard: FaceGuard) -> None:
        transcript.event("face-back")


def follow_speed(latency: TurnLatency) -> None:
    """Have a monitor know how fast answers are."""

    @latency.event_handler("on_turn_measured")
    async def measured(_latency: TurnLatency, turn: Turn) -> None:
        metrics.answered(turn.steps, turn.answered_s)


def follow_errors(news: News, worker: PipelineWorker, transcript: Transcript) -> None:
    """Note what failed that is nobody's to mend."""

    @worker.event_handler("on_pipeline_error")
    async def failed(_worker: PipelineWorker, error: ErrorFrame) -> None:
        if not news.is_about(error.processor):
            transcript.event("error", text=redacted(error.error))
            logger.error(error.error)
