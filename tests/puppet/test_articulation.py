"""Lips by the sounds that are known: what they do for each, before it, and in pauses."""

import numpy as np
import pytest

from puppet import Phone
from puppet.articulation import SHUT, Articulation, Shape
from puppet.phones import PAUSE_S

FRAME_S = 0.04


def phones(symbols: list[str], lasts_s: float = 0.08, from_s: float = 0.0) -> list[Phone]:
    starts_s = from_s + lasts_s * np.arange(len(symbols) + 1)
    return [Phone(s, *map(float, starts_s[n : n + 2])) for n, s in enumerate(symbols)]


def articulation(symbols: list[str], lasts_s: float = 0.08, from_s: float = 0.0) -> Articulation:
    found = Articulation()
    found.add(phones(symbols, lasts_s), from_s)
    return found


def shape(of: Articulation, at_s: float) -> Shape:
    found = of.at(at_s)
    assert found
    return found


@pytest.mark.parametrize("stop", "pbm")
@pytest.mark.parametrize("lasts_s", [0.03, 0.05, 0.12])
def test_lips_meet_in_a_picture_wherever_the_pictures_fall(stop, lasts_s):
    for late_s in np.arange(0, FRAME_S, 0.004):
        at = articulation(["ɑ", stop, "ɑ"], lasts_s, float(late_s))
        near = [n for n in range(20) if abs((n + 0.5) * FRAME_S - late_s - 1.5 * lasts_s) < 0.04]
        seen = [shape(at, (n + 0.5) * FRAME_S) for n in near]
        assert max(each.close for each in seen) == 1
        assert min(each.open for each in seen) == 0


def test_a_mouth_between_closures_is_open():
    at = articulation([*"bɑbɑbɑb"], 0.1)
    assert all(shape(at, 0.1 * n + 0.05).open > 0.6 for n in (1, 3, 5))


@pytest.mark.parametrize(
    ("symbol", "width"), [("w", 0.7), ("u", 0.7), ("oʊ", 0.5), ("i", -0.6), ("j", -0.3)]
)
def test_lips_are_round_or_wide_as_the_sound_is(symbol, width):
    found = shape(articulation(["t", symbol, "t"], 0.15), 0.225).width
    assert found * np.sign(width) > abs(width)


@pytest.mark.parametrize("symbol", "fv")
def test_the_lip_is_under_the_teeth(symbol):
    found = shape(articulation(["ɑ", symbol, "ɑ"]), 0.12)
    assert found.bite == 1 and found.close == 0 and found.open < 0.2


def test_lips_are_round_before_a_w_is_heard():
    before = [shape(articulation(["ɛ", other, "ɪ"], 0.15), 0.13).width for other in "wt"]
    assert before[0] > before[1] + 0.2


def test_a_mouth_opens_just_before_the_sound_and_is_shut_in_a_pause():
    at = articulation(["ɑ", "", "ɑ"], 0.3)
    assert shape(at, 0.45) == SHUT and SHUT.pauses
    opening = [shape(at, at_s).open for at_s in (0.52, 0.56, 0.59, 0.62)]
    assert opening[0] < 0.1 < opening[1] < opening[2] < opening[3]


def test_what_is_too_short_for_a_pause_is_none():
    sounds = [Phone("ɑ", 0, 0.2), Phone(" ", 0.2, 0.2 + PAUSE_S - 0.02), Phone("ɑ", 0.27, 0.5)]
    at = Articulation()
    at.add(sounds, 0.0)
    assert min(shape(at, at_s).open for at_s in np.arange(0.1, 0.4, 0.02)) > 0.7


def test_stress_opens_vowels_where_it_is_told():
    told = articulation(["t", "ˈ", "ɑ", "t", "ɑ", "t"])
    assert shape(told, 0.2).open > shape(told, 0.36).open + 0.1
    assert shape(told, 0.2).stress == 1 and shape(told, 0.36).stress == 0
    untold = articulation(["t", "ɑ", "t", "ɑ", "t"])
    assert shape(untold, 0.12).open == pytest.approx(shape(untold, 0.28).open, abs=0.02)


def test_marks_give_their_time_to_their_sounds():
    marked = articulation(["ˈ", "ɑ", "ː", "p"])
    plain = Articulation()
    plain.add([Phone("ˈɑ", 0, 0.24), Phone("p", 0.24, 0.32)], 0.0)
    for at_s in np.arange(0, 0.32, 0.02):
        assert shape(marked, at_s) == pytest.approx(shape(plain, at_s))


def test_sounds_that_come_in_parts_are_those_of_the_whole():
    symbols = [*"həloʊ ðɛɹ", "", *"wɛlkəm"]
    whole, parts = articulation(symbols), Articulation()
    for n in range(0, len(symbols), 3):
        parts.add(phones(symbols[n : n + 3], from_s=0.24 * (n // 3) - 0.1), 0.1)
    for at_s in np.arange(0, 1.2, FRAME_S):
        assert shape(parts, at_s) == pytest.approx(shape(whole, at_s), abs=0.02)


def test_what_is_told_late_of_a_time_that_is_known_is_told_once():
    at = articulation([*"bɑb"], 0.1)
    at.add(phones([*"uuu"], 0.1, from_s=-0.3), 0.3)
    assert shape(at, 0.15).open > 0.6 and abs(shape(at, 0.15).width) < 0.2


def test_what_is_told_again_counts_from_where_it_begins():
    at = articulation([*"bɑbɑ"], 0.1)
    at.add(phones([*"uuu"], 0.1, from_s=0.15), 0.0)
    assert shape(at, 0.05).close == 1 and shape(at, 0.12).open > 0.5
    assert shape(at, 0.25).close == 0 and shape(at, 0.3).width > 0.7


def test_of_a_voice_that_was_cut_off_nothing_is_left_when_the_next_one_is_told():
    at = articulation([*"bɑ"] * 20 + ["?"], 0.1)
    at.add(phones(["i", "t"], 0.2), 0.5)
    assert shape(at, 0.6).width < -0.6
    assert at.at(1.5) is None and not shape(at, 0.85).asks


def test_what_is_not_known_is_not_made_up():
    at = articulation([*"bɑ"], 0.1, from_s=1.0)
    assert at.at(0.8) is None and at.at(1.4) is None and at.at(1.1)
    assert Articulation().at(0.0) is None


@pytest.mark.parametrize(
    "symbols", [["HH", "AH", "L", "OW"], ["니", "하", "오"], ["\u2047x", "Q", "Q"]]
)
def test_another_alphabet_is_as_if_nothing_was_told(symbols):
    assert articulation(symbols).at(0.1) is None
    assert articulation(["həˈloʊ", ",", " ", "tʰuː"]).at(0.1)


def test_after_long_silence_the_mouth_is_shut():
    at = articulation(["ɑ", "", "ɑ"], 60.0)
    assert shape(at, 90.0) == SHUT


def test_letters_of_no_language_and_times_of_no_length_are_no_failure():
    at = articulation(["ɑ", "漢", "🙂", "ˈ", "", "b"])
    at.add([Phone("ɑ", 0.5, 0.5), Phone("p", 0.7, 0.6)], 0.0)
    assert shape(at, 0.04).open > 0.5


def test_a_question_is_seen_in_its_last_words():
    at = articulation([*"wɛɹɪzɪt", "?", ""], 0.2)
    assert [shape(at, at_s).asks for at_s in (0.3, 1.0, 1.39, 1.6)] == [False, True, True, True]
    assert not any(shape(articulation([*"ɪtɪz", ".", ""], 0.2), n / 5).asks for n in range(5))
