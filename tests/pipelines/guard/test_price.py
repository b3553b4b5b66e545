"""A face that is paid for, in virtual time: it is there while somebody sees it."""

from contextlib import asynccontextmanager
from functools import partial

import pytest

from pipelines.guard import rules
from pipelines.guard.price import PaidFace


@pytest.fixture
def paid_house(open_house):
    """Opens a house with a face that is paid for; gives its guard, too."""

    @asynccontextmanager
    async def opened(early=False, **face):
        async with open_house(guard=partial(PaidFace, early=early), **face) as house:
            assert isinstance(house.guard, PaidFace)
            yield house, house.guard

    return opened


async def test_no_face_is_paid_for_before_anybody_is_there(paid_house):
    async with paid_house() as (house, guard):
        said = await house.say(1.0)
        await house.wait(70)
        assert not house.faces and not house.told and house.shown == "nobody"
        assert house.heard == said
        guard.user_came()
        guard.user_came()
        await house.until(lambda: house.shown == "face", "the face", 2)
        assert len(house.faces) == 1 and not house.told


async def test_where_speed_matters_more_it_is_begun_early(paid_house):
    async with paid_house(early=True) as (house, guard):
        await house.until(lambda: house.shown == "face", "the face", 2)
        guard.user_came()
        await house.wait(1)
        assert len(house.faces) == 1


async def test_the_face_of_a_user_who_is_gone_is_left_at_once_and_another_comes_back(paid_house):
    async with paid_house() as (house, guard):
        guard.user_came()
        await house.until(lambda: house.shown == "face", "the face", 2)
        await guard.user_left()
        await house.until(lambda: house.faces[0].is_closed, "its end", 0.1)
        said = await house.say(1.0, 0.5)
        await house.wait(30)
        assert len(house.faces) == 1 and not house.told
        assert (house.heard, house.words) == (said, ["0.5"]), "the conversation goes on"
        guard.user_came()
        await house.until(lambda: house.shown == "face", "another face", 2)
        assert len(house.faces) == 2 and not house.faces[1].is_closed


async def test_a_face_that_is_still_coming_is_left_too(paid_house):
    async with paid_house(comes_in_s=5) as (house, guard):
        guard.user_came()
        await house.wait(1)
        await guard.user_left()
        await house.until(lambda: house.faces[0].is_closed, "its end", 0.1)
        await house.wait(rules.SETUP_S)
        assert len(house.faces) == 1 and not house.told


async def test_a_lost_face_is_not_tried_again_while_nobody_sees_it(paid_house):
    async with paid_house() as (house, guard):
        guard.user_came()
        await house.until(lambda: house.shown == "face", "the face", 2)
        house.next_face = {"dead": True}
        house.faces[0].dead = True
        await house.until(lambda: house.shown == "puppet", "the puppet", 2)
        await guard.user_left()
        tried = len(house.faces)
        await house.wait(90)
        assert len(house.faces) == tried and house.shown == "puppet"
        house.next_face = {}
        guard.user_came()
        await house.until(lambda: house.shown == "face", "the face", 2)
        assert [told["type"] for told in house.told] == ["face-lost", "face-back"]


async def test_a_face_that_was_refused_is_not_asked_for_by_who_comes_back(paid_house):
    async with paid_house(dead=True, refused=True) as (house, guard):
        guard.user_came()
        await house.until(lambda: house.shown == "puppet", "the puppet", 2)
        await guard.user_left()
        guard.user_came()
        await house.wait(20)
        assert len(house.faces) == 1


async def test_no_session_follows_one_that_ends_while_nobody_is_there(paid_house):
    async with paid_house(lasts_s=30) as (house, guard):
        guard.user_came()
        await house.until(lambda: house.shown == "face", "the face", 2)
        house.next_face = {"lasts_s": 60, "comes_in_s": 5}
        await house.until(lambda: len(house.faces) == 2, "the next session", 30)
        await guard.user_left()
        await house.until(lambda: all(face.is_closed for face in house.faces), "both ends", 0.1)
        await house.wait(40)
        assert len(house.faces) == 2
