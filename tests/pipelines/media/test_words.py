"""Words that wait for the voice."""

from pipecat.frames.frames import (
    LLMFullResponseEndFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
)
from pipecat.utils.text.base_text_aggregator import TextType

from pipelines.media.words import NS, Words

NOW = 5_000_000_000


def voice(duration_s):
    return TTSAudioRawFrame(bytes(2 * round(24_000 * duration_s)), 24_000, 1)


def word(text, at_s, now_ns=NOW):
    frame = TTSTextFrame(text, TextType.WORD)
    frame.pts = now_ns + round(at_s * NS)
    return frame


def texts(frames):
    return [frame.text for frame in frames]


def given(words, duration_s, *told):
    words.give(voice(duration_s), NOW)
    for frame in told:
        words.hold(frame, NOW)
    return words


def test_a_word_is_let_go_with_the_sound_it_begins_in():
    words = given(Words(), 1, word("one", 0.0), word("two", 0.1), word("three", 0.5))
    said = [texts(words.until(0.04 * n)) for n in range(1, 15)]
    assert [n for n, due in enumerate(said) if due] == [0, 2, 12]
    assert sum(said, []) == ["one", "two", "three"]


def test_what_is_let_go_travels_with_the_sound():
    words = given(Words(), 1, word("one", 0.0))
    assert [frame.pts for frame in words.until(0.04)] == [None]


def test_words_that_come_before_their_voice_wait_for_it():
    words = Words()
    words.hold(word("one", 0.2), NOW)
    assert not words.until(0)
    words.give(voice(1), NOW)
    assert texts(words.until(0.5)) == ["one"]


def test_a_gap_in_the_voice_holds_the_words_back():
    words = given(Words(), 1, word("one", 0.0), word("two", 1.1))
    assert texts(words.until(1)) == ["one"]
    words.give(voice(1), NOW + round(4 * NS))
    assert not words.until(1.04)
    assert texts(words.until(1.16)) == ["two"]


def test_the_next_voice_counts_anew():
    words = given(Words(), 1, word("one", 0.0))
    words.end()
    later = NOW + round(9 * NS)
    words.give(voice(1), later)
    words.hold(word("two", 0.3, later), later)
    assert texts(words.until(1.2)) == ["one"]
    assert texts(words.until(1.31)) == ["two"]


def test_the_end_of_an_answer_comes_after_its_last_word_and_never_later_than_the_voice():
    words = given(Words(), 1, word("one", 0.0), word("late", 3.0))
    end = LLMFullResponseEndFrame()
    end.pts = NOW + round(3 * NS)
    words.end()
    words.hold(end, NOW)
    *spoken, last = words.until(1)
    assert texts(spoken) == ["one", "late"] and last is end


def test_an_interruption_forgets_what_was_not_said():
    kept = word("kept", 0.8)
    kept.interruptible = False
    words = given(Words(), 1, word("one", 0.0), word("two", 0.5), kept)
    assert texts(words.until(0.04)) == ["one"]
    assert words.interrupt() == [kept]
    assert not words.until(2)
