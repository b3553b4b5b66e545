"""The table: how long to wait after which words, and what takes the floor."""

import pytest

from pipelines.turns.rules import LONGEST_S, PATIENCE, stretched, takes_the_floor, wait_s
from pipelines.turns.words import Words

BALANCED = PATIENCE["balanced"]


@pytest.mark.parametrize(
    ("text", "complete", "least_s", "most_s"),
    [
        ("Yes.", 0.1, 0.2, 0.35),
        ("No, thanks.", 0.1, 0.2, 0.35),
        ("Tomorrow.", 0.1, 0.2, 0.35),
        ("To-morrow. Good-bye.", 0.1, 0.2, 0.35),
        ("What can you do?", 0.99, 0.25, 0.35),
        ("What can you do?", 0.3, 0.8, 1.0),
        ("I would like to go to the.", 0.99, 0.9, 1.0),
        ("I would like to know, um.", 0.99, 0.9, 1.0),
        ("What is it about?", 0.99, 0.25, 0.35),
        ("My number is 472-911-", 0.99, 0.6, 1.0),
        ("My number is four, seven, two.", 0.99, 0.9, 1.0),
        ("If it rains tomorrow.", 0.5, 0.8, 1.0),
        ("", 0.5, 0.8, 1.0),
    ],
)
def test_the_wait_fits_what_speaks_for_an_end(text, complete, least_s, most_s):
    assert least_s <= wait_s(Words(text), complete, BALANCED) <= most_s


def test_nobody_waits_for_long():
    slowest = max(
        wait_s(Words(t), 0.0, p) for t in ("the", "", "one two") for p in PATIENCE.values()
    )
    assert slowest <= 1.5
    assert all(wait_s(Words("the"), 0.0, PATIENCE[p]) <= 1.0 for p in ("quick", "balanced"))


def test_who_was_cut_off_gets_more_time_until_turns_stand_again():
    text, stretch = Words("I am in Berlin."), stretched(1.0, cut_off=True)
    assert wait_s(text, 0.98, BALANCED, stretch) == pytest.approx(0.495)
    assert stretched(stretch, cut_off=True) == stretch
    assert wait_s(Words("Yes."), 0.1, BALANCED, stretch) == BALANCED.answer_s
    for _ in range(8):
        stretch = stretched(stretch, cut_off=False)
    assert stretch == 1.0


def test_nobody_waits_for_long_however_often_they_were_cut_off():
    slowest = max(wait_s(Words("the"), 0.0, p, stretched(1.5, True)) for p in PATIENCE.values())
    assert slowest == LONGEST_S


@pytest.mark.parametrize(
    ("text", "voice_s", "avatar_speaks", "takes"),
    [
        ("", 2.0, False, False),
        ("Yeah.", 0.4, False, True),
        ("Yeah.", 0.4, True, False),
        ("Okay, right.", 0.9, True, False),
        ("Mama.", 0.5, True, False),
        ("And then make sure.", 0.5, True, False),
        ("Stop.", 0.3, True, True),
        ("I would rather", 0.6, True, True),
        ("Beautiful", 0.9, True, True),
        ("What can you do for me today?", 1.1, True, True),
    ],
)
def test_who_speaks_has_the_floor_by_words(text, voice_s, avatar_speaks, takes):
    assert takes_the_floor(Words(text), voice_s, avatar_speaks) == takes


@pytest.mark.parametrize(
    ("before", "text", "voice_s", "ended", "takes"),
    [
        pytest.param("Can you?", "Can you tell me?", 0.45, False, True, id="goes on as it began"),
        pytest.param("My name is", "Mama.", 0.5, True, False, id="made out of a noise"),
        pytest.param("And then?", "And the meeting.", 0.45, False, False, id="once so, once so"),
        pytest.param("If I, if", "If I,", 0.44, True, False, id="too short for two words"),
        pytest.param("", "O. K.", 0.5, True, False, id="letters"),
        pytest.param("Oh,", "Oh, real", 0.8, False, False, id="cut in a sign of listening"),
        pytest.param("I'll.", "I'll re-", 0.46, False, False, id="the second word may be cut"),
        pytest.param("", "I would rather", 0.52, False, True, id="two whole words"),
        pytest.param("", "But.", 0.4, False, False, id="may become anything"),
        pytest.param("", "Who?", 0.4, True, True, id="a question of one word"),
    ],
)
def test_while_the_avatar_speaks_it_counts_what_was_heard_before(
    before, text, voice_s, ended, takes
):
    assert takes_the_floor(Words(text), voice_s, True, Words(before), ended) == takes
