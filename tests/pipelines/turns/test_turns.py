"""Taking turns: real speech, real ears, and who has the floor afterwards."""

import numpy as np
import pytest

from tests.pipelines.turns.room import LONG, LOUD, RATE, Room, open_room, silence, voice

SHORT = "Certainly, here you are."
QUESTION = "What can you do?"


@pytest.fixture
async def room(tmp_path):
    async with open_room(tmp_path) as room:
        room.mind.answers = [SHORT]
        yield room


async def speaking(room: Room, after_s: float = 1.5) -> None:
    """Let the avatar begin a long answer."""
    room.mind.answers = [LONG]
    await room.answer(await room.say(voice(QUESTION)))
    await room.wait(after_s)


def goes_on(room: Room, for_s: float = 0.5) -> bool:
    """Whether the avatar has been heard just now."""
    return room.first_sound(room.clock.now_s - for_s) is not None


def agree(room: Room) -> list[tuple[str, str]]:
    """History and transcript, which say the same."""
    history = [(role.replace("assistant", "avatar"), text) for role, text in room.history]
    assert history == room.written
    return history


def cough() -> np.ndarray:
    """Two bursts of noise that die away."""
    chance = np.random.default_rng(4)
    time_s = np.arange(round(0.25 * RATE)) / RATE
    burst = chance.normal(size=len(time_s)) * 6000 * np.exp(-time_s * 18)
    return np.concatenate([burst, silence(0.08), burst])


def hum() -> np.ndarray:
    """Mm-hm with a shut mouth: two humming notes, the second one higher."""
    notes = []
    for hertz, length_s in ((110, 0.18), (150, 0.22)):
        time_s = np.arange(round(length_s * RATE)) / RATE
        waves = sum(np.sin(2 * np.pi * hertz * n * time_s) / n**1.5 for n in range(1, 9))
        notes.append(5000 * waves * np.hanning(len(time_s)) ** 0.5)
    return np.concatenate([notes[0], silence(0.04), notes[1]])


async def test_a_question_is_answered_when_the_signs_agree(room):
    end_s = await room.say(voice(QUESTION))
    assert await room.answer(end_s) - end_s < 1.1
    await room.quiet()
    assert agree(room) == [("user", QUESTION), ("avatar", SHORT)]


@pytest.mark.parametrize("word", ["Yes.", "No.", "Sure.", "Okay.", "Right.", "Hello.", "Stop."])
async def test_a_word_alone_is_heard_and_answered_at_once(room, word):
    end_s = await room.say(voice(word))
    assert await room.answer(end_s) - end_s < 0.45
    await room.quiet()
    assert [role for role, _ in agree(room)] == ["user", "avatar"]


@pytest.mark.parametrize("gap_s", [0.1, 0.2, 0.4, 0.8])
async def test_who_goes_on_is_not_talked_over_and_answered_once(room, gap_s):
    begin_s = room.clock.now_s
    parts = voice("I would like to know"), silence(gap_s), voice("what you can do.")
    end_s = await room.say(*parts)
    await room.answer(end_s)
    await room.quiet()
    assert gap_s > 0.5 or room.first_sound(begin_s) > end_s
    assert agree(room) == [("user", "I would like to know what you can do."), ("avatar", SHORT)]


async def test_a_turn_that_was_cut_off_goes_on_and_its_answer_is_forgotten(room):
    begin_s = room.clock.now_s
    await room.answer(await room.say(voice("What can you do?")))
    assert room.first_sound(begin_s)
    end_s = await room.say(voice("And what can you not do?"))
    await room.answer(end_s)
    await room.quiet()
    (user, said), answer = agree(room)
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
    begin_s = room.clock.now_s
    end_s = await room.say(voice("I would like to go to the"), silence(0.9), voice("mountains."))
    await room.answer(end_s)
    assert room.first_sound(begin_s) > end_s


async def test_digits_are_waited_for(room):
    begin_s = room.clock.now_s
    groups = voice("My number is four seven two."), silence(0.7), voice("Nine one one.")
    end_s = await room.say(*groups)
    await room.answer(end_s)
    assert room.first_sound(begin_s) > end_s
    await room.quiet()
    assert len(agree(room)) == 2


@pytest.mark.parametrize("word", ["Yeah.", "Okay.", "Right.", "I see."])
async def test_a_sign_of_listening_leaves_the_avatar_speaking(room, word):
    await speaking(room)
    before = len(room.interruptions)
    await room.say(voice(word))
    await room.wait(1)
    assert len(room.interruptions) == before and goes_on(room)
    assert len(room.backchannels) == 1
    await room.quiet()
    assert agree(room)[1:] == [("avatar", LONG)]


@pytest.mark.parametrize("sound", [cough(), hum()], ids=["cough", "mm-hm"])
async def test_a_sound_without_words_leaves_it_speaking_as_loud_as_before(room, sound):
    await speaking(room)
    before = len(room.interruptions)
    await room.say(sound)
    await room.wait(1)
    assert len(room.interruptions) == before and goes_on(room)
    loud = max(level for _, level in room.loudness(room.clock.now_s - 0.8))
    usual = max(level for _, level in room.loudness(0))
    assert loud > usual / 3


async def test_a_cough_before_the_first_sound_does_not_keep_it_from_answering(room):
    end_s = await room.say(voice(QUESTION), silence(0.2), cough())
    await room.answer(end_s - 0.5)
    await room.quiet()
    assert agree(room)[-1] == ("avatar", SHORT)


async def test_a_cough_is_no_turn_when_nobody_speaks(room):
    await room.say(cough())
    await room.wait(2)
    assert not room.history and not room.interruptions


@pytest.mark.parametrize("word", ["Stop.", "Wait.", "No."])
async def test_a_command_silences_it_at_once(room, word):
    await speaking(room)
    end_s = await room.say(voice(word))
    await room.wait(0.15)
    (cut_s,) = sorted(set(room.interruptions))[-1:]
    assert cut_s - end_s < 0.15
    assert not any(level > LOUD for _, level in room.loudness(cut_s + 0.08, end_s + 0.2))


async def test_an_interruption_is_lowered_for_at_once_and_then_given_the_floor(room):
    await speaking(room)
    usual = max(level for _, level in room.loudness(0))
    begin_s = room.clock.now_s
    await room.say(voice("I would rather hear about the sea."))
    cut_s = room.interruptions[-1]
    assert cut_s - begin_s < 0.8
    lowered = max(level for _, level in room.loudness(begin_s + 0.25, cut_s))
    assert lowered < usual / 3
    await room.wait(2)
    assert "sea" in room.mind.asked[-1]


async def test_who_answers_a_question_that_was_just_asked_is_answered(room):
    room.mind.answers = ["Shall I go on?"]
    await room.answer(await room.say(voice(QUESTION)))
    await room.quiet(0.2)
    end_s = await room.say(voice("Okay."))
    room.mind.answers = [SHORT]
    await room.answer(end_s)
    await room.quiet()
    assert [role for role, _ in agree(room)] == ["user", "avatar"] * 2


async def test_the_avatar_that_hears_itself_finishes_its_sentences(room):
    room.microphone.echo = 0.1  # -20 dB
    await room.answer(await room.say(voice(QUESTION)))
    room.mind.answers = [LONG]
    await room.quiet()
    await room.answer(await room.say(voice("Tell me about the mountains.")))
    await room.quiet()
    assert agree(room)[-1] == ("avatar", LONG)
    assert len(room.history) == 4
