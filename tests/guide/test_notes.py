"""A script that reads from notes finds what is asked for, and says what it is."""

import pytest

from guide import Notes

TEXT = """You are Ann, the receptionist of Hotel Sunrise. Breakfast is served from seven to ten.
A room costs $90 a night, and a suite twice as much.
Dogs are welcome in the garden."""


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When is breakfast served?", "Breakfast is served from seven to ten."),
        ("Hello! What does a room cost?", "A room costs $90 a night, and a suite twice as much."),
        ("May I bring my dog?", "Dogs are welcome in the garden."),
    ],
)
def test_a_question_is_answered_with_the_sentence_it_is_about(question: str, answer: str) -> None:
    assert Notes(TEXT, "Theo").answer(question) == f"My script says: {answer}"


def test_it_says_that_it_is_a_script_and_whose_words_it_reads() -> None:
    notes = Notes(TEXT, "Theo")
    for question in ("Are you a language model?", "Who are you?", "What is the capital of Peru?"):
        assert "script" in notes.answer(question)
    assert "capital" not in notes.answer("What is the capital of Peru?").lower()


def test_it_repeats_itself_when_asked_and_takes_turns() -> None:
    notes = Notes(TEXT, "Theo")
    first = notes.answer("Are dogs welcome?")
    assert notes.answer("Could you say that again?") == f"I said: {first}"
    assert notes.answer("Are dogs welcome?") != first


@pytest.mark.parametrize("text", ["", "…", "\n\n"])
def test_empty_notes_know_nothing(text: str) -> None:
    assert "script" in Notes(text, "Theo").answer("When is breakfast served?")
