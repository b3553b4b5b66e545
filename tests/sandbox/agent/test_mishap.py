"""A voice that breaks off: neither its sound nor its lips go on."""

from pipecat.frames.frames import (
    Frame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)

from pipelines.media.articulation import ArticulationFrame
from pipelines.media.speech import Phoneme
from sandbox.agent.mishap import BreakOff
from sandbox.agent.pipeline import Tap
from sandbox.faults import Faults, parse_fault
from tests.standins.stage import running

RATE = 24_000


async def test_nothing_is_articulated_after_a_voice_has_broken_off() -> None:
    faults = Faults([parse_fault("tts:break-off after=0.5 times=1")])
    sounds = [Phoneme(symbol, 0.2 * n, 0.2 * n + 0.2) for n, symbol in enumerate("həloʊ")]
    passed: list[Frame] = []
    async with running(BreakOff(faults), Tap(passed.append)) as stage:
        for _ in range(2):
            second = [TTSAudioRawFrame(bytes(2 * RATE), RATE, 1) for _ in range(2)]
            told = [ArticulationFrame(sounds) for _ in range(2)]
            spoken = [told[0], second[0], told[1], second[1]]
            await stage.play(TTSStartedFrame(), *spoken, TTSStoppedFrame())
        await stage.play(TTSSpeakFrame("The last."))
        await stage.first(TTSSpeakFrame, lambda frame: stage.seen.count(frame) == 2)
    cut, *whole = [frame for frame in passed if isinstance(frame, ArticulationFrame)]
    assert [each.symbol for each in cut.phonemes] == ["h", "ə", "l"]
    assert cut.end_s == 0.5
    assert [frame.phonemes for frame in whole] == [sounds, sounds]
    assert sum(isinstance(frame, TTSAudioRawFrame) for frame in passed) == 1 + 2
