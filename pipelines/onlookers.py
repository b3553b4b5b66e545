"""Observers of a pipeline at the price of one: for each, Pipecat has a queue and a task."""

from typing import Any

from pipecat.frames.frames import (
    InputAudioRawFrame,
    OutputAudioRawFrame,
    OutputImageRawFrame,
    StartFrame,
)
from pipecat.observers.base_observer import BaseObserver, FrameProcessed, FramePushed
from pipecat.pipeline.worker import PipelineWorker
from pipecat.pipeline.worker_observer import WorkerObserver
from pipecat.utils.asyncio.task_manager import BaseTaskManager


class Onlookers(BaseObserver):
    """Tells observers of what is pushed for the first time, one after the other."""

    def __init__(self, *observers: BaseObserver) -> None:
        """Those of `observers` that ask for every push are not for this."""
        super().__init__(observe_every_push=False)
        self._observers = observers

    async def setup(self, task_manager: BaseTaskManager) -> None:
        """Set all of them up."""
        await super().setup(task_manager)
        for observer in self._observers:
            await observer.setup(task_manager)

    async def cleanup(self) -> None:
        """Clean all of them up."""
        await super().cleanup()
        for observer in self._observers:
            await observer.cleanup()

    async def on_push_frame(self, data: FramePushed) -> None:
        """Tell all of them."""
        for observer in self._observers:
            await observer.on_push_frame(data)


class Sparing(WorkerObserver):
    """Tells observers of all frames that are pushed but sounds and pictures, 100 times a second.

    Of those that leave, `Onlookers` are told once, and of the microphone's nobody is: levels of
    sound (`RTVIObserverParams`) would have to be let through. That a processor takes a frame is
    told of the start alone.
    """

    async def on_process_frame(self, data: FrameProcessed) -> None:
        """Tell them that a processor has it."""
        if isinstance(data.frame, StartFrame):
            await super().on_process_frame(data)

    async def on_push_frame(self, data: FramePushed) -> None:
        """Tell them of a frame."""
        if isinstance(data.frame, InputAudioRawFrame):
            return
        if not isinstance(data.frame, OutputAudioRawFrame | OutputImageRawFrame):
            await super().on_push_frame(data)
        elif data.frame.id not in self._frames_pushed:
            data.first_push, self._frames_pushed[data.frame.id] = True, data.frame
            for observer, proxy in (self._proxies or {}).items():
                if isinstance(observer, Onlookers):
                    await proxy.queue.put(data)


class Spared(PipelineWorker):
    """A pipeline whose observers are told only of what they can use."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Pipecat has no other place for it (pipecat/pipeline/worker.py:598).
        self._observer = Sparing(observers=self._observer._observers)
