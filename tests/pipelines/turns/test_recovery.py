"""A noise that cuts the guide off, with ears by which silence decides: it says it again."""

from collections.abc import AsyncGenerator

import pytest
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    Frame,
    LLMMessagesAppendFrame,
    LLMTextFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.settings import STTSettings
from pipecat.services.stt_service import STTService

from pipelines.llm import guide
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.turns.taking import turns_for
from tests.pipelines.turns.clock import RoomLoop, room_loop
from tests.standins.stage import Stage, running

pytestmark = pytest.mark.patient

LONGEST_S = 8.0


class NoWords(STTService):
    """Ears that understand nothing."""

    def __init__(self) -> None:
        super().__init__(settings=STTSettings(model=None, language=None), ttfs_p99_latency=0.1)

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        yield None


async def pass_time(loop: RoomLoop, seconds: float) -> None:
    for _ in range(round(seconds / 0.02)):
        loop.now_s += 0.02
        await loop.settle()


def told(stage: Stage) -> str:
    return "".join(frame.text for frame in stage.all(LLMTextFrame))


async def test_a_turn_without_a_word_that_cut_the_guide_off_is_answered(room_time):
    ears = NoWords()
    turns = turns_for(ears, 0)
    mind = guide.build(load_settings(), Persona(), None)  # type: ignore[arg-type]
    async with running(ears, turns.user(), mind) as stage:
        loop = room_loop()
        await stage.worker.flush_pipeline()
        question = {"role": "user", "content": "Who are you?"}
        await stage.play(LLMMessagesAppendFrame([question], run_llm=True))  # type: ignore[list-item]
        await pass_time(loop, 2)
        answer = told(stage)
        assert answer
        await stage.worker.queue_frame(BotStartedSpeakingFrame(), FrameDirection.UPSTREAM)
        await stage.play(VADUserStartedSpeakingFrame())
        await pass_time(loop, 0.2)
        await stage.play(VADUserStoppedSpeakingFrame())
        assert told(stage) == answer
        await pass_time(loop, LONGEST_S)
        assert told(stage).count(answer) == 2
