"""One LiveKit room for all visitors: who comes and who goes, and what becomes of the avatar."""

import asyncio
import contextlib
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from tests.doorkeeper import env_of, show_out
from tests.talk.app import SMALL, running_app
from tests.talk.guest import Guest
from tests.talk.test_rooms import guest_in, silence, start

ROOM = "reception"
pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(livekit, brief, tmp_path_factory):
    """A server whose visitors all meet in one room."""
    env = {**env_of(livekit), "LIVEKIT_ROOM_NAME": ROOM, "AVATAR_LOG_LEVEL": "INFO"}
    flags = (*SMALL, "--avatar", "none", "--transport", "livekit", "--persona", str(brief))
    async with running_app(tmp_path_factory.mktemp("app"), *flags, env=env) as app:
        yield app


def avatars(guest: Guest) -> list[str]:
    """Who in the room is no user."""
    return [identity for identity in guest.room.remote_participants if identity[:4] != "User"]


async def answered(guest: Guest) -> None:
    """Write something until it is answered: who has just come may write into nothing."""
    asked_s = guest.last_loud_at
    async with asyncio.timeout(60):
        while guest.last_loud_at <= asked_s:
            await guest.write("Thanks for your help.")
            with contextlib.suppress(TimeoutError):
                await guest.until(lambda: guest.last_loud_at > asked_s)


@asynccontextmanager
async def two_guests(app):
    """Two who come one after the other, once the avatar has greeted the first."""
    first = await start(app, "livekit")
    async with guest_in(first) as early:
        await silence(early, 0)
        second = await start(app, "livekit")
        assert second["sessionId"] == first["sessionId"] and second["token"] != first["token"]
        async with guest_in(second) as late:
            yield early, late


async def test_who_comes_later_meets_the_same_avatar_and_keeps_it_when_the_first_one_leaves(app):
    before = len(app.transcripts())
    async with two_guests(app) as (early, late):
        (avatar,) = avatars(late)
        await late.until(lambda: "audio" in late.tracks.get(avatar, ()))
        await early.room.disconnect()
        await answered(late)
    assert len(app.transcripts()) == before + 1
    await app.ended_transcript()


async def test_an_avatar_that_is_removed_from_its_room_ends_the_conversation(app, livekit):
    async with guest_in(await start(app, "livekit")) as guest:
        await silence(guest, 0)
        (avatar,) = avatars(guest)
        await show_out(livekit, ROOM, avatar)
        await app.ended_transcript(limit_s=5)
