"""Sound of an answer that was silenced is told from that of the next one."""

import pytest

from sandbox.agent.answers import GAP_S, Answers


@pytest.fixture
def silenced() -> Answers:
    """An answer that was silenced a second after it began, before its text has come."""
    answers = Answers()
    assert answers.sounds(0.0)
    answers.silence(1.0)
    return answers


def test_what_follows_at_once_is_of_the_same_answer_and_a_pause_ends_it(silenced: Answers) -> None:
    heard = [silenced.sounds(at_s) for at_s in (1.1, 1.9, 2.8, 2.8 + GAP_S, 4.0)]
    assert heard == [False, False, False, True, True]


def test_its_text_may_come_late_and_the_next_text_is_of_another(silenced: Answers) -> None:
    silenced.word(1.2)
    assert not silenced.sounds(1.3)
    silenced.word(1.4)
    assert silenced.sounds(1.5)


def test_after_a_question_comes_another_answer(silenced: Answers) -> None:
    silenced.begin()
    assert silenced.sounds(1.1)
    silenced.silence(1.2)
    silenced.word(1.3)
    assert not silenced.sounds(1.4)
