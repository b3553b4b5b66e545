"""The agent's face is told what is articulated where it is heard."""

from typing import Any, cast

from pipecat.frames.frames import TTSAudioRawFrame, TTSStartedFrame, TTSStoppedFrame

from liveavatar.wire import SAMPLE_RATE
from pipelines.media.articulation import ArticulationFrame
from pipelines.media.speech import Phoneme
from sandbox.agent.transport import Pace, Stage
from tests.standins.stage import running


class Told:
    """Where in the sound each phoneme is told to be."""

    def __init__(self) -> None:
        self.sounded_s = 0.0
        self.starts_s: list[float] = []

    def say(self, pcm: bytes) -> None:
        self.sounded_s += len(pcm) / 2 / SAMPLE_RATE

    def articulate(self, phones: list[Any]) -> None:
        self.starts_s += [round(self.sounded_s + phone.start_s, 4) for phone in phones]

    def said(self) -> None: ...


async def test_it_is_told_in_its_place_however_the_sound_is_cut():
    told = Told()
    sound = [TTSAudioRawFrame(bytes(2 * 1000), SAMPLE_RATE, 1) for _ in range(10)]
    heard = [ArticulationFrame([Phoneme("m", 0.01, 0.1)]) for _ in range(10)]
    each = [frame for pair in zip(heard, sound, strict=True) for frame in pair]
    async with running(Pace(), Stage(cast(Any, told))) as stage:
        await stage.play(TTSStartedFrame(), *each, TTSStoppedFrame())
        await stage.first(TTSStoppedFrame, lambda frame: stage.seen.count(frame) == 2)
    assert told.starts_s == [round(n * 1000 / SAMPLE_RATE + 0.01, 4) for n in range(10)]
