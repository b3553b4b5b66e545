"""A microphone that is turned off: time goes on for whoever has spoken."""

import pytest

from tests.pipelines.turns.room import LONG, QUESTION, SHORT
from tests.pipelines.turns.sounds import RATE, silence, voice

pytestmark = pytest.mark.patient


@pytest.mark.parametrize("text", [QUESTION, "Yes.", "I would like to go to the"])
async def test_who_turns_the_microphone_off_after_speaking_is_answered(room, text):
    end_s = await room.say(voice(text))
    room.microphone.is_off = True
    assert await room.answer(end_s) - end_s < 1.3
    await room.quiet()
    assert [who for who, _ in room.agreed()] == ["user", "avatar"]


async def test_who_is_known_to_have_turned_it_off_is_answered_as_soon_as_ever(room):
    room.ears.muted = lambda: room.microphone.is_off
    end_s = await room.say(voice(QUESTION))
    room.microphone.is_off = True
    assert await room.answer(end_s) - end_s < 0.8
    await room.quiet()
    assert [who for who, _ in room.agreed()] == ["user", "avatar"]


@pytest.mark.parametrize("stands_s", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("at_s", [0.3, 0.6])
async def test_a_network_that_stands_still_within_a_sentence_ends_no_turn(room, at_s, stands_s):
    said = voice(QUESTION)
    cut = round(at_s * RATE)
    await room.say(said[:cut])
    room.microphone.is_off = True
    await room.wait(stands_s)
    room.microphone.is_off = False
    await room.say_at_once(said[cut:][: round(stands_s * RATE)])
    await room.answer(await room.say(said[cut:][round(stands_s * RATE) :]))
    await room.quiet()
    assert room.agreed() == [("user", QUESTION), ("avatar", SHORT)]
    assert room.mind.asked == [QUESTION]


async def test_a_turn_is_kept_for_good_although_no_sound_comes(room):
    end_s = await room.say(voice(QUESTION))
    room.microphone.is_off = True
    await room.answer(end_s)
    await room.wait(0.8)
    room.file.seek(0)
    assert QUESTION in room.file.read()


async def test_what_is_said_before_and_after_the_microphone_was_off_are_two_turns(room):
    room.mind.answer = "Fine."
    for text in (QUESTION, "Where do you come from?"):
        room.microphone.is_off = False
        end_s = await room.say(voice(text))
        room.microphone.is_off = True
        await room.answer(end_s)
        await room.quiet(1)
    assert [who for who, _ in room.agreed()] == ["user", "avatar"] * 2


async def test_an_avatar_that_was_lowered_is_raised_when_the_microphone_goes_off(room):
    room.ears.muted = lambda: room.microphone.is_off
    await room.speaking()
    usual = max(room.loudness(0))
    await room.say(voice("Yeah."), silence(0.06))
    room.microphone.is_off = True
    assert max(room.loudness(room.now_s - 0.1)) < usual / 3
    await room.wait(1)
    assert max(room.loudness(room.now_s - 0.3)) > usual / 3
    await room.quiet()
    assert room.agreed()[-1] == ("avatar", LONG)


async def test_who_holds_a_button_to_talk_is_answered_when_it_is_let_go(room):
    room.microphone.is_muted = True
    await room.press("microphone", muted=True)
    await room.wait(0.3)
    for text in (QUESTION, "Where do you come from?"):
        room.microphone.is_muted = False
        await room.press("microphone", muted=False)
        end_s = await room.say(voice(text))
        room.microphone.is_muted = True
        await room.press("microphone", muted=True)
        assert await room.answer(end_s) - end_s < 1.1
        await room.quiet(0.8)
    assert room.agreed()[1::2] == [("avatar", SHORT)] * 2
