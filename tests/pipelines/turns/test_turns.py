"""Taking turns: real speech, real ears, and when a turn is over."""

import pytest

from tests.pipelines.turns.room import LONG, QUESTION, SHORT, Room
from tests.pipelines.turns.sounds import RATE, VOICES, cough, silence, voice

pytestmark = pytest.mark.patient

SHORT_WORDS = (
    "Yes.", "No.", "Sure.", "Okay.", "Right.", "Thanks.", "Yeah.", "Stop.", "Wait.", "What?",
    "Hello.", "Goodbye.", "Tomorrow.",
)  # fmt: skip
BRIEF = "Fine."


def avatar_has_the_last_word(room: Room) -> None:
    """Every turn of the user's has one answer, and all who keep a record agree."""
    said = room.agreed()
    assert [who for who, _ in said] == ["user", "avatar"] * (len(said) // 2)


@pytest.mark.parametrize("name", VOICES)
async def test_a_question_is_answered_when_the_signs_agree(room, name):
    end_s = await room.say(voice(QUESTION, name))
    assert await room.answer(end_s) - end_s < 1.1
    await room.quiet()
    assert room.agreed() == [("user", QUESTION), ("avatar", SHORT)]


@pytest.mark.drawn
@pytest.mark.parametrize(("name", "gain"), [("joe", 0.5), ("heart", 0.2), ("low", 0.9)])
async def test_words_alone_are_heard_and_answered_at_once(room, name, gain):
    room.mind.answer = BRIEF
    late = {}
    for word in SHORT_WORDS:
        end_s = await room.say(voice(word, name, gain))
        late[word] = await room.answer(end_s) - end_s
        await room.quiet(0.75)  # who goes on sooner goes on with the same turn
    avatar_has_the_last_word(room)
    assert len(room.history) == 2 * len(SHORT_WORDS)
    # What the ears take for another word waits for the end-of-turn model.
    assert sum(late_s < 0.45 for late_s in late.values()) >= len(SHORT_WORDS) - 2, late
    assert max(late.values()) < 0.8


@pytest.mark.parametrize("name", VOICES[:2])
@pytest.mark.parametrize("gap_s", [0.1, 0.2, 0.4, 0.8])
async def test_who_goes_on_is_not_talked_over_and_answered_once(room, gap_s, name):
    begin_s = room.now_s
    parts = voice("I would like to know", name), silence(gap_s), voice("what you can do.", name)
    end_s = await room.say(*parts)
    await room.answer(end_s)
    await room.quiet()
    assert gap_s > 0.5 or room.first_sound(begin_s) > end_s
    (_, said), answer = room.agreed()
    words = said.lower().replace(",", "").rstrip(".?")
    assert words == "i would like to know what you can do"
    assert answer == ("avatar", SHORT)


@pytest.mark.parametrize("gap_s", [0.1, 0.3, 0.5])
async def test_two_utterances_in_quick_succession_are_answered_once(room, gap_s):
    parts = voice("I am back."), silence(gap_s), voice("Did you wait for me?")
    end_s = await room.say(*parts)
    await room.answer(end_s)
    await room.quiet()
    (_, said), answer = room.agreed()
    assert "back" in said and "wait for me" in said
    assert answer == ("avatar", SHORT)


async def test_a_turn_that_was_cut_off_goes_on_and_its_answer_is_forgotten(room):
    begin_s = room.now_s
    await room.answer(await room.say(voice(QUESTION)))
    assert room.first_sound(begin_s)
    end_s = await room.say(voice("And what can you not do?"))
    await room.answer(end_s)
    await room.quiet()
    (user, said), answer = room.agreed()
    assert user == "user" and said.lower().count("what can you") == 2
    assert answer == ("avatar", SHORT)
    assert room.first_sound(end_s)


async def test_who_was_cut_off_is_given_more_time(room):
    unfinished = voice("I would like to go to the")
    end_s = await room.say(unfinished)
    first_s = await room.answer(end_s) - end_s
    end_s = await room.say(unfinished)
    assert await room.answer(end_s) - end_s > first_s + 0.3


async def test_a_long_pause_within_a_sentence_is_granted(room):
    begin_s = room.now_s
    end_s = await room.say(voice("I would like to go to the"), silence(0.9), voice("mountains."))
    await room.answer(end_s)
    assert room.first_sound(begin_s) > end_s
    await room.quiet()
    assert len(room.agreed()) == 2


async def test_a_question_after_a_call_is_heard_although_the_avatar_has_just_begun(room):
    room.mind.answer = LONG
    begin_s = room.now_s
    call, question = voice("Hello."), voice("Who are you?") / 3
    end_s = await room.say(call, silence(0.3), question)
    assert room.first_sound(begin_s) < end_s - len(question) / RATE
    await room.answer(end_s)
    await room.quiet()
    (user, said), answer = room.agreed()
    assert user == "user" and said.startswith("Hello") and "you" in said
    assert answer == ("avatar", LONG)


async def test_digits_are_waited_for(room):
    begin_s = room.now_s
    groups = voice("My number is four seven two."), silence(0.7), voice("Nine one one.")
    end_s = await room.say(*groups)
    await room.answer(end_s)
    assert room.first_sound(begin_s) > end_s
    await room.quiet()
    assert len(room.agreed()) == 2


async def test_who_answers_a_question_that_was_just_asked_is_answered(room):
    room.mind.answer = "Shall I go on?"
    await room.answer(await room.say(voice(QUESTION)))
    await room.quiet(0.2)
    end_s = await room.say(voice("Okay."))
    room.mind.answer = SHORT
    await room.answer(end_s)
    await room.quiet()
    avatar_has_the_last_word(room)
    assert len(room.history) == 4


async def test_a_cough_before_the_first_sound_does_not_keep_it_from_answering(room):
    end_s = await room.say(voice(QUESTION), silence(0.2), cough())
    await room.answer(end_s - 0.5)
    await room.quiet()
    assert room.agreed()[-1] == ("avatar", SHORT)
