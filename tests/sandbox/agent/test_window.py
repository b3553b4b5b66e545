"""A window of push-to-talk ends its turn, whatever becomes of the words."""

from pipecat.frames.frames import (
    ErrorFrame,
    InputAudioRawFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
)
from pipecat.transcriptions.language import Language

from pipelines.turns.floor import VolumeFrame
from pipelines.turns.voice import Sound
from sandbox.agent.window import WindowEars
from tests.standins.stage import running


def lost(sound: Sound) -> str:
    raise ValueError("no model")


async def test_a_turn_ends_though_nothing_of_it_can_be_written_down():
    ears = WindowEars(lost, Language.EN, "none")
    unheard_s: list[float] = []

    @ears.event_handler("on_error")
    async def failed(*_):
        unheard_s.append(ears.unheard_s)

    async with running(ears) as stage:
        await ears.open()
        sound = InputAudioRawFrame(bytes(16_000), 16_000, 1)
        await stage.play(sound, after := VolumeFrame(1.0))
        await stage.first(VolumeFrame, lambda frame: stage.seen.count(after) == 2)
        await ears.close()
        await stage.first(ErrorFrame)
        await stage.first(ProposedUserStoppedSpeakingFrame)
    assert unheard_s == [0.5] and not stage.all(TranscriptionFrame)
    assert not ears.unheard_s
