"""What is no turn: signs of listening, coughs, doors, laughs, and the avatar's own voice."""

import pytest

from tests.pipelines.turns.room import LONG, QUESTION, SHORT, Room
from tests.pipelines.turns.sounds import cough, hum, laugh, silence, slam, voice

pytestmark = pytest.mark.patient

SIGNS = ("Yeah.", "Okay.", "Right.", "I see.")
NOISES = {"cough": cough(), "door": slam(), "laugh": laugh(), "mm-hm": hum()}
noises = pytest.mark.parametrize("sound", NOISES.values(), ids=NOISES)


def is_as_loud_as_before(room: Room) -> bool:
    """Whether what was heard just now is not lowered."""
    return max(room.loudness(room.now_s - 0.8)) > max(room.loudness(0)) / 3


@pytest.mark.parametrize(("name", "gain"), [("joe", 0.5), ("heart", 0.3), ("low", 0.8)])
async def test_signs_of_listening_leave_the_avatar_speaking(room, name, gain):
    await room.speaking(0.6)
    before = len(room.interruptions)
    for word in SIGNS:
        await room.say(voice(word, name, gain))
        await room.wait(0.8)
        assert room.goes_on(), word
    assert len(room.interruptions) == before
    assert len(room.backchannels) == len(SIGNS)
    await room.quiet()
    assert room.agreed()[1:] == [("avatar", LONG)]


@noises
async def test_a_sound_without_words_leaves_it_speaking_as_loud_as_before(room, sound):
    await room.speaking()
    before = len(room.interruptions)
    await room.say(sound)
    await room.wait(1)
    assert len(room.interruptions) == before and room.goes_on()
    assert is_as_loud_as_before(room)
    await room.quiet()
    assert room.agreed()[1:] == [("avatar", LONG)]


async def test_noises_during_the_greeting_leave_it_speaking(room):
    room.host.user_came(None)
    await room.answer(room.now_s)
    for sound in (cough(), hum(), slam()):
        await room.say(sound, silence(0.4))
    await room.quiet()
    assert not room.interruptions
    ((_, greeting),) = room.agreed()
    assert greeting.endswith("come.")


@pytest.mark.parametrize("sound", [cough(), slam(), laugh()], ids=["cough", "door", "laugh"])
async def test_noises_are_no_turn_before_and_after_an_answer(room, sound):
    await room.say(sound, silence(1))
    assert not room.history and not room.interruptions
    await room.answer(await room.say(voice(QUESTION)))
    await room.quiet(0.8)
    await room.say(sound, silence(1))
    assert room.agreed() == [("user", QUESTION), ("avatar", SHORT)]


@pytest.mark.parametrize("word", ["Yeah.", "Okay.", "Right."])
async def test_the_same_words_are_an_answer_when_the_avatar_is_silent(room, word):
    for _ in range(2):
        await room.answer(await room.say(voice(word)))
        await room.quiet(0.8)
    assert [who for who, _ in room.agreed()] == ["user", "avatar"] * 2


async def test_the_avatar_that_hears_itself_finishes_its_sentences(room):
    room.microphone.echo = 0.1  # -20 dB
    await room.answer(await room.say(voice(QUESTION)))
    room.mind.answer = LONG
    await room.quiet(0.8)
    await room.answer(await room.say(voice("Tell me about the mountains.")))
    await room.quiet()
    assert room.agreed()[-1] == ("avatar", LONG)
    assert len(room.history) == 4


async def test_the_avatar_that_hears_itself_can_be_interrupted(room):
    room.microphone.echo = 0.1
    await room.speaking()
    room.mind.answer = SHORT
    end_s = await room.say(voice("I would rather hear about the sea."))
    assert room.interruptions[-1] < end_s
    await room.answer(end_s)
    await room.quiet()
    assert "sea" in room.mind.asked[-1]
    assert room.agreed()[-1] == ("avatar", SHORT)
