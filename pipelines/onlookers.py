"""Several observers of a pipeline as one: for each, Pipecat has a queue and a task."""

from pipecat.observers.base_observer import BaseObserver, FramePushed
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
