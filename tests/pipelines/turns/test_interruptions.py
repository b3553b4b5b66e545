"""Taking the floor from the avatar: by a command, by words, by a key, and when."""

import pytest

from tests.pipelines.turns.played import LOUD
from tests.pipelines.turns.room import LONG, QUESTION, SHORT, Room
from tests.pipelines.turns.sounds import voice

pytestmark = pytest.mark.patient

OBJECTION = "I would rather hear about the sea."


def is_cut_off(room: Room) -> None:
    """The long answer was begun, and only what was heard of it is kept."""
    room.agreed()
    (text,) = (text for who, text in room.history if who == "avatar" and LONG.startswith(text))
    assert 0 < len(text.split()) < len(LONG.split())


@pytest.mark.parametrize(
    ("word", "name"),
    [("Stop.", "joe"), ("Stop.", "heart"), ("Wait.", "joe"), ("Wait.", "low"), ("No.", "low")],
)
async def test_a_command_silences_it_at_once(room, word, name):
    await room.speaking()
    room.mind.answer = SHORT
    end_s = await room.say(voice(word, name))
    await room.wait(0.15)
    cut_s = room.interruptions[-1]
    assert cut_s - end_s < 0.15
    assert max(room.loudness(cut_s + 0.08, end_s + 0.2), default=0) < LOUD
    await room.answer(end_s)
    await room.quiet()
    is_cut_off(room)


async def test_an_interruption_is_lowered_for_at_once_and_then_given_the_floor(room):
    await room.speaking()
    usual = max(room.loudness(0))
    begin_s = room.now_s
    room.mind.answer = SHORT
    end_s = await room.say(voice(OBJECTION))
    cut_s = room.interruptions[-1]
    assert cut_s - begin_s < 0.8
    assert max(room.loudness(begin_s + 0.25, cut_s)) < usual / 3
    await room.answer(end_s)
    await room.quiet()
    assert "sea" in room.mind.asked[-1]
    is_cut_off(room)
    assert room.history[-1] == ("avatar", SHORT)


async def test_a_question_that_is_gone_on_with_before_the_first_sound_is_answered_whole(room):
    room.mind.thinks_s = 1.0
    end_s = await room.say(voice(QUESTION))
    await room.until(lambda: room.history, "turn")
    assert not room.first_sound(end_s)
    end_s = await room.say(voice("I mean, in the mountains."))
    await room.answer(end_s)
    await room.quiet()
    (_, said), answer = room.agreed()
    assert "mountains" in said and answer == ("avatar", SHORT)


async def test_the_greeting_can_be_interrupted(room):
    room.host.user_came(None)
    await room.answer(room.now_s)
    await room.wait(0.5)
    end_s = await room.say(voice("What can you do for me today?"))
    await room.answer(end_s)
    await room.quiet()
    (_, greeting), (_, question), answer = room.agreed()
    assert greeting.startswith("Hello,") and not greeting.endswith("come.")
    assert "today" in question.replace("-", "") and answer == ("avatar", SHORT)


async def test_a_key_silences_it_within_150_ms_and_nothing_is_answered(room):
    await room.speaking()
    pressed_s = room.now_s
    await room.press("interrupt")
    await room.wait(1.5)
    assert max(room.loudness(pressed_s + 0.15), default=0) < LOUD
    is_cut_off(room)
    assert len(room.history) == 2
    room.mind.answer = SHORT
    await room.answer(await room.say(voice(QUESTION)))
    await room.quiet()
    assert room.agreed()[-1] == ("avatar", SHORT)
