"""The guarded face, in virtual time: what is heard and seen of it whatever happens to it."""

import asyncio

import pytest
from pipecat.frames.frames import EndFrame, InterruptionFrame, MetricsFrame

from pipelines.guard import rules


async def test_a_face_that_is_well_says_everything_with_its_words(house):
    said = await house.say(1.0, 0.0, 0.5, 0.9)
    await house.wait(2)
    assert house.heard == said
    assert house.words == ["0.0", "0.5", "0.9"]
    assert not house.told and not house.why


async def test_the_voice_waits_for_no_face(open_house):
    async with open_house(comes_in_s=30) as house:
        said = await house.say(1.0, 0.0, 0.9)
        assert await house.until(lambda: house.heard, "a sound") < 0.2
        await house.wait(2)
        assert (house.heard, house.words) == (said, ["0.0", "0.9"])
        assert house.shown == "nobody"
        await house.until(lambda: house.shown == "puppet", "another face", rules.FACE_LATE_S)
        assert [told["type"] for told in house.told] == ["face-lost"]
        assert "late" in house.told[0]["text"] and house.told[0]["picture"]
        await house.until(lambda: house.shown == "face", "the face", 30)
        assert [told["type"] for told in house.told] == ["face-lost", "face-back"]


async def test_a_face_that_comes_in_a_sentence_waits_for_its_end(open_house):
    async with open_house(comes_in_s=2) as house:
        said = await house.say(4.0)
        await house.wait(3.9)
        assert house.shown == "nobody"
        assert await house.until(lambda: house.shown == "face", "the face") < 1
        assert house.heard == said and not house.told


async def test_a_face_that_does_not_come_in_a_sentence_is_replaced_after_it(open_house):
    async with open_house(dead=True) as house:
        house.next_face = {"dead": True}
        said = await house.say(2.0)
        await house.wait(1.9)
        assert house.shown == "nobody"
        await house.until(lambda: house.shown == "puppet", "the puppet", 1)
        assert house.heard == said and [told["type"] for told in house.told] == ["face-lost"]


async def test_a_conversation_that_ends_waits_for_no_face(open_house):
    async with open_house(comes_in_s=30) as house:
        await house.wait(0.5)
        start_s = house.loop.now_s
    assert house.loop.now_s - start_s < 1


@pytest.mark.parametrize("at_s", [round(0.1 + 0.2 * n, 2) for n in range(20)])
async def test_a_face_that_dies_in_an_utterance_costs_no_word(house, at_s):
    said = await house.say(4.0, *(0.5 * n for n in range(8)))
    await house.wait(at_s)
    before = len(house.heard)
    house.faces[0].dead = True
    took_s = await house.until(lambda: len(house.heard) > before, "the next sound")
    await house.wait(6)
    assert took_s < 0.4
    assert house.heard == said, "nothing is lost, nothing is said twice"
    assert house.words == [f"{0.5 * n}" for n in range(8)]
    assert "stands in" in house.told[0]["text"]


@pytest.mark.parametrize(
    ("failing", "why"),
    [
        pytest.param("mute", rules.MUTE, id="it is silent"),
        pytest.param("blind", rules.BLIND, id="it shows no picture"),
        pytest.param("black", rules.BLACKED, id="its picture is black"),
        pytest.param("still", rules.STILL, id="its picture stands still"),
    ],
)
async def test_a_face_that_fails_and_tells_nobody_is_noticed(house, failing, why):
    said = await house.say(8.0, 0.0, 5.0, 7.5)
    await house.wait(1)
    setattr(house.faces[0], failing, True)
    took_s = await house.until(lambda: house.why, "the loss")
    assert took_s < rules.ANSWER_S + 1 and house.why == [why.why]
    house.next_face = {"comes_in_s": 1}
    await house.wait(8)
    assert (house.heard, house.words) == (said, ["0.0", "5.0", "7.5"])


async def test_a_lost_face_is_left_at_once_and_tried_again(house):
    house.next_face = {"comes_in_s": 0.5}
    house.faces[0].dead = True
    await house.until(lambda: house.shown == "puppet", "the puppet", 1)
    await house.until(lambda: house.faces[0].is_closed, "the end of the lost face", 1)
    said = await house.say(3.0)
    await house.until(lambda: len(house.faces) == 2, "another try", 2)
    await house.wait(1.5)
    assert house.shown == "puppet", "not inside a sentence"
    await house.until(lambda: house.shown == "face", "the face again")
    assert house.heard == said
    assert [told["type"] for told in house.told] == ["face-lost", "face-back"]


async def test_a_face_that_does_not_come_back_is_tried_until_it_is_refused(house):
    house.next_face = {"dead": True}
    house.faces[0].dead = True
    await house.until(lambda: len(house.faces) == 5, "four tries", 20)
    house.faces[-1].refused = True
    await house.wait(20)
    assert len(house.faces) == 5
    assert house.shown == "puppet" and len(house.told) == 1


@pytest.mark.parametrize("why", ["", "LiveAvatar refused the key"])
async def test_a_face_that_is_refused_is_not_asked_for_again(open_house, why):
    async with open_house(dead=True, refused=True, why=why) as house:
        await house.until(lambda: house.shown == "puppet", "the puppet", 1)
        await house.wait(20)
        assert len(house.faces) == 1
        assert house.why == [why or "it did not come"]


