"""Who looks on at a pipeline, and what they are told."""

from pipecat.frames.frames import (
    InputAudioRawFrame,
    OutputAudioRawFrame,
    OutputImageRawFrame,
    StartFrame,
    TextFrame,
)
from pipecat.observers.base_observer import BaseObserver
from pipecat.pipeline.pipeline import Pipeline
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.workers.runner import WorkerRunner

from pipelines.onlookers import Onlookers, Spared


class Noting(BaseObserver):
    """Keeps what it is told of."""

    def __init__(self, **options):
        super().__init__(**options)
        self.told, self.processed = [], []

    async def on_process_frame(self, data):
        self.processed.append(data.frame)

    async def on_push_frame(self, data):
        self.told.append(data.frame)


async def test_of_sounds_and_pictures_those_are_told_who_follow_them_and_of_the_rest_all():
    every, first, second = Noting(), Noting(), Noting()
    worker = Spared(
        Pipeline([IdentityFilter(), IdentityFilter()]),
        observers=[every, Onlookers(first, second)],
        enable_rtvi=False,
    )
    sound, text = InputAudioRawFrame(bytes(640), 16_000, 1), TextFrame("Hello.")
    leaving = [OutputAudioRawFrame(bytes(640), 16_000, 1), OutputImageRawFrame(b"", (0, 0), "RGB")]
    await worker.queue_frames([sound, *leaving, text])
    await worker.stop_when_done()
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()
    assert every.told.count(text) >= 2
    assert first.told.count(text) == second.told.count(text) == 1
    for frame in leaving:
        assert first.told.count(frame) == second.told.count(frame) == 1
    assert not any(frame in every.told for frame in leaving)
    assert {type(frame) for frame in every.processed} == {StartFrame}
    assert not any(sound in each.told for each in (every, first, second))
