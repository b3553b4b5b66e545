"""A pipeline on a test's stage: frames go in, what comes out at either end is kept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from pipecat.frames.frames import EndFrame, Frame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

F = TypeVar("F", bound=Frame)


class Probe(FrameProcessor):
    """Keeps every frame that passes it, and lets a test wait for one."""

    def __init__(self, seen: list[Frame], changed: asyncio.Condition) -> None:
        super().__init__()
        self._seen = seen
        self._changed = changed

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Note the frame and pass it on."""
        await super().process_frame(frame, direction)
        async with self._changed:
            self._seen.append(frame)
            self._changed.notify_all()
        await self.push_frame(frame, direction)


class Stage:
    """A pipeline of `processors` between two probes, and what went by at its two ends.

    `seen` holds the frames of both directions in the order in which they passed a probe; one that
    travels the whole pipeline is in it twice.
    """

    def __init__(self, *processors: FrameProcessor) -> None:
        self.seen: list[Frame] = []
        self._changed = asyncio.Condition()
        probes = [Probe(self.seen, self._changed) for _ in range(2)]
        self.worker = PipelineWorker(
            Pipeline([probes[0], *processors, probes[1]]),
            params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
            cancel_on_idle_timeout=False,
            enable_rtvi=False,
        )

    async def play(self, *frames: Frame) -> None:
        """Send frames in at the top, in this order."""
        await self.worker.queue_frames(list(frames))

    def all(self, kind: type[F]) -> list[F]:
        """The frames of this kind so far, each once."""
        frames = {frame.id: frame for frame in self.seen if isinstance(frame, kind)}
        return list(frames.values())

    async def first(
        self, kind: type[F], fits: Callable[[F], bool] = lambda _: True, limit_s: float = 20
    ) -> F:
        """Wait for a frame of this kind that fits.

        Raises:
            TimeoutError: none came.
        """
        async with asyncio.timeout(limit_s), self._changed:
            await self._changed.wait_for(lambda: any(fits(frame) for frame in self.all(kind)))
            return next(frame for frame in self.all(kind) if fits(frame))


@asynccontextmanager
async def running(*processors: FrameProcessor) -> AsyncIterator[Stage]:
    """Run `processors` as a pipeline until the block ends, then end it in good order."""
    stage = Stage(*processors)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(stage.worker)
    run = asyncio.create_task(runner.run())
    try:
        yield stage
    finally:
        await stage.play(EndFrame())
        await asyncio.wait_for(run, 10)