async def test_who_stands_in_may_fail_too(house):
    house.next_face = {"comes_in_s": 30}
    said = await house.say(3.0, 1.0, 2.9)
    await house.wait(0.5)
    house.faces[0].dead = True
    await house.wait(0.5)
    house.stand_ins[0].dead = True
    await house.until(lambda: house.shown == "portrait", "the portrait", 1)
    await house.wait(0.5)
    house.stand_ins[1].dead = True
    await house.wait(4)
    assert house.shown == "nobody"
    assert (house.heard, house.words) == (said, ["1.0", "2.9"])


async def test_who_stands_in_and_is_not_there_at_once_comes_in_a_pause(house):
    house.next_face, house.stand_in_takes_s = {"comes_in_s": 60}, 1.5
    said = await house.say(4.0)
    await house.wait(0.5)
    house.faces[0].dead = True
    await house.until(lambda: house.told, "the loss", 1)
    assert not house.told[0]["picture"]
    await house.wait(2.5)
    assert house.shown == "nobody", "not inside a sentence"
    await house.until(lambda: house.shown == "puppet", "the puppet", 3)
    assert house.heard == said and house.told[1]["picture"]


async def test_who_stands_in_and_cannot_be_built_takes_no_word_along(house):
    house.stand_in_breaks = True
    said = await house.say(3.0, 1.0, 2.9)
    await house.wait(0.5)
    house.faces[0].dead = True
    await house.wait(4)
    assert (house.heard, house.words) == (said, ["1.0", "2.9"])
    assert [told["type"] for told in house.told] == ["face-lost"] and not house.told[0]["picture"]
    assert house.faces[0].is_closed


async def test_who_is_about_to_stand_in_is_left_when_the_conversation_is_cancelled(house):
    house.stand_in_takes_s = 30
    house.faces[0].dead = True
    await house.until(lambda: house.stand_ins, "somebody who stands in", 1)
    cancelling = asyncio.create_task(house.worker.cancel())
    await house.until(lambda: house.stand_ins[0].is_closed, "their end", 1)
    await cancelling


async def test_an_interruption_is_not_taken_up_by_the_next_face(house):
    await house.say(3.0, 0.0, 2.5)
    await house.wait(1)
    await house.worker.queue_frame(InterruptionFrame())
    await house.wait(0.2)
    before = house.heard
    house.faces[0].dead = True
    said = await house.say(1.0, 0.5)
    await house.wait(2)
    assert house.heard == before + said
    assert house.words == ["0.0", "0.5"]


async def test_an_interruption_comes_through_a_face_that_keeps_it(house):
    await house.say(3.0)
    await house.wait(1)
    house.faces[0].stuck = True
    await house.worker.queue_frame(InterruptionFrame())
    await house.wait(0.2)
    before = len(house.heard)
    house.faces[0].dead = True
    await house.until(lambda: house.shown == "puppet", "the puppet", 1)
    seen = [frame for _, frame in house.audience.seen if isinstance(frame, InterruptionFrame)]
    assert len(seen) == 1 and len(house.heard) == before


async def test_figures_that_have_left_a_face_do_not_leave_it_again(house):
    figures = MetricsFrame(data=[])
    await house.worker.queue_frame(figures)
    await house.wait(0.5)
    house.faces[0].dead = True
    await house.until(lambda: house.shown == "puppet", "the puppet", 1)
    assert [frame for _, frame in house.audience.seen].count(figures) == 1


async def test_a_session_that_ends_is_followed_by_another_in_a_pause(open_house):
    async with open_house(lasts_s=30) as house:
        await house.until(lambda: house.shown == "face", "the face")
        house.next_face = {"lasts_s": 60, "comes_in_s": 0.5}
        await house.until(lambda: len(house.faces) == 2, "the next session", 30)
        said = await house.say(2.0)
        await house.wait(1.5)
        assert not house.faces[0].is_closed, "not inside a sentence"
        await house.wait(20)
        assert house.faces[0].is_closed and not house.faces[1].is_closed
        assert house.heard == said and not house.told and house.shown == "face"


async def test_a_face_that_dies_while_the_next_one_comes_is_not_asked_for_a_third_time(open_house):
    async with open_house(lasts_s=30) as house:
        await house.until(lambda: house.shown == "face", "the face")
        house.next_face = {"lasts_s": 60, "comes_in_s": 6}
        await house.until(lambda: len(house.faces) == 2, "the next session", 30)
        house.faces[0].dead = True
        await house.until(lambda: house.shown == "puppet", "the puppet", 1)
        await house.until(lambda: house.shown == "face", "the next face", 10)
        await house.wait(20)
        assert len(house.faces) == 2 and house.shown == "face"


async def test_a_conversation_that_ends_begins_no_other_session(open_house):
    async with open_house(lasts_s=30) as house:
        await house.until(lambda: house.shown == "face", "the face")
        await house.wait(15)
        said = await house.say(8.0)
        await house.worker.queue_frame(EndFrame())
        await house.until(lambda: house.faces[0].is_closed, "the end", 10)
        assert house.heard == said and len(house.faces) == 1


async def test_a_session_that_ends_in_a_long_answer_is_followed_in_mid_sentence(open_house):
    async with open_house(lasts_s=30) as house:
        await house.wait(5)
        house.next_face = {"lasts_s": 60}
        said = await house.say(30.0)
        await house.wait(35)
        assert house.heard == said and not house.told


async def test_without_another_session_the_user_is_told_in_time(open_house):
    async with open_house(rolls_over=False, lasts_s=30) as house:
        await house.until(lambda: house.told, "the warning", 30)
        assert house.loop.now_s < 1 + 30 - 5
        assert [told["type"] for told in house.told] == ["notice"]
        await house.wait(15)
        assert len(house.faces) == 1 and house.shown == "puppet"
