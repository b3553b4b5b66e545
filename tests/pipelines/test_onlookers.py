"""Who looks on at a pipeline, and what they are told."""

from pipecat.frames.frames import InputAudioRawFrame, TextFrame
from pipecat.observers.base_observer import BaseObserver
from pipecat.pipeline.pipeline import Pipeline
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.workers.runner import WorkerRunner

from pipelines.onlookers import Onlookers, Watched


class Noting(BaseObserver):
    """Keeps what it is told of."""

    def __init__(self, **options):
        super().__init__(**options)
        self.told = []

    async def on_push_frame(self, data):
        self.told.append(data.frame)


async def test_no_observer_is_told_of_the_microphone_and_all_are_told_of_the_rest():
    every, first, second = Noting(), Noting(), Noting()
    worker = Watched(
        Pipeline([IdentityFilter(), IdentityFilter()]),
        observers=[every, Onlookers(first, second)],
        enable_rtvi=False,
    )
    sound, text = InputAudioRawFrame(bytes(640), 16_000, 1), TextFrame("Hello.")
    await worker.queue_frames([sound, text])
    await worker.stop_when_done()
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()
    assert every.told.count(text) >= 2
    assert first.told.count(text) == second.told.count(text) == 1
    assert not any(sound in each.told for each in (every, first, second))
