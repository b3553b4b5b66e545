"""What the mind says too early is held, and its first sentence is made ready."""

import pytest
from pipecat.frames.frames import (
    EagerEndOfTurnCancelFrame,
    Frame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection

from pipelines.turns.ahead import WorkingAhead
from pipelines.turns.clauses import Beginnings
from tests.pipelines.turns.test_clauses import Slow

ANSWER = ("That", " is", " easy.", " It", " needs", " no", " key.")


class Prepared:
    """A voice that notes what it is to prepare."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def prepare(self, text: str) -> None:
        self.texts.append(text)

    def withdraw(self) -> None:
        self.texts.append("")


@pytest.fixture
def voice() -> Prepared:
    return Prepared()


def passed(gate: WorkingAhead, *frames: Frame) -> list[Frame]:
    out = [gate.process(frame, FrameDirection.DOWNSTREAM) for frame in frames]
    return [frame for each in out for frame, _ in each]


def test_a_slow_mind_has_its_first_clause_prepared_and_spoken_as_it_is(voice):
    beginnings = Beginnings()
    gate = WorkingAhead(voice, beginnings, name="gate", clock=Slow())
    passed(gate, UserStartedSpeakingFrame())
    gate.begin_speculation(True)
    words = "That depends on the weather, which nobody knows.".split()
    passed(gate, LLMFullResponseStartFrame(), *[LLMTextFrame(f"{word} ") for word in words])
    assert voice.texts == ["That depends on the weather,"]
    assert beginnings.prepared == "That depends on the weather,"


def speculating(voice: Prepared, words: tuple[str, ...] = ANSWER) -> WorkingAhead:
    gate = WorkingAhead(voice, Beginnings(), name="gate")
    passed(gate, UserStartedSpeakingFrame())
    gate.begin_speculation(True)
    texts = [LLMTextFrame(word) for word in words]
    assert not passed(gate, LLMFullResponseStartFrame(), *texts)
    return gate


def test_the_first_sentence_is_prepared_while_all_is_held(voice):
    gate = speculating(voice)
    assert voice.texts == ["That is easy."]
    assert len(passed(gate, UserStoppedSpeakingFrame())) == 9


def test_a_single_sentence_is_prepared_when_it_is_whole(voice):
    gate = speculating(voice, ANSWER[:3])
    assert not voice.texts
    passed(gate, LLMFullResponseEndFrame())
    assert voice.texts == ["That is easy."]


def test_what_is_withdrawn_is_withdrawn_from_the_voice(voice):
    gate = speculating(voice)
    passed(gate, EagerEndOfTurnCancelFrame())
    assert voice.texts == ["That is easy.", ""]
    assert len(passed(gate, UserStoppedSpeakingFrame())) == 1


def test_an_answer_to_a_turn_that_is_over_needs_no_preparation(voice):
    gate = WorkingAhead(voice, Beginnings(), name="gate")
    passed(gate, LLMFullResponseStartFrame(), *[LLMTextFrame(word) for word in ANSWER])
    assert not voice.texts
