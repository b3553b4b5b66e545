"""How often the mind began early, told from the frames that go by."""

import pytest
from pipecat.frames.frames import (
    EagerEndOfTurnCancelFrame,
    Frame,
    InterruptionFrame,
    LLMContextFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import FramePushed
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.processors.frame_processor import FrameDirection
from pipecat.turns.user_turn_strategies import EagerUserTurnStrategies, ExternalUserTurnStrategies

from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.stt import moonshine
from pipelines.turns.owner import TurnOwner
from pipelines.turns.speculation import Speculation

EARLY = LLMContextFrame(LLMContext(), speculation=True)
USUAL = LLMContextFrame(LLMContext())
STARTED, STOPPED = UserStartedSpeakingFrame(), UserStoppedSpeakingFrame()
WITHDRAWN, INTERRUPTED = EagerEndOfTurnCancelFrame(), InterruptionFrame()


async def after(*frames: Frame) -> Speculation:
    speculation, here = Speculation(), IdentityFilter()
    for frame in frames:
        pushed = FramePushed(here, here, frame, FrameDirection.DOWNSTREAM, 0)
        await speculation.on_push_frame(pushed)
    return speculation


@pytest.mark.parametrize(
    ("frames", "calls", "for_nothing"),
    [
        pytest.param([STARTED, USUAL, STOPPED], 0, 0, id="asked at the end"),
        pytest.param([STARTED, EARLY, STOPPED, STOPPED], 1, 0, id="let go"),
        pytest.param([STARTED, EARLY, WITHDRAWN, EARLY, STOPPED], 2, 1, id="withdrawn once"),
        pytest.param([EARLY, WITHDRAWN, WITHDRAWN, STOPPED], 1, 1, id="withdrawn, told twice"),
        pytest.param([EARLY, EARLY, STOPPED], 2, 1, id="asked anew"),
        pytest.param([EARLY, WITHDRAWN, STOPPED, USUAL], 1, 1, id="another text at the end"),
        pytest.param([EARLY, STOPPED, INTERRUPTED], 1, 0, id="interrupted when it was let go"),
        pytest.param([EARLY, INTERRUPTED], 1, 1, id="interrupted before"),
        pytest.param([EARLY], 1, 1, id="never let go"),
    ],
)
async def test_what_was_put_ahead_and_in_vain(frames, calls, for_nothing):
    speculation = await after(*frames)
    assert speculation.close() == {"calls": calls, "for_nothing": for_nothing}


async def test_an_answer_to_a_turn_that_goes_on_was_in_vain():
    speculation = await after(EARLY, STOPPED)
    speculation.taken_back()
    speculation.taken_back()
    assert speculation.counts == {"calls": 1, "for_nothing": 1}


async def test_an_answer_that_was_not_begun_early_is_not_counted_when_its_turn_goes_on():
    speculation = await after(EARLY, STOPPED, STARTED, USUAL, STOPPED)
    speculation.taken_back()
    assert speculation.counts == {"calls": 1, "for_nothing": 0}


@pytest.mark.parametrize(
    ("speculates", "strategies"),
    [(True, EagerUserTurnStrategies), (False, ExternalUserTurnStrategies)],
)
async def test_a_setting_keeps_local_ears_from_it(speculates, strategies):
    settings = load_settings(avatar_speculation=speculates)
    ears = moonshine.build(settings, Persona(), None)  # type: ignore[arg-type]
    assert isinstance(ears, TurnOwner)
    assert type(ears.recommended_user_turn_strategies(enable_interruptions=True)) is strategies
